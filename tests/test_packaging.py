"""What is shipped: one wheel that holds the program, its data folders and its entry points."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tycho

ROOT = Path(__file__).parent.parent
DATA_FOLDERS = ("chart_templates", "policies")
ASK = """
import json, pathlib, tycho
from importlib.metadata import distribution
from tycho import data_folders
print(json.dumps({
    "package": str(pathlib.Path(tycho.__file__).parent),
    "templates": str(data_folders.templates()), "policies": str(data_folders.policies()),
    "version": [tycho.__version__, distribution("tycho").version],
    "entries": sorted(f"{e.group}: {e.name}" for e in distribution("tycho").entry_points),
}))
"""


def ask(*options: str, first: Path | None = None) -> dict[str, object]:
    code = f"import sys; sys.path.insert(0, {str(first)!r})\n{ASK}" if first else ASK
    stdout = subprocess.run(
        [sys.executable, *options, "-c", code], cwd="/", capture_output=True, text=True, check=True
    ).stdout
    answer: dict[str, object] = json.loads(stdout)
    return answer


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, as a publisher does, so that both are right."""
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "hatchling", "build", "-d", str(out))
    subprocess.run([*build, "-t", "sdist"], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-xzf", *out.glob("*.tar.gz"), "-C", str(out)], check=True)
    unpacked = next(path for path in out.iterdir() if path.is_dir())
    subprocess.run([*build, "-t", "wheel"], cwd=unpacked, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def inside(folder: str) -> set[str]:
    tracked = subprocess.run(["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(tracked.stdout.split())


def test_the_wheel_holds_every_source_file(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    assert inside("tycho") <= held
    assert "tycho/py.typed" in held


@pytest.mark.parametrize("folder", DATA_FOLDERS)
def test_the_wheel_holds_the_data_folders_inside_the_package(wheel: Path, folder: str) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(f"tycho/{folder}/")}
    files = inside(folder)
    assert files, "there is something to ship"
    assert {f"tycho/{name}" for name in files} <= held


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"tycho", f"tycho-{tycho.__version__}.dist-info"}


def test_an_installed_tycho_finds_its_data_inside_itself(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    installed = ask("-I", first=tmp_path)
    assert installed["package"] == str(tmp_path / "tycho")
    assert installed["templates"] == str(tmp_path / "tycho/chart_templates")
    assert installed["policies"] == str(tmp_path / "tycho/policies")
    assert installed["version"] == [tycho.__version__, tycho.__version__]
    assert installed["entries"] == ["console_scripts: tycho"]


def test_an_editable_tycho_finds_its_data_beside_itself() -> None:
    installed = ask("-I")
    assert installed["package"] == str(ROOT / "tycho")
    assert installed["templates"] == str(ROOT / "chart_templates")
    assert installed["policies"] == str(ROOT / "policies")


def test_a_release_is_built_of_its_own_version_alone(tmp_path: Path) -> None:
    def build(version: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, ROOT / "tools/dist.py", ROOT, tmp_path / "dist", version]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    refused = build("99.0.0")
    assert refused.returncode == 1
    assert f"the version is {tycho.__version__}, not 99.0.0" in refused.stderr
    assert not (tmp_path / "dist").exists()
    assert build(tycho.__version__).returncode == 0
    names = sorted(path.name for path in (tmp_path / "dist").iterdir())
    assert names == [f"tycho-{tycho.__version__}-py3-none-any.whl", f"tycho-{tycho.__version__}.tar.gz"]
