"""The client that is awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tycho.client.base import Base, failures, read_reply
from tycho.client.progress import Progress
from tycho.client.requests import Lost, Pause, Reply, Request, Step, Steps, explain, explain_break
from tycho.client.stream import HEARTBEAT, MOST, Following, Stream, Watching
from tycho.time_limit import step_time

if TYPE_CHECKING:
    import httpx2

    from tycho.wire import System

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
        async for progress in self._read(Watching(id, after)):
            yield progress

    async def follow(
        self,
        ids: Sequence[str] = (),
        *,
        name: str = "",
        username: str = "",
        labels: Mapping[str, str] | None = None,
        tries: int = MOST,
    ) -> AsyncIterator[Sequence[System]]:
        """Yield the systems that run, or those that fit, oldest first: at once, and each time that one has changed.

        A connection that breaks is made anew, and then all systems are told again: nothing is missed.

        Args:
            ids: These systems, by any of their names; all when empty.
            name: Of all, only those of this project.
            username: Of all, only this user's.
            labels: Of all, only those of which a service has these labels.
            tries: How many connections in a row may bring nothing before this raises.

        Raises:
            NotFound: One of the ids fits nothing, or what it named is gone.
            NotSupported: The service is older than these events.
            TychoError: What the service says, or that it says nothing any more.
        """
        async for systems in self._read(Following(ids, name=name, username=username, labels=labels, most=tries)):
            yield systems

    async def _read(self, stream: Stream[T]) -> AsyncIterator[T]:
        """Yield what a stream tells, over as many connections as it takes."""
        while True:
            async with self._streamed(stream.request()) as (refused, events):
                lost = refused
                try:
                    async for event in events:
                        if (report := stream.take(event)) is not None:
                            yield report
                except failures() as error:
                    lost = explain_break(error, self.url)
                pause = stream.judge(lost, self._describe_address(""))
            if stream.ended:
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
        seconds = step_time(self.timeout)
        try:
            async with asyncio.timeout(seconds):
                if self._kept:
                    return read_reply(await self._kept.request(**self.call(request, token, seconds)))
                async with self._open() as client:
                    return read_reply(await client.request(**self.call(request, token, seconds)))
        except failures() as error:
            return explain(error, self.url, request.path, seconds)

    @asynccontextmanager
    async def _streamed(
        self, request: Request
    ) -> AsyncIterator[tuple[Reply | Lost | None, AsyncIterator[httpx2.ServerSentEvent]]]:
        """Open a stream: its events, or what was answered instead."""
        import httpx2

        token, seconds = await self._token(), step_time(HEARTBEAT)
        async with self._open() as client:
            try:
                sent = client.build_request(**self.call(request, token, HEARTBEAT))
                async with asyncio.timeout(seconds):
                    response = await client.send(sent, stream=True)
                    if response.status_code != 200:
                        await response.aread()
            except failures() as error:
                yield explain(error, self.url, request.path, seconds), _nothing()
                return
            try:
                if response.status_code == 200:
                    yield None, aiter(httpx2.EventSource(response))
                else:
                    yield await asyncio.to_thread(self.judge, read_reply(response)), _nothing()
            finally:
                await response.aclose()

    async def _token(self, *, refused: bool = False) -> str:
        return await asyncio.to_thread(self.find_token, refused=refused)  # it may have to be read, or asked for

    def _open(self) -> httpx2.AsyncClient:
        import httpx2

        return httpx2.AsyncClient(**self.connection())


async def _nothing() -> AsyncIterator[httpx2.ServerSentEvent]:
    for event in tuple["httpx2.ServerSentEvent"]():
        yield event
