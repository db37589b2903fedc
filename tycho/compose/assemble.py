"""The end of the line: from the fields of a project to the model, which is consistent."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from tycho.compose.bound import BoundProject
from tycho.compose.consistency import inconsistent
from tycho.compose.project_digest import digest
from tycho.compose.yaml_nodes import child_path
from tycho.credentials import find_credentials
from tycho.errors import ComposeError, Problem
from tycho.model import InvalidFieldsError, Project
from tycho.model.numbers import shorten
from tycho.text import count

MAX_MESSAGE = 1500  # characters of a message, of a path, of a hint


def raise_problems(problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
    """Raise all problems, if there are any.

    Args:
        problems: What is wrong.
        warnings: What is worth a look beside them.

    Raises:
        ComposeError: With both.
    """
    readable = sorted({_readable(problem) for problem in problems})
    if readable:
        error = ComposeError(count(len(readable), "problem"), problems=readable)
        error.warnings = tuple(warnings)
        raise error


def _readable(problem: Problem) -> Problem:
    """A problem that fits onto a screen, whatever it is about."""
    if len(problem.message) <= MAX_MESSAGE and len(problem.path) <= MAX_MESSAGE and len(problem.hint) <= MAX_MESSAGE:
        return problem
    path, message, hint = (shorten(text, MAX_MESSAGE) for text in (problem.path, problem.message, problem.hint))
    return replace(problem, path=path, message=message, hint=hint)


def validate_project(bound: BoundProject, name: str, disabled: Mapping[str, tuple[str, ...]]) -> Project:
    """Make the model of a project, which is consistent.

    Args:
        bound: What every phase has made of it.
        name: The project's name.
        disabled: Services that are left out, each with its profiles.

    Raises:
        ComposeError: With all that is wrong, and nothing that only follows from it.
    """
    try:
        project = Project(name=name, **bound.fields)
    except InvalidFieldsError as error:
        raise_problems(
            bound.problems
            or [bound.describe_problem(_path(details["loc"]), details["msg"]) for details in error.details],
            bound.warnings,
        )
        raise
    known_paths = sorted({problem.path for problem in bound.problems})
    further = [
        bound.describe_problem(path, message, hint)
        for path, message, hint in inconsistent(project, disabled)
        if not any(_holds(known_paths, start) for start in (f"{path}.", f"{path}[")) and not _is_in(known_paths, path)
    ]
    raise_problems([*bound.problems, *further], bound.warnings)
    return _with_metadata(bound, project)


def _holds(paths: list[str], start: str) -> bool:
    """Whether any of the sorted paths begins so."""
    at = bisect_left(paths, start)
    return at < len(paths) and paths[at].startswith(start)


def _is_in(paths: list[str], path: str) -> bool:
    at = bisect_left(paths, path)
    return at < len(paths) and paths[at] == path


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path = child_path(path, step)
    return path


def _with_metadata(bound: BoundProject, project: Project) -> Project:
    """Return the project, and what was learnt on the way."""
    known_as = cache(bound.sources.known_as)
    return project.model_copy(
        update={
            "variables": bound.list_variables(),
            "baked": dict(sorted(bound.baked.items())),
            "sensitive": tuple(name for name in sorted(bound.baked) if find_credentials(bound.env.get(name, ""))),
            "lines": {path: (known_as(file), line) for path, (file, line) in bound.lines.items()},
            "dialect": tuple(use.model_copy(update={"file": known_as(use.file)}) for use in bound.dialect),
            "warnings": bound.warnings,
            "digest": digest(project.name, bound.fields),
        }
    )
