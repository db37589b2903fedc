"""Running helm: no shell, a process group of its own, limits on all that it takes, and no secret in its arguments.

A helm that only reads ends at once with the request that asked for it. One that writes is waited for: cut in the
middle, it would leave a release that somebody has to repair.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import resource
import signal
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from tycho.errors import FileError, OrchestratorError, WaitTimeout
from tycho.orchestrators import Target
from tycho.orchestrators.helm.errors import parse_helm_error
from tycho.orchestrators.helm.helm_program import program
from tycho.orchestrators.helm.leash import make_leash
from tycho.programs import ask_to_end, kill_group, write_input
from tycho.settings import environment
from tycho.slots import Slots
from tycho.text import safe_message
from tycho.time_limit import time_left
from tycho.workspace import temporary

MAX_OUTPUT = 64 * 1024 * 1024
SLOTS = 4
# A chart of 500 services takes 190 MiB of writable memory and 4 s of processor time to render.
MEMORY = 1024**3
# Of the chart's archive and its values together, in bytes: a helm that gets no more stays at about 100 MiB even when it
# seldom collects its garbage, which spares it a tenth of its processor time. Larger ones would take up to 400 MiB more.
SMALL = 32 * 1024
SELDOM = "400"  # percent that its memory grows by between collections; Go's own is 100
PROCESSOR = 90  # seconds
TICKS = 0.5  # seconds by which the kernel is wrong: it counts ticks for the limit, and more exactly what was used
WRITING = 30.0  # seconds that a helm which writes may go on for when nobody wants it any more
ENDING = 5.0  # seconds that helm has to end by itself when its own limit has struck
GRACE = 5.0  # seconds that helm has to mark its release as failed before it is killed
WRITES = ("install", "upgrade", "rollback", "uninstall")
TRY_AGAIN = "try again; this machine may have too little memory"
SMALLER = "split the system, or mount fewer and smaller files"
# How Go programs end under a limit on memory: the words differ with what they asked for when there was none left.
OUT_OF_MEMORY = re.compile(
    r"^(?:fatal error|runtime(?:/\w+)?): .*"
    r"(?:out of memory|allocate|failed to reserve|create new OS|_create failed)",
    re.MULTILINE,
)
CRASHED = re.compile(r"^(?:fatal error|panic): .*", re.MULTILINE)
log = logging.getLogger("tycho.helm")

# What helm and the credential helpers of a kubeconfig need of the caller's environment.
PASSED = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|SSL_CERT_.*|(?i:https?_proxy|no_proxy|all_proxy)|KUBECONFIG|KUBERNETES_.*"
    r"|AWS_.*|GOOGLE_.*|CLOUDSDK_.*|AZURE_.*|DOCKER_CONFIG|HELM_REGISTRY_CONFIG|XDG_.*"
)


class Helm:
    """The helm program, pointed at one cluster.

    Args:
        target: Kubeconfig and context.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.slots = Slots(SLOTS)
        self._home: Path | None = None
        self._folders = contextlib.ExitStack()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 300.0) -> bytes:
        """Run helm, and return its standard output; see `both`."""
        return (await self.both(argv, input=input, timeout=timeout))[0].encode()

    async def both(self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 300.0) -> tuple[str, str]:
        """Run helm to its end; a cancelled run ends helm, too, unless it writes and is done soon.

        Args:
            argv: Its arguments, without a secret in them.
            input: Its standard input; closed when None.
            timeout: Seconds it may take; less where the verb has less left.

        Returns:
            Its standard output and standard error.

        Raises:
            OrchestratorError: What helm said, in our terms; or it reached a limit.
            WaitTimeout: It took too long, and was ended.
            ToolMissing: There is no helm, or it is too old.
        """
        words = [*make_leash(), str(await program()), *argv]
        if self.target.context:
            words += ["--kube-context", self.target.context]
        async with self.slots.hold():
            timeout = min(timeout, time_left() + ENDING)
            log.debug("running %s", safe_message(" ".join(words)))
            used = _processor_time()
            writes = argv[0] in WRITES and not any(word.startswith("--dry-run") for word in argv)
            process = await self._start(words, input, small=_is_small(argv, input), writes=writes)
            _limit(process.pid)
            talking = asyncio.ensure_future(_talk(process, input))
            try:
                async with asyncio.timeout(timeout):
                    out, err = await asyncio.shield(talking)
            except TimeoutError:
                await self._await_end(_end(process, talking))
                raise WaitTimeout(f"helm {argv[0]} took longer than {timeout:g} s, and was ended") from None
            except asyncio.CancelledError:
                await self._await_end(_let_go(process, talking, writes=writes))
                raise
            except BaseException:
                await self._await_end(_end(process, talking))
                raise
        texts = out.decode(errors="replace"), err.decode(errors="replace")
        if process.returncode:
            raise _failed(process.returncode, _processor_time() - used, texts, argv[0])
        return texts

    async def _start(
        self, words: Sequence[str], input: bytes | None, *, small: bool, writes: bool
    ) -> asyncio.subprocess.Process:
        """Start helm; who cancels this meets a program that runs already, and asyncio would kill it."""
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env() | ({"GOGC": SELDOM} if small else {}),
                start_new_session=True,
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:

            async def let_go() -> None:
                process = await starting
                _limit(process.pid)
                await _let_go(process, asyncio.ensure_future(_talk(process, input)), writes=writes)

            await self._await_end(let_go())
            raise

    async def settle(self) -> None:
        """Wait for what is being ended."""
        while self._ending:
            await asyncio.wait(self._ending)

    def close(self) -> None:
        """Remove helm's private folders."""
        self._folders.close()
        self._home = None

    async def _await_end(self, ending: Coroutine[Any, Any, None]) -> None:
        """See a process to its end; asked a second time, it ends at once."""
        task = asyncio.ensure_future(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            raise

    def _env(self) -> dict[str, str]:
        if self._home is None:
            with contextlib.suppress(FileError):  # a full disk keeps nobody from removing or going back
                self._home = self._folders.enter_context(temporary("helm"))
        variables, home = environment(), self._home or os.devnull
        env = {key: value for key, value in variables.items() if PASSED.fullmatch(key)}
        env |= {
            "HELM_CACHE_HOME": f"{home}/cache",
            "HELM_DATA_HOME": f"{home}/data",
            "HELM_CONFIG_HOME": f"{home}/config",
            "HELM_PLUGINS": f"{home}/plugins",
            "TMPDIR": str(home),  # what helm leaves there when it is killed goes with the rest
            "GOMEMLIMIT": str(MEMORY * 3 // 4),  # before it fails, it collects its garbage more often
        }
        env.setdefault("HELM_REGISTRY_CONFIG", _registry_config(variables))
        if self.target.kubeconfig:  # may be several files, which the option of that name cannot take
            env["KUBECONFIG"] = self.target.kubeconfig
        return env


def _is_small(argv: Sequence[str], input: bytes | None) -> bool:
    """Tell whether helm makes something of a small chart alone; an upgrade reads the revisions before, too."""
    if argv[0] not in ("template", "install"):
        return False
    charts = [Path(word) for word in argv if word.endswith(".tgz")]
    return sum((path.stat().st_size for path in charts if path.is_file()), len(input or b"")) <= SMALL


async def _talk(process: asyncio.subprocess.Process, input: bytes | None) -> tuple[bytes, bytes]:
    """What a process says on both its streams, once it has ended."""
    out, err, _, _ = await asyncio.gather(
        _read(process.stdout), _read(process.stderr), write_input(process.stdin, input), process.wait()
    )
    return out, err


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    content = bytearray()
    while stream and (part := await stream.read(65536)):
        content += part
        if len(content) > MAX_OUTPUT:
            raise OrchestratorError(f"helm wrote more than {MAX_OUTPUT // 2**20} MiB, and was ended", hint=SMALLER)
    return bytes(content)


async def _let_go(process: asyncio.subprocess.Process, talking: asyncio.Future[Any], *, writes: bool) -> None:
    """End a process that nobody wants any more; one that writes may come to its own end before."""
    try:
        if writes:
            log.info("waiting for helm to end what it has begun")
            await asyncio.wait({talking}, timeout=WRITING)
            if not talking.done():
                await _end(process, talking)
    finally:
        await _kill(process, talking)


async def _end(process: asyncio.subprocess.Process, talking: asyncio.Future[Any]) -> None:
    """End a process and all that it started: asked first, so that helm can mark its release, then killed."""
    try:
        await ask_to_end(process, GRACE)
    finally:
        await _kill(process, talking)


async def _kill(process: asyncio.subprocess.Process, talking: asyncio.Future[Any]) -> None:
    """End a process and all that it started at once."""
    kill_group(process)
    talking.cancel()
    await asyncio.gather(process.wait(), talking, return_exceptions=True)
    with contextlib.suppress(TimeoutError):  # something that left the group may hold the other end
        async with asyncio.timeout(1):
            await asyncio.gather(_drop(process.stdout), _drop(process.stderr))


async def _drop(stream: asyncio.StreamReader | None) -> None:
    """Read to the end what nobody wants, for the pipe to be closed."""
    while stream and await stream.read(65536):
        pass


def _limit(pid: int) -> None:
    """Limit what a process may take; those that it starts inherit that."""
    if not hasattr(resource, "prlimit"):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended already
        # Go reserves far more addresses than it uses; this limit is on what it may write to.
        resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.prlimit(pid, resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))


def _processor_time() -> float:
    """Seconds that the processes which this one has started, and which have ended, took together."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _failed(code: int, used: float, texts: tuple[str, str], verb: str) -> OrchestratorError:
    """What a helm that failed says; or which limit has ended it."""
    if OUT_OF_MEMORY.search(texts[1]):
        return OrchestratorError(f"helm {verb} takes more than {MEMORY >> 20} MiB of memory", hint=SMALLER)
    if code in (-signal.SIGKILL, -signal.SIGXCPU) and used >= PROCESSOR * 0.9 - TICKS:
        return OrchestratorError(f"helm {verb} takes more than {PROCESSOR} s of processor time", hint=SMALLER)
    if code < 0:
        return OrchestratorError(
            f"helm {verb} was ended from outside ({signal.strsignal(-code)})",
            hint=TRY_AGAIN,
        )
    if crash := CRASHED.search(texts[1]):  # what follows are the stacks of Go, which say nothing to its user
        return OrchestratorError(f"helm {verb} crashed ({safe_message(crash[0])})", hint=TRY_AGAIN)
    return parse_helm_error(texts[1] or texts[0], verb)


def _registry_config(env: Mapping[str, str]) -> str:
    """The caller's own registry logins: `helm registry login` wrote them."""
    base = env.get("XDG_CONFIG_HOME") or f"{env.get('HOME', '')}/.config"
    return env.get("HELM_CONFIG_HOME", f"{base}/helm") + "/registry/config.json"
