"""The client that is awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tycho.client.base import Base, failures, read_reply
from tycho.client.progress import Progress
from tycho.client.requests import Lost, Pause, Reply, Request, Step, Steps, explain
from tycho.client.stream import HEARTBEAT, Watching

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")


class AsyncTychoClient(Base):
    """A Tycho API, awaited: `await AsyncTychoClient(url).start({...})`.

    Args:
        url: Where it answers.
        timeout: Seconds that one call may take; the service itself gives up before.
        token: Says who the caller is; by default it is looked for (`tycho.client.credentials`), and "" is none.
        ca_file: Certificates of the authorities that the service's may be of; TYCHO_CA_FILE, or the system's.
        plain_http: Let a token travel unencrypted to another machine, where the network itself is private.

    Raises:
        ClusterUnreachable: By any call: nothing answers there.
        WaitTimeout: By any call: the answer takes too long.
        UsageError: By any call: the address is none, or the token cannot be sent.

    In an `async with` block connections are kept; else each call has its own.
    """

    _kept: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        """Keep connections for the calls within."""
        self._kept = self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Let go of them."""
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of connections that were kept."""
        kept, self._kept = self._kept, None
        if kept:
            await kept.aclose()

    async def watch(self, id: str, *, after: str = "") -> AsyncIterator[Progress]:
        """Yield what happens to a system until it is ready or has failed; a connection that breaks is made anew.

        Args:
            id: Which system.
            after: `Progress.id` to go on behind; "" for the beginning of what the service tells.

        Raises:
            TychoError: What the service says, or that it says nothing any more.
        """
        watching = Watching(id, after)
        while True:
            async with self._streamed(watching.request()) as (refused, events):
                async for event in events:
                    if progress := watching.take(event):
                        yield progress
                pause = watching.judge(refused, self._describe_address(""))
            if watching.ended:
                return
            await asyncio.sleep(pause)

    async def run(self, steps: Steps[T]) -> T:
        """Do what a verb asks for, to its end."""
        given: Any = None
        while True:
            try:
                step = steps.send(given)
            except StopIteration as end:
                result: T = end.value
                return result
            given = await self._do(step)

    async def _do(self, step: Step) -> Any:
        if isinstance(step, Request):
            reply = await self._exchange(step, await self._token())
            if isinstance(reply, Reply) and self.again(reply):
                reply = await self._exchange(step, await self._token(refused=True))
            return reply
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        return await self._follow(step.id, step.tell)

    async def _follow(self, id: str, tell: Callable[[Progress], object]) -> Progress | None:
        progress = None
        async for progress in self.watch(id):
            reported = tell(progress)
            if inspect.isawaitable(reported):
                await reported
        return progress

    async def _exchange(self, request: Request, token: str) -> Reply | Lost:
        try:
            if self._kept:
                return read_reply(await self._kept.request(**self.call(request, token)))
            async with self._open() as client:
                return read_reply(await client.request(**self.call(request, token)))
        except failures() as error:
            return explain(error, self.url, request.path, self.timeout)

    @asynccontextmanager
    async def _streamed(
        self, request: Request
    ) -> AsyncIterator[tuple[Reply | Lost | None, AsyncIterator[httpx2.ServerSentEvent]]]:
        """Open a stream: its events, or what was answered instead."""
        import httpx2

        token = await self._token()
        timeout = httpx2.Timeout(HEARTBEAT)
        async with self._open() as client:
            try:
                sent = client.build_request(**self.call(request, token), timeout=timeout)
                response = await client.send(sent, stream=True)
            except failures() as error:
                yield explain(error, self.url, request.path, HEARTBEAT), _nothing()
                return
            try:
                if response.status_code == 200:
                    yield None, _read_events(response)
                else:
                    await response.aread()
                    yield await asyncio.to_thread(self.judge, read_reply(response)), _nothing()
            finally:
                await response.aclose()

    async def _token(self, *, refused: bool = False) -> str:
        return await asyncio.to_thread(self.find_token, refused=refused)  # it may have to be read, or asked for

    def _open(self) -> httpx2.AsyncClient:
        import httpx2

        return httpx2.AsyncClient(**self.connection())


async def _read_events(response: httpx2.Response) -> AsyncIterator[httpx2.ServerSentEvent]:
    """Yield events until the stream ends, or breaks."""
    import httpx2

    with suppress(httpx2.HTTPError):
        async for event in httpx2.EventSource(response):
            yield event


async def _nothing() -> AsyncIterator[httpx2.ServerSentEvent]:
    for event in tuple["httpx2.ServerSentEvent"]():
        yield event
