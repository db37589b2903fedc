"""Compiles in a process apart: a document that exhausts its time or memory harms nobody else.

A few lines of compose can mean a million ports. Each document gets a process of its own, which the kernel limits, with
none of the caller's environment or connections. It is forked from a worker that has all imported, and begins at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from tycho.compose import Sources
from tycho.errors import ComposeError, Deadline, TychoError
from tycho.lifecycle import Compiled, Lifecycle, Metadata

SECONDS = 20
MEMORY = 1024**3
READY = b"ready"
MUCH = "compiling it takes more than a request may have"
ODD: dict[type[Exception], str] = {
    MemoryError: MUCH,
    RecursionError: "it is nested too deeply",
    UnicodeError: "it holds text that is not Unicode",
}
SMALLEST = {"name": "warm", "services": {"web": {"image": "web", "ports": ["80"]}}}


class Sandbox:
    """Compiles for a lifecycle, apart from it.

    Args:
        lifecycle: Whose orchestrator and policies count.
        seconds: What one document may take.
        memory: What it may take, in bytes.
    """

    def __init__(self, lifecycle: Lifecycle, *, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        self.seconds = seconds
        self._rules = pickle.dumps(
            (seconds, memory, type(lifecycle.orchestrator), lifecycle.target, lifecycle.policies)
        )
        self._slots = asyncio.Semaphore(os.cpu_count() or 1)
        self._idle: SimpleQueue[Worker] = SimpleQueue()

    async def compile(self, document: Mapping[str, Any], env: Mapping[str, str], metadata: Metadata) -> Compiled:
        """The chart of a document: no disk, and no variables but these.

        Raises:
            ComposeError: With every problem of it, or because it would take too much.
            Deadline: It takes too long.
        """
        request = pickle.dumps((document, env, metadata))
        async with self._slots:
            found = await asyncio.to_thread(self._run, request)
        if isinstance(found, TychoError):
            raise found
        return found

    def warm(self) -> None:
        """Begin a worker, for the first document not to wait for it."""
        self._idle.put(Worker(self._rules))

    def close(self) -> None:
        """End the workers."""
        with contextlib.suppress(Empty):
            while True:
                self._idle.get_nowait().end()

    def _run(self, request: bytes) -> Compiled | TychoError:
        try:
            worker = self._idle.get_nowait()
        except Empty:
            worker = Worker(self._rules)
        try:
            found = worker.ask(request, self.seconds)
        except (OSError, EOFError):
            worker.end()
            return _stopped()
        if found is None:
            worker.end()
            return Deadline(f"compiling it takes longer than {self.seconds} s")
        self._idle.put(worker)
        return found


class Worker:
    """A process that waits for documents, and forks for each.

    Args:
        rules: What it shall know beforehand.
    """

    def __init__(self, rules: bytes) -> None:
        self.link, theirs = Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-uP", "-m", __name__, str(theirs.fileno())],
            env={"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a policy prints is for the log
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self.link.send_bytes(rules)
        self.ready = False

    def ask(self, request: bytes, seconds: int) -> Compiled | TychoError | None:
        """What became of a document; None when it took too long."""
        if not self.ready:
            self.ready = self.link.recv_bytes() == READY
        self.link.send_bytes(request)
        if not self.link.poll(seconds):
            return None
        found: Compiled | TychoError = pickle.loads(self.link.recv_bytes())  # noqa: S301 - our own process wrote it
        return found

    def end(self) -> None:
        """End it, and what it forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.link.close()


def main() -> None:
    """Be a worker: the rules, then document after document, come through the file descriptor that is named."""
    link: Connection[bytes, bytes] = Connection(int(sys.argv[1]))
    seconds, memory, orchestrator, target, policies = pickle.loads(link.recv_bytes())  # noqa: S301 - the service's
    Lifecycle(orchestrator(target), target).compile(Sources.from_document(SMALLEST, env={}))
    lifecycle = Lifecycle(orchestrator(target), target, policies=policies)
    link.send_bytes(READY)
    with contextlib.suppress(EOFError):
        while True:
            request = link.recv_bytes()
            if child := os.fork():
                _, ended = os.waitpid(child, 0)
                if ended:
                    link.send_bytes(pickle.dumps(ComposeError(MUCH) if os.WIFSIGNALED(ended) else _stopped()))
                continue
            try:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
                resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 1))  # should nobody watch
                link.send_bytes(_answer(lifecycle, request))
                os._exit(0)
            except BaseException:  # noqa: BLE001 - whatever a policy raises, be it SystemExit
                traceback.print_exc()
                os._exit(1)


def _stopped() -> TychoError:
    return TychoError("the compiler stopped unexpectedly", hint="the service's log says more")


def _answer(lifecycle: Lifecycle, request: bytes) -> bytes:
    document, env, metadata = pickle.loads(request)  # noqa: S301 - the service's
    try:
        return pickle.dumps(lifecycle.compile(Sources.from_document(document, env=env), metadata=metadata))
    except TychoError as error:
        return pickle.dumps(error)
    except tuple(ODD) as error:
        return pickle.dumps(ComposeError(next(said for kind, said in ODD.items() if isinstance(error, kind))))


if __name__ == "__main__":
    main()
