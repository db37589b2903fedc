"""Running helm: no shell, a process group of its own, a limit on time and output, and no secret in its arguments."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tycho.errors import Deadline, ToolMissing
from tycho.orchestrators import Target
from tycho.orchestrators.helm.errors import told
from tycho.settings import environment, settings

MINIMUM = (4, 2, 4)
WANTED = "4.3.1"
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
            OrchestratorError: What helm said, in our terms.
            Deadline: It took too long, and was ended.
            ToolMissing: There is no helm, or it is too old.
        """
        words = [str(await self.program()), *argv, *self._where()]
        async with self._slots:
            log.debug("running %s", " ".join(words))
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env(),
                start_new_session=True,
                limit=MAX_OUTPUT,
            )
            try:
                async with asyncio.timeout(timeout):
                    out, err = await process.communicate(input)
            except TimeoutError:
                await _end(process)
                raise Deadline(f"helm {argv[0]} took longer than {timeout:g} s, and was ended") from None
            except asyncio.CancelledError:
                await asyncio.shield(_end(process))
                raise
        texts = out.decode(errors="replace"), err.decode(errors="replace")
        if process.returncode:
            raise told(texts[1] or texts[0], argv[0])
        return texts

    async def program(self) -> Path:
        """Where helm is; its version is asked once, and remembered until the file changes.

        Raises:
            ToolMissing: With the command that installs it.
        """
        path = find()
        if path is None:
            raise ToolMissing("helm is not installed", hint=HOW)
        version = await _version(path)
        if version < MINIMUM:
            said = ".".join(map(str, version))
            raise ToolMissing(f"helm {said} at {path} is too old: {'.'.join(map(str, MINIMUM))} is needed", hint=HOW)
        return path

    async def version(self) -> str:
        """The program's version."""
        return ".".join(map(str, await _version(await self.program())))

    def close(self) -> None:
        """Remove helm's private folders."""
        if self._home:
            self._home.cleanup()
            self._home = None

    def _where(self) -> list[str]:
        words = []
        if self.target.kubeconfig:
            words += ["--kubeconfig", self.target.kubeconfig]
        if self.target.context:
            words += ["--kube-context", self.target.context]
        return words

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
        return env


HOW = (
    f"install helm {WANTED}: `tycho cluster create` brings one, or"
    f" `go install helm.sh/helm/v4/cmd/helm@v{WANTED}`, or see helm.sh/docs/intro/install"
)


def find() -> Path | None:
    """The helm program: TYCHO_HELM, Tycho's own, or the one on PATH."""
    said = settings()
    if said.helm:
        return Path(said.helm)
    from tycho import cluster

    return cluster.find("helm")


async def _version(path: Path) -> tuple[int, ...]:
    note = settings().cache_dir / "helm-version.json"
    try:
        status = path.stat()
        key = f"{path}:{status.st_mtime_ns}:{status.st_size}"
    except OSError as error:
        raise ToolMissing(f"{path}: {error.strerror}", hint=HOW) from error
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(note.read_text())
        if known.get("key") == key:
            return tuple(known["version"])
    process = await asyncio.create_subprocess_exec(
        path, "version", "--template", "{{.Version}}",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    found = re.match(rb"v?(\d+)\.(\d+)\.(\d+)", out.strip())
    if not found:
        raise ToolMissing(f"{path} does not say which helm it is", hint=HOW)
    version = tuple(int(part) for part in found.groups())
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({"key": key, "version": version}))
        part.replace(note)
    return version


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started: asked first, so that helm can mark its release, then killed."""
    for sent, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        try:
            async with asyncio.timeout(patience):
                await process.wait()
            break
        except TimeoutError:
            continue
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _registry_config(env: Mapping[str, str]) -> str:
    """The caller's own registry logins: `helm registry login` wrote them."""
    base = env.get("XDG_CONFIG_HOME") or f"{env.get('HOME', '')}/.config"
    return env.get("HELM_CONFIG_HOME", f"{base}/helm") + "/registry/config.json"
