"""A chart's version: Semantic Versioning 2, for it becomes a file's name and a registry's tag."""

from __future__ import annotations

import re

from tycho.errors import UsageError
from tycho.text import printable

LONGEST = 128  # characters of a registry's tag
_NUMBER = r"(?:0|[1-9]\d*)"
_WORD = rf"(?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_WORD}(?:\.{_WORD})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?", re.ASCII
)


def check_version(version: str) -> None:
    """Check the version that a caller gives a chart.

    Raises:
        UsageError: It is not Semantic Versioning 2.

    Example:
        >>> check_version("1.2.3-rc.1+build.7")
    """
    if len(version) > LONGEST or not _SEMVER.fullmatch(version):
        raise UsageError(
            f'"{printable(version[:LONGEST])}" is not a version',
            hint="write MAJOR.MINOR.PATCH, as in 1.2.3-rc.1",
        )
