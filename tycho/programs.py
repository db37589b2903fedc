"""Programs that are run in a process group of their own: writing to them, and ending them with all they started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal


async def write_input(stream: asyncio.StreamWriter | None, content: bytes | None) -> None:
    """Write all of a program's standard input, and close it; one that ends before it has read all is let be.

    Args:
        stream: Its standard input; None where it has none.
        content: What to write.
    """
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(content or b"")
        await stream.drain()
    stream.close()


async def ask_to_end(process: asyncio.subprocess.Process, grace: float) -> None:
    """Ask a program and all that it started to end, and wait for it.

    Args:
        process: The leader of its group.
        grace: The most seconds to wait.
    """
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            await process.wait()


def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill a program and all that it started."""
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
