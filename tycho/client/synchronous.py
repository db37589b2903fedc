"""The client that waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from tycho.client.base import Base, failures, read_reply
from tycho.client.progress import Progress
from tycho.client.requests import Lost, Pause, Reply, Request, Step, Steps, explain, explain_break
from tycho.client.stream import HEARTBEAT, MOST, Following, Stream, Watching
from tycho.time_limit import step_time

if TYPE_CHECKING:
    import httpx2

    from tycho.wire import System

T = TypeVar("T")


class TychoClient(Base):
    """A Tycho API: `TychoClient(url).start({...})`.

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

    In a `with` block connections are kept; else each call has its own.
    """

    _kept: httpx2.Client | None = None

    def __enter__(self) -> Self:
        """Keep connections for the calls within."""
        self._kept = self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of them."""
        self.close()

    def close(self) -> None:
        """Let go of connections that were kept."""
        kept, self._kept = self._kept, None
        if kept:
            kept.close()

    def watch(self, id: str, *, after: str = "") -> Iterator[Progress]:
        """Yield what happens to a system until it is ready or has failed; a connection that breaks is made anew.

        Args:
            id: Which system.
            after: `Progress.id` to go on behind; "" for the beginning of what the service tells.

        Raises:
            TychoError: What the service says, or that it says nothing any more.
        """
        yield from self._read(Watching(id, after))

    def follow(
        self,
        ids: Sequence[str] = (),
        *,
        name: str = "",
        username: str = "",
        labels: Mapping[str, str] | None = None,
        tries: int = MOST,
    ) -> Iterator[Sequence[System]]:
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
        yield from self._read(Following(ids, name=name, username=username, labels=labels, most=tries))

    def _read(self, stream: Stream[T]) -> Iterator[T]:
        """Yield what a stream tells, over as many connections as it takes."""
        while True:
            with self._streamed(stream.request()) as (refused, events):
                lost = refused
                try:
                    for event in events:
                        if (report := stream.take(event)) is not None:
                            yield report
                except failures() as error:
                    lost = explain_break(error, self.url)
                pause = stream.judge(lost, self._describe_address(""))
            if stream.ended:
                return
            time.sleep(pause)

    def run(self, steps: Steps[T]) -> T:
        """Do what a verb asks for, to its end."""
        given: Any = None
        while True:
            try:
                step = steps.send(given)
            except StopIteration as end:
                result: T = end.value
                return result
            given = self._do(step)

    def _do(self, step: Step) -> Any:
        if isinstance(step, Request):
            reply = self._exchange(step, self.find_token())
            if isinstance(reply, Reply) and self.again(reply):
                reply = self._exchange(step, self.find_token(refused=True))
            return reply
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        return self._follow(step.id, step.tell)

    def _follow(self, id: str, tell: Callable[[Progress], object]) -> Progress | None:
        progress = None
        for progress in self.watch(id):
            tell(progress)
        return progress

    def _exchange(self, request: Request, token: str) -> Reply | Lost:
        seconds = step_time(self.timeout)
        call, client = self.call(request, token, seconds), self._kept or self._open()
        try:
            return within(seconds, lambda: read_reply(client.request(**call)))
        except failures() as error:
            if isinstance(error, TimeoutError) and client is self._kept:  # its thread has that connection still
                self._kept = self._open()
            return explain(error, self.url, request.path, seconds)
        finally:
            if client is not self._kept:
                client.close()

    @contextmanager
    def _streamed(self, request: Request) -> Iterator[tuple[Reply | Lost | None, Iterator[httpx2.ServerSentEvent]]]:
        """Open a stream: its events, or what was answered instead."""
        import httpx2

        token, seconds = self.find_token(), step_time(HEARTBEAT)
        with self._open() as client:

            def begin() -> httpx2.Response:
                response = client.send(sent, stream=True)
                if response.status_code != 200:
                    response.read()
                return response

            try:
                sent = client.build_request(**self.call(request, token, HEARTBEAT))
                response = within(seconds, begin)
            except failures() as error:
                yield explain(error, self.url, request.path, seconds), iter(())
                return
            try:
                if response.status_code == 200:
                    yield None, iter(httpx2.EventSource(response))
                else:
                    yield self.judge(read_reply(response)), iter(())
            finally:
                response.close()

    def _open(self) -> httpx2.Client:
        import httpx2

        return httpx2.Client(**self.connection())


def within(seconds: float, call: Callable[[], T]) -> T:
    """Call something that blocks, in a thread of its own, and wait for it no longer than that.

    Bytes that come one by one keep a connection alive for ever, and the HTTP library times each of them alone.

    Raises:
        TimeoutError: It has not ended by then; its thread is left to itself.
    """
    ended: Queue[tuple[T | None, BaseException | None]] = Queue(1)

    def run() -> None:
        try:
            ended.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            ended.put((None, error))

    Thread(target=run, name="tycho-request", daemon=True).start()
    try:
        result, error = ended.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error:
        raise error
    return cast("T", result)
