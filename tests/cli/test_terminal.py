"""A terminal in raw mode, its size, and input of every kind."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

from tycho.cli.terminal import Terminal

RAW = "import os\nfrom tycho.cli.terminal import raw_mode\nwith raw_mode(True):\n os.write(1, b'raw')\n os.read(0, 1)\n"
READ = """
import asyncio, sys
from tycho.cli.terminal import Terminal

async def main():
    terminal, total = Terminal(tty=False), 0
    while data := await terminal.read():
        total += len(data)
    await terminal.write(b"%d" % total, error=False)
    await terminal.write(b"end", error=True)

asyncio.run(main())
"""


def echoes(handle: int) -> bool:
    return bool(termios.tcgetattr(handle)[3] & termios.ECHO)


def test_a_terminal_is_as_it_was_afterwards() -> None:
    ours, theirs = pty.openpty()
    try:
        assert echoes(theirs)
        process = subprocess.Popen([sys.executable, "-c", RAW], stdin=theirs, stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.read(3) == b"raw"
        assert not echoes(theirs)
        os.write(ours, b"x")
        process.communicate()
        assert process.returncode == 0
        assert echoes(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def test_input_has_an_end() -> None:
    done = subprocess.run([sys.executable, "-c", READ], input=b"x" * 300_000, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"300000", b"end")


def test_a_file_is_input_too(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"x" * 100_000)
    with (tmp_path / "input").open("rb") as file:
        done = subprocess.run([sys.executable, "-c", READ], stdin=file, capture_output=True, check=True)
    assert done.stdout == b"100000"


def test_the_size_is_told_again_when_it_changes() -> None:
    async def ask() -> list[tuple[int, int]]:
        sizes = Terminal(tty=True).sizes()
        first = await anext(sizes)
        os.kill(os.getpid(), signal.SIGWINCH)
        second = await anext(sizes)
        await sizes.aclose()  # type: ignore[attr-defined]
        return [first, second]

    assert len(asyncio.run(ask())) == 2
