"""A few slots for many callers, who take turns: nobody's queue keeps the others waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TypeVar

from tycho.errors import TooManyRequests

T = TypeVar("T")
REMOVALS = 64  # systems that one `down` removes at a time: most of that is waiting for namespaces to go
CALLER: ContextVar[str] = ContextVar("caller", default="")
"""Who asks: over HTTP a username or an address, at the command line nobody else."""


class Slots:
    """Slots that callers hold in turn; where there are several, no caller holds all of them.

    Args:
        count: How many.
        queue: How many requests of one caller may wait; at the command line, where nobody else is kept waiting, any.
        crowd: How many of all callers together may.
    """

    def __init__(self, count: int, *, queue: int = 100, crowd: int = 1000) -> None:
        self.count = count
        self.queue = queue
        self.crowd = crowd
        self._share = max(1, count - 1)
        self._held: dict[str, int] = {}
        # Callers in the order of their turns, each with those of its requests that wait.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    @property
    def held(self) -> int:
        """How many slots are taken."""
        return sum(self._held.values())

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold a slot, once it is this caller's turn.

        Raises:
            TooManyRequests: Too many are waiting already.
        """
        caller = CALLER.get()
        await self._take(caller)
        try:
            yield
        finally:
            self._give_back(caller)

    async def _take(self, caller: str) -> None:
        queue = self._waiting.get(caller, ())
        if caller and (len(queue) >= self.queue or self.waiting >= self.crowd):
            raise TooManyRequests(
                f"{len(queue) or self.waiting} requests are waiting already", hint="wait until some have their answers"
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(caller)
            else:
                self._leave(caller, turn)
            raise

    def _give_back(self, caller: str) -> None:
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._serve()

    def _leave(self, caller: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(caller)
        if queue and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[caller]

    def _serve(self) -> None:
        """Hand out what is free: to the caller whose turn it is, and who then goes to the end of the line."""
        while self.held < self.count:
            caller = next((name for name in self._waiting if self._held.get(name, 0) < self._share), None)
            if caller is None:
                return
            queue = self._waiting.pop(caller)
            turn = queue.popleft()
            if queue:
                self._waiting[caller] = queue
            if not turn.done():
                self._held[caller] = self._held.get(caller, 0) + 1
                turn.set_result(None)


async def run_some(calls: Iterable[Callable[[], Awaitable[T]]], most: int) -> list[T]:
    """Make all calls, some at a time; return what each of them returns, in their order.

    Args:
        calls: Where one raises, that is raised at once.
        most: How many go on at once.
    """
    turns = asyncio.Semaphore(most)

    async def make(call: Callable[[], Awaitable[T]]) -> T:
        async with turns:
            return await call()

    return list(await asyncio.gather(*map(make, calls)))
