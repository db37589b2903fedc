"""Charts as archives and in a registry: Debian's docker-registry on loopback, a real one."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import SHOP, Run

pytestmark = pytest.mark.xdist_group("cluster")


def test_push_and_install_from_there(tycho: Run, tool: Run, registry: str) -> None:
    pushed = tycho("push", f"oci://{registry}/charts", "-f", SHOP).stdout.strip()
    reference, digest = pushed.split("@")
    assert digest.startswith("sha256:")
    chart, version = reference.rpartition("/")[2].split(":")
    again = tycho("push", f"oci://{registry}/charts", "-f", SHOP).stdout.strip()
    assert again == pushed
    where = f"oci://{registry}/charts/{chart}"
    tool("helm", "install", "from-registry", where, "--version", version.replace("_", "+"), "--plain-http",
         "-n", "from-registry", "--create-namespace")  # fmt: skip
    tool("helm", "uninstall", "from-registry", "-n", "from-registry")
    tool("kubectl", "delete", "namespace", "from-registry", "--wait=false")


def test_a_registry_that_is_none(tycho: Run) -> None:
    assert "write oci://HOST/PATH" in tycho("push", "https://example.com", "-f", SHOP, rc=2).stderr


def test_two_compiles_are_one_archive(tycho: Run, tmp_path: Path) -> None:
    sums = []
    for name, variables in (("one", {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}), ("two", {"LC_ALL": "C"})):
        folder = tmp_path / name
        shutil.copytree(SHOP.parent, folder)
        os.utime(folder / "compose.yaml", (1, 1))
        path = tycho(
            "package", "-f", "compose.yaml", "--name", "shop", "-d", "out", cwd=folder, **variables
        ).stdout.strip()
        sums.append(hashlib.sha256((folder / path).read_bytes()).hexdigest())
    assert sums[0] == sums[1]


def test_a_version_is_never_another_chart(tycho: Run, registry: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: one\nservices: {web: {image: nginx:1}}\n")
    where = f"oci://{registry}/charts"
    first = tycho("push", where, "--chart-version", "1.0.0").stdout
    (tmp_path / "compose.yaml").write_text("name: one\nservices: {web: {image: nginx:2}}\n")
    stderr = tycho("push", where, "--chart-version", "1.0.0", rc=37).stderr
    assert "has a version 1.0.0 already" in stderr
    assert "hint: give this one a version of its own" in stderr
    assert tycho("push", where, "--chart-version", "1.0.1").stdout != first
