"""The cluster of this machine: later commands find it where the user has no other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tycho import localcluster

pytestmark = pytest.mark.xdist_group("cluster")

TYCHO = Path(sys.executable).with_name("tycho")
USED = "using the local cluster tycho: there is no kubeconfig\n"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of a user who has no kubeconfig; the project is in it."""
    (tmp_path / "compose.yaml").write_text("name: demo\nservices: {web: {image: nginx, ports: ['80']}}\n")
    return tmp_path


@pytest.fixture
def run(home: Path, helm: Path) -> Run:
    """Run the command as that user."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CACHE_HOME": cache, "TYCHO_HELM": str(helm)}

    def start(*words: str, rc: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        completed = subprocess.run(
            [TYCHO, *words], cwd=home, env={**env, **variables}, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert completed.returncode == rc, completed.stdout + completed.stderr
        return completed

    return start


@pytest.fixture
def clusters(home: Path) -> Iterator[Path]:
    """The folder of that user's clusters, with one that runs."""
    folder = home / ".local/state/tycho/clusters"
    localcluster.create("tycho", provider="native", home=folder)
    yield folder
    localcluster.delete("tycho", home=folder)


def test_the_local_cluster_is_found_again(run: Run, clusters: Path, home: Path) -> None:
    """`up --local` makes or takes it; `ps`, `status`, `logs` and `down` find it, and write so on stderr."""
    started = run("up", "--local", "-q")
    guid = started.stdout.splitlines()[1].split()[1]
    assert USED not in started.stderr
    for words in (["status"], ["ps"], ["status", "-o", "json"]):
        listed = run(*words)
        assert listed.stderr.startswith(USED)
        assert "demo" in listed.stdout
    assert guid in run("status", "-terse").stdout
    assert run("logs").stderr.startswith(USED)
    assert "no Kubernetes cluster answers" in run("status", rc=30, KUBECONFIG=str(home / "none")).stderr
    assert "no Kubernetes cluster answers" in run("status", "--context", "x", rc=30).stderr
    (home / ".kube").mkdir(exist_ok=True)
    (home / ".kube/config").write_text("{}")
    assert USED not in run("status", rc=2).stderr
    (home / ".kube/config").unlink()
    assert run("down").stdout == f"{guid}\n"
    assert run("status").stdout == "None running\n"


def test_nothing_changes_without_a_local_cluster(run: Run) -> None:
    refused = run("status", rc=30).stderr
    assert refused.startswith("no Kubernetes cluster answers")
    assert "local cluster" not in refused


@pytest.mark.parametrize("words", [(), ("web",)], ids=["all", "one"])
def test_a_broken_file_makes_no_cluster(run: Run, home: Path, words: tuple[str, ...]) -> None:
    (home / "compose.yaml").write_text("name: demo\nservices: {web: {image: nginx, ports: ['80:eighty']}}\n")
    refused = run("up", "--local", *words, rc=10).stderr
    assert "services.web.ports" in refused
    assert not (home / ".local").exists()
