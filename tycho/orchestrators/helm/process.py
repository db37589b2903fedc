"""Running helm: no shell, a process group of its own, a limit on time and output, and no secret in its arguments."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence

from tycho.errors import Deadline, OrchestratorError
from tycho.orchestrators import Target
from tycho.orchestrators.helm.errors import told
from tycho.orchestrators.helm.program import program
from tycho.settings import environment
from tycho.text import safe_message

MAX_OUTPUT = 64 * 1024 * 1024
GRACE = 10.0  # seconds that helm has to mark its release as failed before it is killed
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
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._slots = asyncio.Semaphore(4)

    async def run(self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 300.0) -> bytes:
        """Run helm, and return its standard output; see `both`."""
        return (await self.both(argv, input=input, timeout=timeout))[0].encode()

    async def both(self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 300.0) -> tuple[str, str]:
        """Run helm to its end; a cancelled run ends helm, too.

        Args:
            argv: Its arguments, without a secret in them.
            input: Its standard input; closed when None.
            timeout: Seconds it may take.

        Returns:
            Its standard output and standard error.

        Raises:
            OrchestratorError: What helm said, in our terms; or it said more than 64 MiB.
            Deadline: It took too long, and was ended.
            ToolMissing: There is no helm, or it is too old.
        """
        words = [*_leash(), str(await program()), *argv]
        if self.target.context:
            words += ["--kube-context", self.target.context]
        async with self._slots:
            log.debug("running %s", safe_message(" ".join(words)))
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env(),
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(timeout):
                    out, err = await _talk(process, input)
            except TimeoutError:
                await _end(process)
                raise Deadline(f"helm {argv[0]} took longer than {timeout:g} s, and was ended") from None
            except BaseException:
                await asyncio.shield(_end(process))
                raise
        texts = out.decode(errors="replace"), err.decode(errors="replace")
        if process.returncode:
            raise told(texts[1] or texts[0], argv[0])
        return texts

    def close(self) -> None:
        """Remove helm's private folders."""
        if self._home:
            self._home.cleanup()
            self._home = None

    def _env(self) -> dict[str, str]:
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix="tycho-helm-")
        said = environment()
        env = {key: value for key, value in said.items() if PASSED.fullmatch(key)}
        home = self._home.name
        env |= {
            "HELM_CACHE_HOME": f"{home}/cache",
            "HELM_DATA_HOME": f"{home}/data",
            "HELM_CONFIG_HOME": f"{home}/config",
            "HELM_PLUGINS": f"{home}/plugins",
        }
        env.setdefault("HELM_REGISTRY_CONFIG", _registry_config(said))
        if self.target.kubeconfig:  # may be several files, which the option of that name cannot take
            env["KUBECONFIG"] = self.target.kubeconfig
        return env


async def _talk(process: asyncio.subprocess.Process, input: bytes | None) -> tuple[bytes, bytes]:
    """What a process says on both its streams, once it has ended."""
    out, err, _, _ = await asyncio.gather(
        _read(process.stdout), _read(process.stderr), _write(process.stdin, input), process.wait()
    )
    return out, err


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    found = bytearray()
    while stream and (part := await stream.read(65536)):
        found += part
        if len(found) > MAX_OUTPUT:
            raise OrchestratorError(f"helm said more than {MAX_OUTPUT // 2**20} MiB, and was ended")
    return bytes(found)


async def _write(stream: asyncio.StreamWriter | None, data: bytes | None) -> None:
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # helm may end before it has read all
        stream.write(data or b"")
        await stream.drain()
    stream.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started: asked first, so that helm can mark its release, then killed."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await process.wait()
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _leash() -> list[str]:
    """Who kills Tycho kills its helm, too, where the system offers that: nobody else would know of it."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "KILL", "--"] if found else []


def _registry_config(env: Mapping[str, str]) -> str:
    """The caller's own registry logins: `helm registry login` wrote them."""
    base = env.get("XDG_CONFIG_HOME") or f"{env.get('HOME', '')}/.config"
    return env.get("HELM_CONFIG_HOME", f"{base}/helm") + "/registry/config.json"
