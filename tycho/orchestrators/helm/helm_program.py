"""The helm program: where it is, and whether it is new enough."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tycho.errors import ToolMissing
from tycho.settings import settings
from tycho.text import safe_message
from tycho.toolchain.versions import Version, recall_version, remember_version

MINIMUM = (4, 2, 4)
RECOMMENDED = "4.3.1"
HOW = (
    f"install helm {RECOMMENDED}: `tycho cluster create` brings one, so does"
    f" `go install helm.sh/helm/v4/cmd/helm@v{RECOMMENDED}`"
)


def find() -> Path | None:
    """The helm program: TYCHO_HELM, Tycho's own, or the one on PATH."""
    if configured := settings().helm:
        return Path(configured)
    from tycho.toolchain import programs

    return programs.find("helm")


async def program() -> Path:
    """A helm that is new enough.

    Raises:
        ToolMissing: There is none; with the command that installs it.
    """
    path = find()
    if path is None:
        raise ToolMissing("helm is not installed", hint=HOW)
    numbers = await version(path)
    if numbers < MINIMUM:
        actual, least = (".".join(map(str, numbers)) for numbers in (numbers, MINIMUM))
        raise ToolMissing(f"helm {actual} is too old: {least} is needed", hint=HOW, local=f"it is {path}")
    return path


async def version(path: Path) -> Version:
    """Return its version, which it is asked once.

    Raises:
        ToolMissing: It cannot be run, or says no version.
    """
    try:
        known = recall_version(path)
    except OSError as error:
        raise ToolMissing(f"there is no helm: {error.strerror}", hint=HOW, local=str(path)) from error
    if not known:
        known = await _ask_version(path)
        remember_version(path, known)
    return known


async def _ask_version(path: Path) -> Version:
    try:
        process = await asyncio.create_subprocess_exec(
            path, "version", "--template", "{{.Version}}",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise ToolMissing(f"helm cannot be run: {error.strerror}", hint=HOW, local=str(path)) from error
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:  # nobody waits for it any more
            process.kill()
    match = re.match(rb"v?(\d+)\.(\d+)\.(\d+)", out.strip())
    if not match:
        printed = safe_message((err or out).decode(errors="replace").strip().partition("\n")[0])[:200] or "nothing"
        message = f"`helm version` ends with {process.returncode} and prints no version: {printed}"
        raise ToolMissing(message, hint=HOW, local=str(path))
    return tuple(int(part) for part in match.groups())
