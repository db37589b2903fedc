"""The log of one container, read as it is written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

from tycho.errors import OrchestratorError
from tycho.kube.client import KubeClient


class LogReader:
    """Reads one container's log in a thread of its own: reading blocks for as long as the container is silent.

    Args:
        api: The cluster.
        path: Of the log.
        query: What of it.
        prefix: What to write before each line.
        queue: Where lines go; None at the end.
    """

    def __init__(
        self, api: KubeClient, path: str, query: dict[str, Any], prefix: str, queue: asyncio.Queue[str | None]
    ) -> None:
        self._open: Callable[[], Any] = lambda: api.stream(path, **query)
        self._prefix, self._queue = prefix, queue
        self._loop = asyncio.get_running_loop()
        self._ended = Event()
        self._response: Any = None
        Thread(target=self._run, name=f"tycho-log-{path}", daemon=True).start()

    def end(self) -> None:
        """Read no more, even where nothing comes."""
        self._ended.set()
        if self._response is not None:
            with contextlib.suppress(Exception):  # it may be at its end already
                self._response.shutdown()

    def _run(self) -> None:
        try:
            for line in self._lines():
                self._put(self._prefix + line)
        except OrchestratorError as error:
            self._put(f"{self._prefix}({error.message})")
        finally:
            self._put(None)

    def _lines(self) -> Iterator[str]:
        from urllib3.exceptions import HTTPError

        self._response = self._open()
        buffer = b""
        with contextlib.closing(self._response), contextlib.suppress(HTTPError, OSError):  # the connection has ended
            while not self._ended.is_set() and (chunk := self._response.read1(65536)):
                *whole, buffer = (buffer + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
        if buffer:
            yield buffer.decode(errors="replace")

    def _put(self, line: str | None) -> None:
        if self._ended.is_set():
            return
        with contextlib.suppress(RuntimeError):  # whoever asked is gone, and its loop with it
            future = asyncio.run_coroutine_threadsafe(self._queue.put(line), self._loop)
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    future.result(1)
                    return
            future.cancel()
