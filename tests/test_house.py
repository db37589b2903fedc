"""The rules of the house: what is exported, how long a file is, what no file says, which way imports run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from inspect import ismodule
from pathlib import Path
from pkgutil import walk_packages

import pytest
import yaml

import tycho

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
LONGEST = 300
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
# A lock or a page that names a registry would bind its reader to it; written so that this file names none.
HOSTS = re.compile(rb"\b(pypi|pythonhosted|npmjs|crates|(proxy|sum)\.golang|deb\.debian)\.(?:org|com|io)\b")


def texts(*suffixes: str) -> list[Path]:
    return [path for path in TRACKED if path.suffix in suffixes]


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in texts(".py", ".j2", ".tpl")}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_no_file_names_a_package_registry() -> None:
    named = {str(path.relative_to(ROOT)): match[0] for path in TRACKED if (match := HOSTS.search(path.read_bytes()))}
    assert named == {}


def test_the_lock_pins_every_dependency_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert {re.split(r"[<>=~\[]", need)[0].lower() for need in requirements} <= pins
    for entry in re.split(r"\n(?=[a-z])", lock):
        assert "--hash=sha256:" in entry, entry


def test_the_public_names_are_there_and_no_others() -> None:
    assert tycho.__all__ == sorted(tycho.__all__)
    assert [name for name in tycho.__all__ if not hasattr(tycho, name)] == []
    # What a prompt completes, without what the module itself imports and the packages that others have imported.
    own = {name for name in dir(tycho) if not name.startswith("_") and not ismodule(getattr(tycho, name))}
    assert own - {"TYPE_CHECKING", "Any", "annotations", "import_module"} == set(tycho.__all__) - {"errors"}
    with pytest.raises(AttributeError, match="'tycho' has no attribute 'nothing'"):
        _ = tycho.nothing


def test_every_package_exports_what_it_says() -> None:
    for module in walk_packages(tycho.__path__, "tycho."):
        if module.name.endswith("__main__"):
            continue
        loaded = import_module(module.name)
        exported = getattr(loaded, "__all__", [])
        assert [name for name in exported if not hasattr(loaded, name)] == [], module.name


def test_importing_tycho_costs_nothing() -> None:
    code = "import sys, tycho; print(*sorted(m for m in sys.modules if m.startswith('tycho')))"
    completed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert completed.stdout.split() == ["tycho"]


def test_the_readme_says_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    named_tasks = set(re.findall(r"bin/task ([a-z0-9]+)", readme))
    assert "test" in named_tasks
    assert named_tasks <= set(tasks)
    assert all(task.get("desc") for task in tasks.values())
    verbs = set(re.findall(r"^(?:\$ )?(?:bin/)?tycho ([a-z]+)", readme, re.MULTILINE))
    assert "up" in verbs
    listed = subprocess.run([BIN / "tycho", "--help"], check=True, capture_output=True, text=True).stdout
    assert {verb for verb in verbs if not re.search(rf"^  {verb} ", listed, re.MULTILINE)} == set()


def test_the_readme_names_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    files = set(re.findall(r"\bexamples/[\w./-]+", readme)) | set(re.findall(r"\]\((?!\w+:|#)([^)#]+)", readme))
    assert "examples/shop/compose.yaml" in files
    assert [name for name in sorted(files) if not (ROOT / name).exists()] == []


def lint_imports(where: Path) -> subprocess.CompletedProcess[str]:
    argv = [BIN / "lint-imports", "--no-cache", "--no-logo"]
    env = {"PYTHONPATH": str(where)}
    return subprocess.run(argv, cwd=where, env=env, check=False, capture_output=True, text=True)


def test_imports_run_one_way() -> None:
    completed = lint_imports(ROOT)
    assert completed.returncode == 0, completed.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("errors", "import tycho.model", "Imports run one way BROKEN"),
        ("compose/__init__", "import tycho.chart", "Imports run one way BROKEN"),
        ("orchestrators/__init__", "import tycho.lifecycle", "Imports run one way BROKEN"),
        ("cellar", "", "tycho.cellar"),  # a room that the plan does not show
        ("lifecycle", "import kubernetes", "One door to the cluster BROKEN"),
        ("orchestrators/memory", "import pyhelm3", "One door to helm BROKEN"),
        ("orchestrators/helm/lease", "import kubernetes", "One door to the cluster BROKEN"),
        (
            "orchestrators/helm/pods",
            "import tycho.orchestrators.helm.workloads",
            "Inside the Helm back end, imports run one way BROKEN",
        ),
        ("kube/store", "import tycho.kube.feed", "Inside kube, imports run one way BROKEN"),
        ("compose/source", "import jinja2", "One door to Jinja BROKEN"),
        ("cli/up", "import fastapi", "One door to the web framework BROKEN"),
    ],
)
def test_an_import_the_wrong_way_is_found(tmp_path: Path, module: str, line: str, broken: str) -> None:
    shutil.copytree(ROOT / "tycho", tmp_path / "tycho", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / f"tycho/{module}.py").open("a") as file:
        file.write(f"\n{line}\n")
    completed = lint_imports(tmp_path)
    assert completed.returncode != 0
    assert broken in completed.stdout
