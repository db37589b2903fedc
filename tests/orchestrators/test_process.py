"""Running helm: what it is given, what it leaves, and what its words mean."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tycho.errors import Busy, ClusterUnreachable, Conflict, Deadline, Forbidden, NotFound, OrchestratorError
from tycho.orchestrators import Target
from tycho.orchestrators.helm.errors import told
from tycho.orchestrators.helm.process import Helm
from tycho.settings import settings


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for helm, to be written by the test; it knows its version."""
    path = tmp_path / "helm"
    monkeypatch.setenv("TYCHO_HELM", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings.cache_clear()
    yield path
    settings.cache_clear()


def write(path: Path, script: str) -> None:
    path.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v4.3.1 && exit\n{script}\n')
    path.chmod(0o755)


def gone(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def family(folder: Path) -> list[int]:
    return [int(path.read_text()) for path in folder.glob("*.pid")]


TREE = "cd \"$0.d\"; echo $$ > parent.pid; sh -c 'echo $$ > child.pid; exec sleep 600' & wait"


@pytest.mark.parametrize("way", ["cancelled", "late"])
def test_the_whole_family_ends(program: Path, way: str) -> None:
    folder = Path(f"{program}.d")
    folder.mkdir()
    write(program, TREE)

    async def story() -> None:
        helm = Helm(Target())
        running = asyncio.create_task(helm.run(["install"], timeout=1.0 if way == "late" else 600.0))
        while len([path for path in folder.glob("*.pid") if path.read_text()]) < 2:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        if way == "cancelled":
            running.cancel()
        with pytest.raises(Deadline if way == "late" else asyncio.CancelledError):
            await running
        helm.close()

    asyncio.run(story())
    assert all(gone(number) for number in family(folder))


def test_what_helm_is_given(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    write(program, 'echo "$@"; env; cat')

    async def story() -> str:
        helm = Helm(Target(kubeconfig="/k", context="c"))
        try:
            return (await helm.run(["get", "it"], input=b"on stdin")).decode()
        finally:
            helm.close()

    said = asyncio.run(story())
    assert said.splitlines()[0].startswith("get it ")
    assert "--kube-context c" in said
    assert "--kubeconfig /k" in said or "KUBECONFIG=/k" in said
    assert "SECRET_OF_THE_CALLER" not in said
    assert said.endswith("on stdin")
    home = next(line.partition("=")[2] for line in said.splitlines() if line.startswith("HELM_CACHE_HOME="))
    assert not Path(home).exists()


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", Busy, "somebody else"),
        ("Error: release: not found", NotFound, "no such release"),
        ('Error: "web" has no deployed releases', NotFound, "no good revision"),
        ("Error: INSTALLATION FAILED: cannot re-use a name that is still in use", Conflict, "exists already"),
        ('Error: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas', Conflict,
         "kubectl"),
        ('Error: secrets is forbidden: User "eve" cannot list resource', Forbidden, "does not allow"),
        ("Error: Kubernetes cluster unreachable: dial tcp 127.0.0.1:1: connect: connection refused", ClusterUnreachable,
         "no Kubernetes cluster answers"),
        ("Error: context deadline exceeded", Deadline, "too long"),
        ("Error: something new", OrchestratorError, "helm install: something new"),
    ],
)  # fmt: skip
def test_what_helm_says(text: str, kind: type[OrchestratorError], part: str) -> None:
    error = told(text, "install")
    assert type(error) is kind
    assert part in error.message


def test_no_token_reaches_a_message() -> None:
    error = told("Error: cannot log in with token: abcdef Bearer ghijkl", "push")
    assert "abcdef" not in f"{error.message}{error.hint}"
    assert "ghijkl" not in f"{error.message}{error.hint}"
