"""Lines of logs as a terminal shows them: names of one width, a colour for each service, as Compose has it."""

from __future__ import annotations

import re
from itertools import cycle

from tycho.orchestrators.requests import BAR

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # cyan, yellow, green, magenta, blue, and the same bright
RESET = "\x1b[0m"
# What controllers add to a workload's name: a hash and letters, letters, or a number.
_MADE = re.compile(r"(?:-[bcdf-hj-np-tv-z2456789]{6,10})?-[bcdf-hj-np-tv-z2456789]{5}$|-\d+$")


class Painter:
    """Colours the names before lines, one colour for each service."""

    def __init__(self) -> None:
        self._colours = cycle(COLOURS)
        self._by_service: dict[str, int] = {}

    def paint(self, line: str) -> str:
        """Return a line with its name in the service's colour."""
        name, text = split_line(line)
        service = find_service(name.strip())
        if service not in self._by_service:
            self._by_service[service] = next(self._colours)
        return f"\x1b[{self._by_service[service]}m{name}{BAR}{RESET}{text}" if name else text


def find_service(name: str) -> str:
    """Return what the pods of a service have in common in their names; the container, where a pod has several.

    Example:
        >>> find_service("web-5d8f7c9b6-x2x4z"), find_service("db-0"), find_service("web-5d8f7c9b6-x2x4z/side")
        ('web', 'db', 'side')
    """
    pod, _, container = name.partition("/")
    return container or _MADE.sub("", pod)


def split_line(line: str) -> tuple[str, str]:
    """Return the name before a line, with its padding, and the line."""
    name, bar, text = line.partition(BAR)
    return (name, text) if bar else ("", line)
