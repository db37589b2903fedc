"""Documents that would take too much, and what a process that compiles them can see."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import memory
from tycho.errors import ComposeError, Deadline, TychoError
from tycho.lifecycle import Compiled
from tycho.sandbox import Sandbox

BOMB = {
    "name": "bomb",
    "services": {f"s{i}": {"image": "a", "ports": ["1-65535:1-65535"], "expose": ["1-65535"]} for i in range(20)},
}
Compile = Callable[..., Compiled]


@pytest.fixture
def compile() -> Iterator[Compile]:
    opened: list[Sandbox] = []

    def run(
        document: dict[str, Any], policies: tuple[Path, ...] = (), env: dict[str, str] | None = None, **limits: int
    ) -> Compiled:
        lifecycle = memory()
        lifecycle.policies = policies
        opened.append(Sandbox(lifecycle, **limits))
        return asyncio.run(opened[-1].compile(document, env or {}, {}))

    yield run
    for sandbox in opened:
        sandbox.close()


def test_it_compiles_what_the_lifecycle_would(compile: Compile) -> None:
    from tycho.compose import Sources

    document = {"name": "shop", "services": {"web": {"image": "nginx:${TAG}", "ports": ["80"]}}}
    apart = compile(document, env={"TAG": "1"})
    here = memory().compile(Sources.from_document(document, env={"TAG": "1"}))
    assert apart.chart.digest == here.chart.digest
    assert apart.woven == here.woven
    assert apart.woven.system.variables["TAG"].value == "1"


def test_time_has_a_limit(compile: Compile) -> None:
    with pytest.raises(Deadline, match="takes longer than 1 s"):
        compile(BOMB, seconds=1)


def test_others_go_on_meanwhile() -> None:
    sandbox = Sandbox(memory(), seconds=2)
    small = {"name": "small", "services": {"web": {"image": "a"}}}

    async def both() -> Any:
        return await asyncio.gather(
            *(sandbox.compile(one, {}, {}) for one in (BOMB, small, BOMB, small)), return_exceptions=True
        )

    first, second, third, fourth = asyncio.run(both())
    sandbox.close()
    assert isinstance(first, Deadline)
    assert isinstance(third, Deadline)
    assert second.chart.digest == fourth.chart.digest


def test_memory_has_a_limit(compile: Compile) -> None:
    with pytest.raises(ComposeError, match="takes more than a request may have"):
        compile(BOMB, memory=200 << 20)


@pytest.mark.parametrize(
    "service",
    [
        {"image": "${A:-" * 3000 + "}" * 3000},
        {"image": "a", "environment": {"X": "\ud800"}},
        {"image": "a", "x-deep": json.loads("[" * 90 + "]" * 90)},
        {"image": "a", "deploy": {"replicas": 10**400}},
    ],
    ids=["nested variables", "half a character", "nested lists", "a large number"],
)
def test_what_is_odd_is_compiled_or_refused(compile: Compile, service: dict[str, Any]) -> None:
    with contextlib.suppress(ComposeError):
        assert compile({"name": "odd", "services": {"a": service}}).chart.files


def test_a_policy_sees_no_environment_and_may_print(
    compile: Compile, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "50-print.py").write_text(
        "import os\n\n\ndef apply(system):\n    print('env:', sorted(os.environ), os.getpid())\n    return system\n"
    )
    assert compile({"name": "shop", "services": {"web": {"image": "a"}}}, (tmp_path,)).chart.name == "shop"
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("env:")]
    assert set(os.environ) - {"PYTHONPATH", "LC_CTYPE"}
    assert "HOME" not in line
    assert str(os.getpid()) not in line.split()


def test_a_compiler_that_stops_is_no_answer(compile: Compile, tmp_path: Path) -> None:
    (tmp_path / "50-stop.py").write_text("import os\n\n\ndef apply(system):\n    os._exit(3)\n")
    with pytest.raises(TychoError, match="stopped unexpectedly"):
        compile({"name": "shop", "services": {"web": {"image": "a"}}}, (tmp_path,))


def test_problems_and_hints_come_back_whole(compile: Compile) -> None:
    with pytest.raises(ComposeError) as caught:
        compile({"name": "shop", "services": {"web": {"image": "a", "ports": ["80:eighty"], "colour": "red"}}})
    assert [problem.path for problem in caught.value.problems] == ["services.web.colour", "services.web.ports[0]"]
    assert caught.value.problems[1].hint
