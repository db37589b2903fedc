"""Running helm: what it is given, what it leaves, and what its words mean."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tycho.chart import Chart
from tycho.errors import (
    ClusterUnreachable,
    Conflict,
    Forbidden,
    NotFound,
    OperationInProgress,
    OrchestratorError,
    WaitTimeout,
)
from tycho.orchestrators import Target
from tycho.orchestrators.helm import process
from tycho.orchestrators.helm.errors import parse_helm_error
from tycho.orchestrators.helm.process import Helm
from tycho.settings import settings


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for helm, to be written by the test; it knows its version."""
    path = tmp_path / "helm"
    monkeypatch.setenv("TYCHO_HELM", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings.cache_clear()
    return path


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


@pytest.mark.parametrize("verb", ["install", "template"])
@pytest.mark.parametrize("way", ["cancelled", "late"])
def test_the_whole_family_ends(program: Path, way: str, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "WRITING", 0.1)
    folder = Path(f"{program}.d")
    folder.mkdir()
    write(program, TREE)

    async def story() -> None:
        helm = Helm(Target())
        running = asyncio.create_task(helm.run([verb], timeout=1.0 if way == "late" else 600.0))
        while len([path for path in folder.glob("*.pid") if path.read_text()]) < 2:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        if way == "cancelled":
            running.cancel()
        with pytest.raises(WaitTimeout if way == "late" else asyncio.CancelledError):
            await running
        helm.close()

    asyncio.run(story())
    assert all(gone(number) for number in family(folder))


# Says that it has begun, takes the terminal's hints, and ends when it is let go.
WRITER = "cd \"$0.d\"; trap 'touch asked' TERM; touch begun; until [ -e go ]; do sleep 0.05; done; touch done"


def cancelled(program: Path, verb: str, *more: str, then: str) -> set[str]:
    """Cancel helm in the middle of a verb, and let go what works; the files that it made."""
    folder = Path(f"{program}.d")
    folder.mkdir()
    write(program, WRITER)

    async def story() -> None:
        helm = Helm(Target())
        running = asyncio.create_task(helm.run([verb, *more]))
        if then == "starting":
            while not helm.slots.held:  # noqa: ASYNC110
                await asyncio.sleep(0)
            (folder / "go").touch()
        else:
            while not (folder / "begun").exists():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        running.cancel()
        if then == "finish":
            await asyncio.sleep(0)
            (folder / "go").touch()
        elif then == "again":
            while not helm._ending:  # noqa: ASYNC110
                await asyncio.sleep(0)
            running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await helm.settle()
        assert helm.slots.held == 0
        helm.close()

    asyncio.run(story())
    return {path.name for path in folder.iterdir()} - {"go"}


@pytest.mark.parametrize("verb", ["install", "upgrade", "rollback", "uninstall"])
def test_a_writer_is_waited_for(program: Path, verb: str) -> None:
    assert cancelled(program, verb, then="finish") == {"begun", "done"}


def test_so_is_one_that_has_only_just_been_started(program: Path) -> None:
    assert cancelled(program, "install", then="starting") == {"begun", "done"}


@pytest.mark.parametrize("words", [["template"], ["pull"], ["get"], ["lint"], ["upgrade", "--dry-run=server"]])
def test_a_reader_ends_at_once(program: Path, words: list[str]) -> None:
    assert cancelled(program, *words, then="wait") == {"begun"}


def test_asked_twice_it_ends(program: Path) -> None:
    assert cancelled(program, "install", then="again") == {"begun"}


def test_what_is_waited_for_has_an_end(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "WRITING", 0.1)
    monkeypatch.setattr(process, "GRACE", 1.0)
    assert cancelled(program, "install", then="wait") == {"begun", "asked"}


GREEDY = {
    "memory": ("exec python3 -c 'x = bytearray(1 << 29); print(len(x))'", "MEMORY", 1 << 28),
    "processor time": ("while :; do :; done", "PROCESSOR", 1),
}


@pytest.mark.parametrize(("script", "limit", "most"), GREEDY.values(), ids=GREEDY)
def test_a_greedy_helm_is_limited(
    program: Path, monkeypatch: pytest.MonkeyPatch, script: str, limit: str, most: int
) -> None:
    monkeypatch.setattr(process, limit, most)
    write(program, script)
    with pytest.raises(OrchestratorError) as caught:
        asyncio.run(Helm(Target()).run(["template"]))
    if limit == "PROCESSOR":
        assert caught.value.message == "helm template takes more than 1 s of processor time"
        assert caught.value.hint


def test_the_real_helm_is_limited(helm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TYCHO_HELM", str(helm))
    settings.cache_clear()
    monkeypatch.setattr(process, "MEMORY", 40 << 20)
    files = {f"templates/{n}.yaml": "a: {{ repeat 100000 .Release.Name | quote }}\n" for n in range(200)}
    Chart("t", "1.0.0", {"Chart.yaml": "apiVersion: v2\nname: t\nversion: 1.0.0\n", **files}).write(tmp_path / "t")
    with pytest.raises(OrchestratorError) as caught:
        asyncio.run(Helm(Target()).run(["template", "name", str(tmp_path / "t")]))
    assert caught.value.message == "helm template takes more than 40 MiB of memory"
    assert "goroutine" not in caught.value.hint


def test_a_helm_killed_from_outside(program: Path) -> None:
    write(program, "kill -9 $$")
    with pytest.raises(OrchestratorError, match=r"helm get was ended from outside \(Killed\)"):
        asyncio.run(Helm(Target()).run(["get"]))


def test_too_much_output_is_refused(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_OUTPUT", 1 << 20)
    write(program, "yes")
    with pytest.raises(OrchestratorError, match="more than 1 MiB"):
        asyncio.run(Helm(Target()).run(["get"]))


def test_a_helm_runs_where_setpriv_is_a_small_one(
    program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """BusyBox has a program of this name, too, which refuses what it does not know."""
    small = tmp_path / "bin/setpriv"
    small.parent.mkdir()
    small.write_text('#!/bin/sh\ncase $1 in --pdeathsig) exit 1; esac\nexec "$@"\n')
    small.chmod(0o755)
    monkeypatch.setenv("PATH", f"{small.parent}:/usr/bin:/bin")
    write(program, "echo it runs")
    assert asyncio.run(Helm(Target()).run(["get"])) == b"it runs\n"


def test_what_helm_is_given(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    write(program, 'echo "$@"; env; cat')

    async def story() -> str:
        helm = Helm(Target(kubeconfig="/k", context="c"))
        try:
            return (await helm.run(["get", "it"], input=b"on stdin")).decode()
        finally:
            helm.close()

    output = asyncio.run(story())
    assert output.splitlines()[0].startswith("get it ")
    assert "--kube-context c" in output
    assert "--kubeconfig /k" in output or "KUBECONFIG=/k" in output
    assert "SECRET_OF_THE_CALLER" not in output
    assert output.endswith("on stdin")
    home = next(line.partition("=")[2] for line in output.splitlines() if line.startswith("HELM_CACHE_HOME="))
    assert not Path(home).exists()


@pytest.mark.parametrize("size", [1, process.SMALL])
@pytest.mark.parametrize("verb", ["template", "install", "upgrade"])
def test_garbage_of_small_charts_alone_is_left(program: Path, tmp_path: Path, verb: str, size: int) -> None:
    """Memory stays bounded: a large chart, and what an upgrade reads of revisions, is collected as Go does it."""
    write(program, "env")
    chart = tmp_path / "chart.tgz"
    chart.write_bytes(bytes(size))

    async def story() -> str:
        helm = Helm(Target())
        try:
            return (await helm.run([verb, "it", str(chart)], input=b"values: {}")).decode()
        finally:
            helm.close()

    small = verb != "upgrade" and size < process.SMALL
    assert (f"GOGC={process.SELDOM}" in asyncio.run(story()).splitlines()) is small


PORT = 'Error: Service "a" is invalid: spec.ports[0].nodePort: Invalid value: 30080:'


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        (
            "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
            OperationInProgress,
            "somebody else",
        ),
        ("Error: release: not found", NotFound, "no such release"),
        ('Error: "web" has no deployed releases', NotFound, "no good revision"),
        ("Error: INSTALLATION FAILED: cannot re-use a name that is still in use", Conflict, "exists already"),
        ('Error: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas', Conflict,
         "kubectl"),
        ('Error: secrets is forbidden: User "eve" cannot list resource', Forbidden, "does not allow"),
        ("Error: Kubernetes cluster unreachable: dial tcp 127.0.0.1:1: connect: connection refused", ClusterUnreachable,
         "no Kubernetes cluster answers"),
        (f"{PORT} provided port is already allocated", Conflict, "port 30080 is taken"),
        (f"{PORT} provided port is not in the valid range. The range of valid ports is 31000-31999", OrchestratorError,
         "no port 30080 for Services: The range"),
        ("Error: context deadline exceeded", WaitTimeout, "too long"),
        ("Error: something new", OrchestratorError, "helm install: something new"),
    ],
)  # fmt: skip
def test_what_helm_says(text: str, kind: type[OrchestratorError], part: str) -> None:
    error = parse_helm_error(text, "install")
    assert type(error) is kind
    assert part in error.message


def test_no_token_reaches_a_message() -> None:
    error = parse_helm_error("Error: cannot log in with token: abcdef Bearer ghijkl", "push")
    assert "abcdef" not in f"{error.message}{error.hint}"
    assert "ghijkl" not in f"{error.message}{error.hint}"
