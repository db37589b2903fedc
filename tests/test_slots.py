"""Slots that callers take in turn; time plays no part."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from tycho.errors import TooManyRequests
from tycho.slots import CALLER, Slots, run_some


class Crowd:
    """Requests of several callers, each of which works until it is let go."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.gates: dict[str, asyncio.Event] = {}

    async def ask(self, name: str) -> None:
        self.gates[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._work(name))
        await asyncio.sleep(0)  # until it waits, or works

    async def let_go(self, name: str) -> None:
        self.gates[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)

    async def _work(self, name: str) -> None:
        CALLER.set(name[0])
        async with self.slots.hold():
            self.order.append(name)
            await self.gates[name].wait()

    async def end(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        assert self.slots.held == self.slots.waiting == 0


def run_story(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_callers_take_turns() -> None:
    async def story() -> None:
        crowd = Crowd(Slots(1))
        for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2"):
            await crowd.ask(name)
        for number in range(7):
            assert len(crowd.order) == number + 1
            await crowd.let_go(crowd.order[-1])
        assert crowd.order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
        await crowd.end()

    run_story(story())


@pytest.mark.parametrize(("count", "held"), [(1, 1), (2, 1), (4, 3)])
def test_nobody_holds_all_slots(count: int, held: int) -> None:
    async def story() -> None:
        crowd = Crowd(Slots(count))
        for number in range(count + 2):
            await crowd.ask(f"a{number}")
        assert len(crowd.order) == held
        await crowd.ask("b1")
        assert ("b1" in crowd.order) == (count > 1)
        await crowd.end()

    run_story(story())


def test_who_leaves_frees_its_place() -> None:
    async def story() -> None:
        crowd = Crowd(Slots(2))
        for name in ("a1", "a2", "a3", "b1", "c1"):
            await crowd.ask(name)
        assert crowd.order == ["a1", "b1"]
        crowd.tasks["a2"].cancel()  # waits
        crowd.tasks["b1"].cancel()  # works
        await asyncio.wait([crowd.tasks["a2"], crowd.tasks["b1"]])
        await asyncio.sleep(0)
        assert crowd.order == ["a1", "b1", "c1"]
        assert crowd.slots.waiting == 1
        await crowd.let_go("a1")
        assert crowd.order[-1] == "a3"
        await crowd.end()

    run_story(story())


def test_cancelled_as_its_turn_comes() -> None:
    async def story() -> None:
        slots = Slots(1)
        crowd = Crowd(slots)
        await crowd.ask("a1")
        await crowd.ask("b1")
        crowd.gates["a1"].set()
        await crowd.tasks["a1"]
        crowd.tasks["b1"].cancel()  # its turn has come, and it does not know yet
        await asyncio.wait([crowd.tasks["b1"]])
        assert slots.held == 0
        await crowd.end()

    run_story(story())


def test_a_queue_has_an_end() -> None:
    async def story() -> None:
        crowd = Crowd(Slots(1, queue=2, crowd=4))
        for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1"):
            await crowd.ask(name)
        for name in ("a4", "c1"):  # the third of one caller that waits, the fifth of all
            assert isinstance(crowd.tasks[name].exception(), TooManyRequests)
        assert crowd.slots.waiting == 4
        await crowd.end()

    run_story(story())


def test_the_command_line_may_wait() -> None:
    async def story() -> None:
        slots = Slots(1, queue=2)
        async with slots.hold():
            tasks = [asyncio.create_task(_short(slots)) for _ in range(10)]
            await asyncio.sleep(0)
            assert slots.waiting == 10
        await asyncio.gather(*tasks)

    run_story(story())


async def _short(slots: Slots) -> None:
    async with slots.hold():
        pass


def test_the_error_says_how_to_answer() -> None:
    assert (TooManyRequests.http_status, TooManyRequests.exit_code) == (429, 4)


def test_some_calls_go_on_at_once_and_no_more() -> None:
    async def story() -> None:
        going, most = 0, 0

        async def call(number: int) -> int:
            nonlocal going, most
            going += 1
            most = max(most, going)
            await asyncio.sleep(0)
            going -= 1
            return number

        assert await run_some((partial(call, number) for number in range(9)), 3) == list(range(9))
        assert most == 3

    asyncio.run(story())
