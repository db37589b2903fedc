"""What binding learns on its way: problems, places, variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tycho.compose import interpolation
from tycho.compose.bound import BoundProject, Place, find_place
from tycho.compose.sources import Sources
from tycho.compose.yaml_nodes import YamlNode
from tycho.errors import Problem
from tycho.model import DialectUse


class InvalidValue(Exception):
    """A value that cannot be what its field needs: a message, and what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Context:
    """What binding learns on its way: problems, places, variables.

    Args:
        sources: Where the files around the project are.
        env: What variables are worth.
    """

    def __init__(self, sources: Sources, env: Mapping[str, str]) -> None:
        self.sources = sources
        self.env = env
        self.problems: list[Problem] = []
        self.known_problem_paths: frozenset[str] = frozenset()  # paths of what was wrong before
        self.ports = 0  # of all services so far
        self.warnings: list[Problem] = []
        self.lines: dict[str, tuple[str, int]] = {}
        self.dialect: list[DialectUse] = []  # what the first Tycho wrote otherwise
        self.variables: dict[str, dict[str, None]] = {}  # their places, in order
        self.baked: dict[str, dict[str, None]] = {}

    def add_problem(self, node: YamlNode, path: str, message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(node.problem(path, message, hint))

    def record_variables(self, node: YamlNode, path: str, template: str, *, live: bool) -> None:
        """Note which variables a value reads."""
        for name in interpolation.names(template):
            self.record_variable(name, path, node.file, node.line, live=live)

    def record_variable(self, name: str, path: str, file: str, line: int, *, live: bool) -> None:
        """Note that a variable is read."""
        place = f"{self.sources.known_as(file)}:{line} {path}"
        (self.variables if live else self.baked).setdefault(name, {})[place] = None

    def note_quantity(self, node: YamlNode, path: str, size: int) -> None:
        """Note a size in Kubernetes' units, which are Compose's by another name."""
        words = f"{size} bytes: Compose writes a b behind such units"
        use = DialectUse(path=path, file=node.file, line=node.line, outcome="translated", target=words, becomes=path)
        self.dialect.append(use)

    def find_place(self, path: str) -> Place:
        """Find the place of a path, or of the nearest node above it."""
        return find_place(self.lines, path)

    def apply(self, fields: dict[str, Any]) -> BoundProject:
        """Return the project that was bound, with all that was learnt of it."""
        return BoundProject(
            sources=self.sources,
            env=self.env,
            fields=fields,
            lines=self.lines,
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            variables={name: tuple(places) for name, places in self.variables.items()},
            baked={name: tuple(places) for name, places in self.baked.items()},
            dialect=tuple(self.dialect),
        )
