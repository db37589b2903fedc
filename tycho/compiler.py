"""The process that compiles for a service: it has all imported, and forks for each document.

    service -> (number, tries, document) -> worker -> fork -> answer -> worker -> (number, answer) -> service

Whoever kills the service kills the worker, and whoever kills the worker kills what it has forked.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import resource
import signal
import sys
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tycho.compilation import Compilation
from tycho.compose import Sources
from tycho.errors import ComposeError, TychoError

if TYPE_CHECKING:
    Link = Connection[Any, Any]

# Each try of a document: seconds of processor time that it may take, None for all there are, and how far it steps back
# behind the tries before it.
TRIES: tuple[tuple[float | None, int], ...] = ((0.08, 0), (0.25, 5), (None, 15))
READY = 0  # the number of the worker's first message
MUCH = "compiling it takes more than a request may have"
ODD: dict[type[Exception], str] = {
    MemoryError: MUCH,
    RecursionError: "it is nested too deeply",
    UnicodeError: "it holds text that is not Unicode",
}
SMALLEST = {"name": "warm", "services": {"web": {"image": "web", "ports": ["80"]}}}


class Rules(Struct, frozen=True):
    """What a worker knows before it reads a document.

    Args:
        seconds: Processor time that one document may take.
        memory: What it may take, in bytes.
        orchestrator: Class of the orchestrator, for whose charts it compiles.
        target: Where that acts.
        policies: Folders of policies.
        urls: What the operator says of URLs; None for no URLs.
    """

    seconds: int
    memory: int
    orchestrator: Any
    target: Any
    policies: Any
    urls: Any = None


class Job(Struct, frozen=True):
    """One document; without a request it is to be stopped.

    Args:
        number: Names it.
        request: Document, environment, metadata and files, pickled.
        tries: How often it was tried before.
    """

    number: int
    request: bytes = b""
    tries: int = 0


class Slow(Exception):
    """A document has used up the time of this try."""


def stopped() -> TychoError:
    """Make the error for a compiler that ended without an answer."""
    return TychoError("the compiler stopped unexpectedly", hint="read the service's log")


def main() -> None:
    """Be a worker; rules and documents come through the file descriptor that is named."""
    _end_with(int(sys.argv[2]))
    link: Link = Connection(int(sys.argv[1]))
    rules: Rules = pickle.loads(link.recv_bytes())  # noqa: S301 - the service's
    compiler = rules.orchestrator(rules.target)
    Compilation(compiler).compile(Sources.from_document(SMALLEST, env={}))
    compilation = Compilation(compiler, policies=rules.policies, urls=rules.urls)
    link.send((READY, b""))
    running: dict[Link, tuple[int, int]] = {}
    with contextlib.suppress(EOFError):
        while True:
            for ready in wait([link, *running]):
                if ready is link:
                    _begin(link, running, link.recv(), compilation, rules)
                elif isinstance(ready, Connection):  # never anything else
                    number, pid = running.pop(ready)
                    link.send((number, _collect(ready, pid)))


def _begin(link: Link, running: dict[Link, tuple[int, int]], job: Job, compilation: Compilation, rules: Rules) -> None:
    """Fork for a document, or end what was forked for it."""
    if not job.request:
        for number, pid in running.values():
            if number == job.number:
                os.kill(pid, signal.SIGKILL)  # it was not waited for yet: nobody else can have its number
        return
    ours, theirs = Pipe(duplex=False)
    worker = os.getpid()
    if pid := os.fork():
        theirs.close()
        running[ours] = job.number, pid
        return
    try:
        _end_with(worker)
        for connection in (link, ours, *running):
            connection.close()
        resource.setrlimit(resource.RLIMIT_AS, (rules.memory, rules.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (rules.seconds + 1, rules.seconds + 1))  # should nobody watch
        quick, back = TRIES[job.tries]
        os.nice(back)
        if quick:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, quick)  # the kernel ends it then
        theirs.send_bytes(_answer(compilation, job.request))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever a policy raises, be it SystemExit
        traceback.print_exc()
        os._exit(1)


def _collect(answers: Link, pid: int) -> bytes:
    """Read what a document's process answered, or make the answer of how that has ended."""
    answer = b""
    with contextlib.suppress(EOFError, OSError), answers:
        answer = answers.recv_bytes()
    _, status = os.waitpid(pid, 0)
    if answer:
        return answer
    if os.WIFSIGNALED(status):
        return pickle.dumps(Slow() if os.WTERMSIG(status) == signal.SIGPROF else ComposeError(MUCH))
    return pickle.dumps(stopped())


def _answer(compilation: Compilation, request: bytes) -> bytes:
    document, env, metadata, files = pickle.loads(request)  # noqa: S301 - the service's
    try:
        sources = Sources.from_document(
            document,
            env=env,
            files={path: content for path, (content, _) in files.items()},
            executable=[path for path, (_, executable) in files.items() if executable],
        )
        return pickle.dumps(compilation.compile(sources, metadata=metadata))
    except TychoError as error:
        return pickle.dumps(error)
    except tuple(ODD) as error:
        return pickle.dumps(ComposeError(next(message for kind, message in ODD.items() if isinstance(error, kind))))


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, where it can do that."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it was too late
        os._exit(1)
