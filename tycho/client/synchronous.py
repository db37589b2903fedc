"""The client that waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tycho.client.base import Base, failures, read_reply
from tycho.client.progress import Progress
from tycho.client.requests import Lost, Pause, Reply, Request, Step, Steps, explain
from tycho.client.stream import HEARTBEAT, Watching

if TYPE_CHECKING:
    import httpx2

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
        watching = Watching(id, after)
        while True:
            with self._streamed(watching.request()) as (refused, events):
                for event in events:
                    if progress := watching.take(event):
                        yield progress
                pause = watching.judge(refused, self._describe_address(""))
            if watching.ended:
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
        try:
            if self._kept:
                return read_reply(self._kept.request(**self.call(request, token)))
            with self._open() as client:
                return read_reply(client.request(**self.call(request, token)))
        except failures() as error:
            return explain(error, self.url, request.path, self.timeout)

    @contextmanager
    def _streamed(self, request: Request) -> Iterator[tuple[Reply | Lost | None, Iterator[httpx2.ServerSentEvent]]]:
        """Open a stream: its events, or what was answered instead."""
        import httpx2

        token = self.find_token()
        timeout = httpx2.Timeout(HEARTBEAT)
        with self._open() as client:
            try:
                sent = client.build_request(**self.call(request, token), timeout=timeout)
                response = client.send(sent, stream=True)
            except failures() as error:
                yield explain(error, self.url, request.path, HEARTBEAT), iter(())
                return
            try:
                if response.status_code == 200:
                    yield None, _read_events(response)
                else:
                    response.read()
                    yield self.judge(read_reply(response)), iter(())
            finally:
                response.close()

    def _open(self) -> httpx2.Client:
        import httpx2

        return httpx2.Client(**self.connection())


def _read_events(response: httpx2.Response) -> Iterator[httpx2.ServerSentEvent]:
    """Yield events until the stream ends, or breaks."""
    import httpx2

    with suppress(httpx2.HTTPError):
        yield from httpx2.EventSource(response)
