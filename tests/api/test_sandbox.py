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
from tycho.errors import ComposeError, TychoError, WaitTimeout
from tycho.lifecycle import Compiled
from tycho.sandbox import Sandbox

ENDLESS = "def apply(system):\n    while 'x-slow' in system.x:\n        pass\n    return system\n"
HUGE = "def apply(system):\n    bytearray(1 << 40)\n    return system\n"
SMALL = {"name": "small", "services": {"web": {"image": "a"}}}
SLOW = {"name": "slow", "services": {"web": {"image": "a"}}, "x-slow": True}
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
    assert apart.artifact.digest == here.artifact.digest
    assert apart.policy_result == here.policy_result
    assert apart.policy_result.system.variables["TAG"].value == "1"


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], tuple[Path, ...]]:
    def write(text: str) -> tuple[Path, ...]:
        (tmp_path / "50-policy.py").write_text(text)
        return (tmp_path,)

    return write


def test_time_has_a_limit(compile: Compile, policy: Callable[[str], tuple[Path, ...]]) -> None:
    with pytest.raises(WaitTimeout, match="takes longer than 1 s"):
        compile(SLOW, policy(ENDLESS), seconds=1)


def test_others_go_on_meanwhile(policy: Callable[[str], tuple[Path, ...]]) -> None:
    lifecycle = memory()
    lifecycle.policies = policy(ENDLESS)
    sandbox = Sandbox(lifecycle, seconds=2)

    async def both() -> Any:
        documents = (SLOW, SMALL, SLOW, SMALL)
        return await asyncio.gather(
            *(sandbox.compile(document, {}, {}) for document in documents), return_exceptions=True
        )

    first, second, third, fourth = asyncio.run(both())
    sandbox.close()
    assert isinstance(first, WaitTimeout)
    assert isinstance(third, WaitTimeout)
    assert second.artifact.digest == fourth.artifact.digest


def test_memory_has_a_limit(compile: Compile, policy: Callable[[str], tuple[Path, ...]]) -> None:
    with pytest.raises(ComposeError, match="takes more than a request may have"):
        compile(SMALL, policy(HUGE), memory=400 << 20)


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
        assert compile({"name": "odd", "services": {"a": service}}).artifact.files


def test_a_policy_sees_no_environment_and_may_print(
    compile: Compile, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "50-print.py").write_text(
        "import os\n\n\ndef apply(system):\n    print('env:', sorted(os.environ), os.getpid())\n    return system\n"
    )
    assert compile({"name": "shop", "services": {"web": {"image": "a"}}}, (tmp_path,)).artifact.name == "shop"
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
