"""The ends of the line: from a tree to fields, and from fields to a system that stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import ValidationError

from tycho.compose.consistency import inconsistent
from tycho.compose.context import Context
from tycho.compose.lifecycle_hooks import split_hook
from tycho.compose.normalize import each
from tycho.compose.project_digest import digest
from tycho.compose.yaml_nodes import child_path
from tycho.credentials import find_credentials
from tycho.errors import ComposeError, Problem
from tycho.model import Project
from tycho.model.numbers import shorten

MAX_MESSAGE = 1500  # characters of a message, of a path, of a hint


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise all problems, if there are any."""
    readable = sorted({_readable(problem) for problem in problems})
    if readable:
        raise ComposeError("1 problem" if len(readable) == 1 else f"{len(readable)} problems", problems=readable)


def _readable(problem: Problem) -> Problem:
    """A problem that fits onto a screen, whatever it is about."""
    if len(problem.message) <= MAX_MESSAGE and len(problem.path) <= MAX_MESSAGE and len(problem.hint) <= MAX_MESSAGE:
        return problem
    path, message, hint = (shorten(text, MAX_MESSAGE) for text in (problem.path, problem.message, problem.hint))
    return replace(problem, path=path, message=message, hint=hint)


def validate_project(
    ctx: Context, fields: dict[str, Any], name: str, disabled: Mapping[str, tuple[str, ...]]
) -> Project:
    """A system that is consistent.

    Raises:
        ComposeError: With all that is wrong, and nothing that only follows from it.
    """
    for _, service in each(fields):
        if "pre_start" in service:
            service["pre_start"] = [split_hook(hook) for hook in service["pre_start"]]
    try:
        system = Project(name=name, **fields)
    except ValidationError as error:
        raise_problems(
            ctx.problems
            or (
                ctx.problem_at(_path(error_details["loc"]), error_details["msg"], "")
                for error_details in error.errors()
            )
        )
        raise
    known_paths = sorted({problem.path for problem in ctx.problems})
    for path, message, hint in inconsistent(system, disabled):
        if not any(_holds(known_paths, start) for start in (f"{path}.", f"{path}[")) and not _is_in(known_paths, path):
            ctx.problems.append(ctx.problem_at(path, message, hint))
    raise_problems(ctx.problems)
    return system


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


def with_metadata(ctx: Context, fields: Mapping[str, Any], system: Project) -> Project:
    """The system, and what was learnt on the way."""
    known_as = cache(ctx.sources.known_as)
    return system.model_copy(
        update={
            "variables": ctx.seen(),
            "baked": {name: tuple(places) for name, places in sorted(ctx.baked.items())},
            "sensitive": tuple(name for name in sorted(ctx.baked) if find_credentials(ctx.env.get(name, ""))),
            "lines": {path: (known_as(file), line) for path, (file, line) in ctx.lines.items()},
            "dialect": tuple(use.model_copy(update={"file": known_as(use.file)}) for use in ctx.dialect),
            "warnings": tuple(ctx.warnings),
            "digest": digest(system.name, fields),
        }
    )
