"""A terminal of some width that a command writes to, as its user has one."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

COLOURS = re.compile("\x1b\\[[0-9;]*m")
MOVES = re.compile("\x1b\\[[?0-9;]*[A-Za-z]")


class Screen:
    """What a command in a terminal has written.

    Args:
        process: The command.
        handle: Our side of its terminal.
    """

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self._handle = handle
        self.text = ""

    def read_until(self, pattern: str) -> str:
        """Read on until something is written; what was written since the last call."""
        begin = len(self.text)
        while not re.search(pattern, self.text[begin:]):
            chunk = self._read()
            assert chunk, self.text
            self.text += chunk
        return self.text[begin:]

    def read_all(self) -> str:
        """Read to the end."""
        while chunk := self._read():
            self.text += chunk
        return self.text

    def _read(self) -> str:
        try:
            return os.read(self._handle, 65536).decode()
        except OSError:  # how Linux says that nobody has the other side any more
            return ""


@contextmanager
def open_screen(argv: Sequence[str | Path], columns: int, env: Mapping[str, str], cwd: Path) -> Iterator[Screen]:
    """Run a command in a terminal of its own."""
    ours, theirs = pty.openpty()
    try:
        termios.tcsetwinsize(theirs, (40, columns))
        variables = {**env, "TERM": "xterm-256color"}
        with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, cwd=cwd) as process:
            os.close(theirs)
            yield Screen(process, ours)
    finally:
        os.close(ours)


def plain(text: str) -> list[str]:
    """Return the lines of a text without colours and movements."""
    return MOVES.sub("", COLOURS.sub("", text)).replace("\r", "").splitlines()
