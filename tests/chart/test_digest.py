"""chart = f(compose, policies): the same bytes on any machine, on any day; from Tycho, and from `helm package`."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tycho.chart import emit

ROOT = Path(__file__).parents[2]
SCRIPT = """
import hashlib, os, sys, time
project, folder, umask, days = sys.argv[1:]
os.umask(int(umask, 8))
today = time.time
time.time = lambda: today() + 86400 * int(days)
from pathlib import Path
from tycho.compose import Sources, load
from tycho.policy import apply_policies
from tycho.chart import emit
chart = emit(apply_policies(load(Sources.from_disk([project + "/compose.yaml"], env=dict(os.environ), cwd=project))))
chart.write(Path(folder))
print(chart.digest, chart.version, hashlib.sha256(chart.archive()).hexdigest())
"""
MACHINES: tuple[tuple[str, int, Mapping[str, str]], ...] = (
    ("077", 0, {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1", "API_REPLICAS": "7", "WEB_PORT": "99"}),
    ("002", 400, {"TZ": "America/Lima", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "USER": "eve", "HOME": "/else"}),
    ("027", -9999, {"PYTHONHASHSEED": "3", "PYTHONUTF8": "0"}),
)
"""Two machines' worth of difference, and one more: umask, date, environment."""


def test_the_same_bytes_anywhere(bench: Any, tmp_path: Path) -> None:
    """Another folder, locale, time zone, date, umask, hash seed, user and environment.

    Equal are the archive, byte for byte, and what `helm package` packs of the folder that was written, byte for byte.
    """
    outputs, packed = set(), set()
    for index, (umask, days, more) in enumerate(MACHINES):
        project = tmp_path / f"copy {index}" / "shop"
        shutil.copytree(ROOT / "examples" / "shop", project)
        for path in project.rglob("*"):
            os.utime(path, (index * 1_000_000, index * 1_000_000))
        written = tmp_path / f"chart {index}"
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **more}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, project, written, umask, str(days)],
            cwd=(tmp_path, project)[index % 2], env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outputs.add(done.stdout)
        packed |= {package(bench.helm, written, env), package(bench.helm, written, env)}
    assert len(outputs) == 1
    assert len(packed) == 1


def package(helm: Path, folder: Path, env: Mapping[str, str]) -> str:
    """What `helm package` makes of a folder; in another second than the one before, for gzip's headers know seconds."""
    start = int(time.time())
    while True:
        done = subprocess.run(
            [helm, "package", folder, "--destination", f"{folder}-packed"],
            env={**env, "HOME": str(folder.parent)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        if int(time.time()) > start:
            (archive,) = Path(f"{folder}-packed").glob("*.tgz")
            return hashlib.sha256(archive.read_bytes()).hexdigest()


def test_archive_equals_helm_package(bench: Any, tmp_path: Path) -> None:
    made = bench.chart("services: {web: {image: nginx, ports: ['80:80']}}")
    with tarfile.open(fileobj=io.BytesIO(made.archive())) as tar:
        entries = tar.getmembers()
        contents = {entry.name: tar.extractfile(entry).read() for entry in entries}  # type: ignore[union-attr]
    assert {entry.mtime for entry in entries} == {315532800}
    assert {(entry.uid, entry.gid, entry.uname, entry.gname, entry.mode) for entry in entries} == {
        (0, 0, "", "", 0o644)
    }
    assert entries[0].name == "demo/Chart.yaml"
    assert contents == {
        f"demo/{path}": content.encode() if isinstance(content, str) else content
        for path, content in made.files.items()
    }
    made.write(tmp_path / "demo")
    packed = bench.program("package", str(tmp_path / "demo"), "--destination", str(tmp_path))
    assert packed.returncode == 0, packed.stderr
    assert (tmp_path / f"demo-{made.version}.tgz").exists()


def test_the_version_follows_the_content(bench: Any) -> None:
    first, second = (bench.chart(f"services: {{web: {{image: nginx:{tag}}}}}") for tag in (1, 2))
    assert first.version != second.version
    assert first.version == bench.chart("services: {web: {image: nginx:1}}").version
    assert emit(bench.policy_result("services: {web: {image: nginx:1}}"), version="1.2.3").version == "1.2.3"
