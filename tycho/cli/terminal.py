"""This process's standard streams, as a program in a container is connected to them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import shutil
import signal
import sys
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import IO

CHUNK = 32 * 1024  # bytes of input that travel at once
AHEAD = 4  # chunks of input that wait for a slow connection


class Terminal:
    """The standard streams; input is read only once somebody asks for it.

    Args:
        tty: Whether the program gets a terminal.
    """

    def __init__(self, *, tty: bool) -> None:
        self.tty = tty
        self._input: asyncio.Queue[bytes] | None = None

    async def read(self) -> bytes:
        """Read some input; b"" at its end."""
        if self._input is None:
            self._input = asyncio.Queue(AHEAD)
            # A thread, for it may be a file, a pipe or a terminal, and no event loop waits for all of them.
            reader = _read_input, (self._input, asyncio.get_running_loop())
            Thread(target=reader[0], args=reader[1], name="tycho-stdin", daemon=True).start()
        return await self._input.get()

    async def write(self, chunk: bytes, *, error: bool) -> None:
        """Write output, however slowly it is taken."""
        stream = sys.stderr.buffer if error else sys.stdout.buffer
        await asyncio.to_thread(_write_all, stream, chunk)

    async def sizes(self) -> AsyncIterator[tuple[int, int]]:
        """Yield the terminal's columns and rows, now and whenever they change."""
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, changed.set)
        try:
            while True:
                size = shutil.get_terminal_size()
                yield size.columns, size.lines
                await changed.wait()
                changed.clear()
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)


@contextmanager
def raw_mode(on: bool) -> Iterator[None]:
    """Hand every key to the program, Ctrl-C too; the terminal is as it was afterwards.

    Args:
        on: Whether the program has a terminal at all.
    """
    if not on:
        yield
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    tty.setraw(handle)
    try:
        yield
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


def _read_input(queue: asyncio.Queue[bytes], loop: asyncio.AbstractEventLoop) -> None:
    chunk = b"begin"
    while chunk:
        try:
            chunk = os.read(sys.stdin.fileno(), CHUNK)
        except (OSError, ValueError):  # it is closed
            chunk = b""
        with contextlib.suppress(RuntimeError, concurrent.futures.CancelledError):  # the program has ended before
            asyncio.run_coroutine_threadsafe(queue.put(chunk), loop).result()


def _write_all(stream: IO[bytes], chunk: bytes) -> None:
    stream.write(chunk)
    stream.flush()
