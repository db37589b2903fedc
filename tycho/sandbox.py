"""Compiles in a process apart: a document that exhausts its time or memory harms nobody else.

A few lines of compose can mean a million ports. Each document gets a process of its own, which the kernel limits, with
none of the caller's environment or connections; one is always kept ready, its imports done.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any

from tycho.compose import Sources
from tycho.errors import ComposeError, Deadline, TychoError
from tycho.lifecycle import Compiled, Lifecycle, Metadata

SECONDS = 20
MEMORY = 1024**3
TOO_MUCH: dict[type[Exception], str] = {
    MemoryError: "compiling it takes more than a request may have",
    RecursionError: "it is nested too deeply",
    UnicodeError: "it holds text that is not Unicode",
}


class Sandbox:
    """Compiles for a lifecycle, apart from it.

    Args:
        lifecycle: Whose orchestrator and policies count.
        seconds: What one document may take.
        memory: What it may take, in bytes.
    """

    def __init__(self, lifecycle: Lifecycle, *, seconds: int = SECONDS, memory: int = MEMORY) -> None:
        self.seconds = seconds
        self.memory = memory
        self._whose = (type(lifecycle.orchestrator), lifecycle.target, lifecycle.policies)
        self._slots = asyncio.Semaphore(os.cpu_count() or 1)
        self._ready: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    async def compile(self, document: Mapping[str, Any], env: Mapping[str, str], metadata: Metadata) -> Compiled:
        """The chart of a document: no disk, and no variables but these.

        Raises:
            ComposeError: With every problem of it, or because it would take too much.
            Deadline: It takes too long.
        """
        request = pickle.dumps((self.seconds, self.memory, *self._whose, document, env, metadata))
        async with self._slots:
            found = await asyncio.to_thread(self._run, request)
        if isinstance(found, TychoError):
            raise found
        return found

    def warm(self) -> None:
        """Begin a process for the next document."""
        command = [sys.executable, "-P", "-m", __name__]
        env = {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        pipe = subprocess.PIPE
        self._ready.put(subprocess.Popen(command, stdin=pipe, stdout=pipe, env=env, start_new_session=True))

    def close(self) -> None:
        """End the process that waits."""
        while not self._ready.empty():
            with self._ready.get() as process:
                process.kill()

    def _run(self, request: bytes) -> Compiled | TychoError:
        with self._next() as process:
            try:
                answer, _ = process.communicate(request, timeout=self.seconds)
            except subprocess.TimeoutExpired:
                return Deadline(f"compiling it takes longer than {self.seconds} s")
            finally:
                process.kill()
        if process.returncode < 0:
            return ComposeError(TOO_MUCH[MemoryError])
        if process.returncode:
            return TychoError("the compiler stopped unexpectedly", hint="the service's log says more")
        found: Compiled | TychoError = pickle.loads(answer)  # noqa: S301 - our own process wrote it
        return found

    def _next(self) -> subprocess.Popen[bytes]:
        try:
            process = self._ready.get_nowait()
        except Empty:
            self.warm()
            process = self._ready.get()
        self.warm()
        return process


def main() -> None:
    """Compile the document on standard input, within limits that the kernel keeps."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a policy prints is no answer
    request = pickle.load(sys.stdin.buffer)  # noqa: S301 - the service wrote it
    seconds, memory, orchestrator, target, policies, document, env, metadata = request
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        lifecycle = Lifecycle(orchestrator(target), target, policies=policies)
        found = pickle.dumps(lifecycle.compile(Sources.from_document(document, env=env), metadata=metadata))
    except TychoError as error:
        found = pickle.dumps(error)
    except tuple(TOO_MUCH) as error:
        said = next(said for kind, said in TOO_MUCH.items() if isinstance(error, kind))
        found = pickle.dumps(ComposeError(said))
    answer.write(found)
    answer.close()


if __name__ == "__main__":
    main()
