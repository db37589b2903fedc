"""Files on the command line: what it writes never comes back into a chart, what it is given may be a pipe."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TYCHO = Path(sys.executable).with_name("tycho")
ALL = "services: {web: {image: 'x:${TAG:-0}', env_file: [app.env], volumes: ['.:/srv:ro']}}\n"


def compile(folder: Path, *argv: str, rc: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([TYCHO, *argv], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == rc, done.stderr
    return done


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_outputs_never_come_back(tmp_path: Path) -> None:
    """Compiled and packed inside the mounted folder, again and again: the same chart, and nothing secret."""
    (tmp_path / "compose.yaml").write_text(ALL)
    (tmp_path / "app.env").write_text("A=planted-1")
    (tmp_path / "server.key").write_text("planted-2")
    versions = []
    for number in range(3):
        compile(tmp_path, "compile", "-o", "chart", "--values", f"values-{number}.yaml")
        compile(tmp_path, "package", "-d", "dist")
        versions.append(compile(tmp_path, "package").stdout)
        assert b"planted" not in everything(tmp_path / "chart")
    assert len(set(versions)) == 1
    values = (tmp_path / "values-2.yaml").read_text()
    assert values.startswith("# Values of one environment")
    assert base64.b64encode(b"planted-2").decode() in values


def test_root_option(tmp_path: Path) -> None:
    project = tmp_path / "deploy"
    project.mkdir()
    (tmp_path / "conf").write_text("carried")
    (project / "compose.yaml").write_text("services: {web: {image: x, volumes: ['../conf:/c:ro']}}\n")
    stderr = compile(project, "compile", rc=10).stderr
    assert f"--root {tmp_path}" in stderr
    for command in (("compile", "-o", "chart"), ("package",), ("config", "-q")):
        compile(project, *command, "--root", "..")
    assert (project / "chart" / "files" / "conf" / "conf").read_text() == "carried"
    assert "nor one above it" in compile(project, "compile", "--root", "chart", rc=2).stderr


@pytest.mark.parametrize("words", ["-f <(cat compose.yaml)", "--env-file <(echo TAG=7) -f compose.yaml"])
def test_pipes_of_the_shell(words: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: 'x:${TAG:-7}'}}\n")
    done = subprocess.run(
        ["bash", "-c", f"{TYCHO} config --format json {words}"], cwd=tmp_path, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["services"]["web"]["image"] == "x:7"


@pytest.mark.parametrize("words", [("-f", "/dev/zero"), ("--env-file", "/dev/zero"), ("--metadata", "/dev/zero")])
def test_devices_are_refused(words: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}\n")
    assert "/dev/zero: is a device" in compile(tmp_path, "compile", *words, rc=11).stderr


def test_found_files_are_regular(tmp_path: Path) -> None:
    """Nobody named them: a pipe that lies there must not hold the command up."""
    subprocess.run(["mkfifo", tmp_path / "compose.yaml"], check=True)
    assert "compose.yaml: is a pipe" in compile(tmp_path, "compile", rc=11).stderr
    (tmp_path / "compose.yaml").unlink()
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}\n")
    subprocess.run(["mkfifo", tmp_path / ".env"], check=True)
    compile(tmp_path, "compile")


@pytest.mark.xdist_group("cluster")
def test_secret_files_reach_the_cluster(tycho: Run, tool: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: keys\nservices: {web: {image: x, volumes: ['./conf:/c:ro']}}\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "plain").write_text("plain")

    def held(namespace: str) -> bytes:
        name = tool("kubectl", "get", "secret", "-n", namespace, "-o", "name").stdout.split()
        (secret,) = [object_name for object_name in name if object_name.endswith("-conf-secret-files")]
        content = json.loads(tool("kubectl", "get", secret, "-n", namespace, "-o", "json").stdout)["data"]
        return base64.b64decode(content["a.key"])

    for key in ("planted-1", "planted-2"):
        (tmp_path / "conf" / "a.key").write_text(key)
        tycho("up", "--no-wait")
    (release,) = [system for system in json.loads(tycho("status", "-o", "json").stdout) if system["name"] == "keys"]
    assert held(release["namespace"]) == b"planted-2"
    tycho("rollback", "keys", "--no-wait")
    assert held(release["namespace"]) == b"planted-1"
