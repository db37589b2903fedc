"""A project between binding and the model: its fields, and what the phases so far have found out.

Each phase takes one, and returns another: nothing of the first changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tycho.compose.sources import Sources
from tycho.errors import Problem
from tycho.masking import Masker
from tycho.model import DialectUse, Variable

Fields = dict[str, Any]
Place = tuple[str, int]
"""A file, and a line in it."""
ROOTS = ("services", "jobs")


class BoundProject(Struct, frozen=True):
    """The fields of a project, and what is known of them.

    Args:
        sources: Where the files around the project are.
        env: What variables are worth.
        fields: Of the model, as far as values could be converted.
        lines: The place of each path.
        problems: What is wrong, as far as that is known.
        warnings: What is worth a look.
        variables: Variables that stay variables in a chart; of each the places that read it, in order.
        baked: Variables whose values are part of a chart; of each the places that read it, in order.
        dialect: Uses of the first Tycho's dialect.
    """

    sources: Sources
    env: Mapping[str, str]
    fields: Fields
    lines: Mapping[str, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dialect: tuple[DialectUse, ...] = ()

    def find_place(self, path: str) -> Place:
        """Find the place of a path, or of the nearest node above it."""
        return find_place(self.lines, path)

    def describe_problem(self, path: str, message: str, hint: str = "") -> Problem:
        """Return a problem with the place of its path."""
        return Problem(*self.find_place(path), path, message, hint)

    def list_variables(self) -> dict[str, Variable]:
        """List the variables that stay variables, with what they are worth."""
        return {
            name: Variable(name=name, places=places, value=self.env.get(name))
            for name, places in sorted(self.variables.items())
        }


def find_place(lines: Mapping[str, Place], path: str) -> Place:
    """Find the place of a path, or of the nearest node above it; no file where there is none."""
    while path not in lines and path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, ("", 0))


class Findings:
    """What one phase finds out of a project; it lives no longer than that phase.

    Args:
        project: The project as the phase got it.
    """

    def __init__(self, project: BoundProject) -> None:
        self.project = project
        self.sources = project.sources
        self.env = project.env
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._lines: dict[str, Place] = {}
        self._variables: dict[str, dict[str, None]] = {}  # their places, in order

    def add_problem(self, path: str, message: str, hint: str = "") -> None:
        """Note what is wrong at a path."""
        self._problems.append(self.project.describe_problem(path, message, hint))

    def add_problems(self, *problems: Problem) -> None:
        """Note problems that know their places."""
        self._problems += problems

    def add_warning(self, path: str, message: str, hint: str = "") -> None:
        """Note what is worth a look at a path."""
        self._warnings.append(self.project.describe_problem(path, message, hint))

    def place_like(self, path: str, origin: str) -> None:
        """Note that a path which nobody wrote follows from another."""
        self._lines[path] = self.project.find_place(origin)

    def record_variable(self, name: str, path: str) -> None:
        """Note that a path reads a variable, which stays one."""
        file, line = self.project.find_place(path)
        self._variables.setdefault(name, {})[f"{self.sources.known_as(file)}:{line} {path}"] = None

    def apply(self, fields: Fields) -> BoundProject:
        """Return the project as it is after the phase."""
        before = self.project
        variables = dict(before.variables)
        for name, places in self._variables.items():
            variables[name] = tuple(dict.fromkeys((*variables.get(name, ()), *places)))
        return replace(
            before,
            fields=fields,
            lines={**before.lines, **self._lines} if self._lines else before.lines,
            problems=(*before.problems, *self._problems),
            warnings=(*before.warnings, *self._warnings),
            variables=variables,
        )


def mask_warnings(project: BoundProject, masker: Masker) -> BoundProject:
    """Return a project whose warnings show no secret."""
    return replace(project, warnings=tuple(map(masker.problem, project.warnings)))


def each_service(fields: Mapping[str, Any]) -> Iterator[tuple[str, Fields]]:
    """Yield every service and job, with its path."""
    for root in ROOTS:
        for name, service in fields[root].items():
            yield f"{root}.{name}", service


def change_services(fields: Fields, change: Callable[[str, Fields], Fields]) -> Fields:
    """Return fields whose services and jobs are what a function makes of them.

    Args:
        fields: Of a project.
        change: From a service's path and its fields to other fields.
    """
    changed = {
        root: {name: change(f"{root}.{name}", service) for name, service in fields[root].items()} for root in ROOTS
    }
    return {**fields, **changed}


def change_hooks(service: Fields, change: Callable[[int, Fields], Fields]) -> Fields:
    """Return a service whose `pre_start` hooks are what a function makes of them, by their index."""
    hooks = service.get("pre_start")
    return {**service, "pre_start": [change(i, hook) for i, hook in enumerate(hooks)]} if hooks else service
