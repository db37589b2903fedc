"""Other people's programs that judge charts: from PATH, else built with Go into Tycho's cache, as Tycho builds its own.

Where one cannot be had, its tests are skipped, and say why.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster_fixture import aloud
from tycho.errors import ToolMissing
from tycho.settings import environment, settings
from tycho.toolchain.build import build
from tycho.toolchain.files import Progress, exclusive_lock, no_progress
from tycho.toolchain.programs import Program

JUDGES = {
    program.name: program
    for program in (
        Program("kube-score", "1.20.0", (1, 20), (2,), "github.com/zegl/kube-score", "/cmd/kube-score", seconds=17),
        Program("cyclonus", "0.5.6", (0, 5), (1,), "github.com/mattfenwick/cyclonus", "/cmd/cyclonus", seconds=44),
        Program(
            "helm3", "3.22.0", (3, 18), (4,), "helm.sh/helm/v3", "/cmd/helm",
            ("helm.sh/helm/v3/internal/version.version=v{version}",), 120,
        ),
        Program("actionlint", "1.7.12", (1, 7), (2,), "github.com/rhysd/actionlint", "/cmd/actionlint", seconds=20),
        Program("kompose", "1.38.0", (1, 35), (2,), "github.com/kubernetes/kompose", "", seconds=60),
    )
}  # fmt: skip


def judge(name: str, progress: Progress = no_progress) -> Path:
    """One of them; built where it is absent.

    Raises:
        ToolMissing: It is not on PATH, and cannot be built.
    """
    if on_path := shutil.which(name):
        return Path(on_path)
    program = JUDGES[name]
    with exclusive_lock(settings().cache_dir / "bin", progress):
        if not program.cached.exists():
            build([program], progress)
    return program.cached


def _fixture(request: pytest.FixtureRequest, name: str) -> Path:
    try:
        return judge(name, aloud(request.config))
    except ToolMissing as error:
        pytest.skip(f"no {name}: {str(error).splitlines()[0]}")


NEWER = Path(__file__).parent / "compose/newer"


@pytest.fixture(scope="session")
def newer(arbiter: Path | None) -> Path:
    """Docker Compose's own library in its newest version, behind a command of ours that prints what it reads."""
    return arbiter or pytest.skip("NO NEWER COMPOSE: it is built with Go, which is not here or cannot fetch it")


@pytest.fixture(scope="session")
def arbiter(request: pytest.FixtureRequest) -> Path | None:
    """The same, for those who can do without."""
    folder = settings().cache_dir / "build/newer"
    made = folder / "newer"
    with exclusive_lock(settings().cache_dir / "bin", aloud(request.config)):
        if any(not made.exists() or source.stat().st_mtime > made.stat().st_mtime for source in NEWER.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            for source in NEWER.iterdir():
                shutil.copy(source, folder)
            argv = ["go", "build", "-mod=mod", "-trimpath", "-o", made.name, "."]
            env = {**environment(), "CGO_ENABLED": "0", "GOWORK": "off"}
            try:
                subprocess.run(argv, cwd=folder, env=env, capture_output=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                return None
    return made


@pytest.fixture(scope="session")
def kube_score(request: pytest.FixtureRequest) -> Path:
    """kube-score: what reviewers of charts ask for."""
    return _fixture(request, "kube-score")


@pytest.fixture(scope="session")
def cyclonus(request: pytest.FixtureRequest) -> Path:
    """cyclonus: who may talk to whom."""
    return _fixture(request, "cyclonus")


@pytest.fixture(scope="session")
def helm3(request: pytest.FixtureRequest) -> Path:
    """Helm 3, which installs Tycho's charts, too."""
    return _fixture(request, "helm3")


@pytest.fixture(scope="session")
def actionlint(request: pytest.FixtureRequest) -> Path:
    """actionlint: what a forge will say of the workflows."""
    return _fixture(request, "actionlint")
