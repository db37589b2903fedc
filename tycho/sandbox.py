"""Compiles in a process apart: a document that exhausts its time or memory harms nobody else.

A few lines of compose can mean a million ports. Each document gets a process of its own, which the kernel limits, with
none of the caller's environment or connections. Most are compiled in an instant; one that is not is ended, and begins
again with more time among others of its kind, which step back behind all quicker ones: however many of those wait, the
quick ones pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from multiprocessing import Pipe
from threading import Lock, Thread
from typing import Any

from tycho.compiler import READY, TRIES, Job, Rules, Slow, stopped
from tycho.errors import TychoError, WaitTimeout
from tycho.lifecycle import Compiled, Lifecycle, Metadata
from tycho.slots import Slots

SECONDS = 20
MEMORY = 1024**3
MAIN = "from tycho.compiler import main; main()"
NO_FILES: Mapping[str, tuple[bytes, bool]] = {}
START = 60  # seconds that a worker has to import what it needs


class Sandbox:
    """Compiles for a lifecycle, apart from it.

    Args:
        lifecycle: Whose orchestrator and policies count.
        seconds: What one document may take.
        memory: What it may take, in bytes.
    """

    def __init__(self, lifecycle: Lifecycle, *, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        self.seconds = seconds
        target, policies, urls = lifecycle.target, lifecycle.policies, lifecycle.urls
        self._rules = Rules(seconds, memory, type(lifecycle.orchestrator), target, policies, urls)
        processors = os.cpu_count() or 1
        self.lanes = [Slots(processors + 1) for _ in TRIES]
        self.worker: Worker | None = None

    async def compile(
        self,
        document: Mapping[str, Any],
        env: Mapping[str, str],
        metadata: Metadata,
        files: Mapping[str, tuple[bytes, bool]] = NO_FILES,
    ) -> Compiled:
        """The chart of a document: no disk, and no files and variables but these.

        Args:
            document: The compose document.
            env: All the variables there are.
            metadata: What the caller says of single services.
            files: Of each relative path the content, and whether it is a program.

        Raises:
            ComposeError: With every problem of it, or because it would take too much.
            WaitTimeout: It takes too long.
            TooManyRequests: Too many documents of this caller wait already.
        """
        request = pickle.dumps((document, env, metadata, files))
        answer: Compiled | TychoError | Slow = Slow()
        for tries, lane in enumerate(self.lanes):
            async with lane.hold():
                answer = await self._ask(request, tries)
            if not isinstance(answer, Slow):
                break
        if isinstance(answer, Exception):
            raise answer
        return answer

    def warm(self) -> None:
        """Begin a worker, for the first document not to wait for it."""
        if self.worker and self.worker.dead:
            self.worker.end()  # nobody else has seen its process to its end
            self.worker = None
        if self.worker is None:
            self.worker = Worker(self._rules)

    def close(self) -> None:
        """End the worker, and what it compiles."""
        if self.worker:
            self.worker.end()
            self.worker = None

    async def _ask(self, request: bytes, tries: int) -> Compiled | TychoError | Slow:
        """Have a document compiled; a worker that has died meanwhile is replaced once."""
        for _ in range(2):
            self.warm()
            worker = self.worker
            if worker is None:  # closed
                break
            try:
                await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(worker.ready)), START)
                job, answer = worker.begin(request, tries)
                try:
                    return await asyncio.wait_for(asyncio.wrap_future(answer), self.seconds)
                except TimeoutError:
                    worker.stop(job)
                    return WaitTimeout(f"compiling it takes longer than {self.seconds} s")
                except asyncio.CancelledError:
                    worker.stop(job)
                    raise
            except (OSError, EOFError, TimeoutError):
                worker.end()
        return stopped()


class Worker:
    """A process that waits for documents, and forks for each.

    Args:
        rules: What it shall know beforehand.
    """

    def __init__(self, rules: Rules) -> None:
        self.link, theirs = Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-uP", "-c", MAIN, str(theirs.fileno()), str(os.getpid())],
            env={"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a policy prints is for the log
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self.ready: Future[Any] = Future()
        self.dead = False
        self._numbers = itertools.count(READY + 1)
        self._asked: dict[int, Future[Any]] = {READY: self.ready}
        self._lock = Lock()
        self.link.send_bytes(pickle.dumps(rules))
        self._reader = Thread(target=self._read, name="tycho-compiler", daemon=True)
        self._reader.start()

    def begin(self, request: bytes, tries: int) -> tuple[int, Future[Any]]:
        """Have a document compiled.

        Returns:
            The job's number, and what its answer will be: a chart, an error, or that it is slow.

        Raises:
            OSError: The worker has died.
        """
        number, answer = next(self._numbers), Future[Any]()
        with self._lock:
            if self.dead:
                raise BrokenPipeError
            self._asked[number] = answer
        self.link.send(Job(number, request, tries))
        return number, answer

    def stop(self, number: int) -> None:
        """End what compiles a document."""
        with contextlib.suppress(OSError):
            self.link.send(Job(number))

    def end(self) -> None:
        """End the worker; what it has forked ends with it."""
        self.dead = True
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        """Hand out the answers, until the worker has died."""
        try:
            while True:
                number, answer = self.link.recv()
                with self._lock:
                    future = self._asked.pop(number)
                if future.set_running_or_notify_cancel():
                    future.set_result(pickle.loads(answer) if answer else None)  # noqa: S301 - our own process's
        except (OSError, EOFError):
            pass
        with self._lock:
            self.dead = True
            left = list(self._asked.values())
        for future in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(EOFError())
        self.link.close()
