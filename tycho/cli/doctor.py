"""`tycho version` and `tycho doctor`: what is here, and what is missing."""

from __future__ import annotations

import platform
import sys

from tycho.cli import show
from tycho.cli.display import find_width, fold
from tycho.cli.options import READING, Format, Output, StartTargetOptions, Timeout
from tycho.cli.session import run

MARKS = {"ok": ("✔", "green"), "warning": ("!", "yellow"), "error": ("✘", "red")}
"""What stands before a check, and its colour."""


def version(output: Output = Format.table) -> None:
    r"""Print Tycho's version.

    \b
    Examples:
      tycho version
      tycho --version
    """
    from tycho import __version__

    if output is Format.table:
        return show.emit(f"tycho {__version__}")
    show.structured({"tycho": __version__, "python": platform.python_version()}, output)


def doctor(*, target: StartTargetOptions, timeout: Timeout = READING, output: Output = Format.table) -> None:
    r"""Check helm, the cluster, your rights and versions; says what to do.

    \b
    Examples:
      tycho doctor
      tycho doctor --local
    """
    checks = run(lambda lifecycle: lifecycle.orchestrator.doctor(), target, timeout=timeout)
    if output is not Format.table:
        show.structured([check.row for check in checks], output)
    else:
        for check in checks:
            mark, style = MARKS[check.level]
            hints = [f"  hint: {line}" for line in check.hint.splitlines()]
            for text in (f"{mark} {check.name:<11} {check.message}", *hints):
                for line in fold(text, find_width(sys.stdout), " " * (8 if text in hints else 14)):
                    show.emit(line, "" if text in hints else style)
    if any(check.level == "error" for check in checks):
        sys.exit(30)
