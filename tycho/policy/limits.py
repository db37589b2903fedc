"""`system: {limit: {ttl, idle}}`: how long a system may run at most, whoever asks for more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.errors import Problem
from tycho.expiry import IDLE, TTL, is_duration, read_seconds
from tycho.expiry.terms import HINT
from tycho.model import Json, Project
from tycho.policy.policy import Policy

LIMITED = {TTL: "a system may run", IDLE: "a system may be idle"}


def set_missing(policy: Policy, project: Project) -> Project:
    """Copy a project with a policy's limits where nothing says how long it runs: for ever is too long."""
    written = _extension(project)
    missing = {
        word: limit if word == TTL else {"after": limit}
        for word, limit in policy.system["limit"].items()
        if written.get(word) is None
    }
    return project.model_copy(update={"x": {**project.x, "x-tycho": {**written, **missing}}}) if missing else project


def list_excesses(policy: Policy, project: Project) -> Iterator[Problem]:
    """List what a project says that is longer than a policy allows."""
    written = _extension(project)
    for word, limit in policy.system["limit"].items():
        value, path = written.get(word), f"x-tycho.{word}"
        if word == IDLE:
            value, path = value.get("after") if isinstance(value, Mapping) else None, f"{path}.after"
        if is_duration(value) and read_seconds(value) > read_seconds(limit):
            message = f"{value} is longer than {LIMITED[word]}: {policy.name} allows {limit}"
            yield project.make_problem(path, message, policy.hint or f"write {limit}, or less")


def read_limits(value: Json, where: str) -> Iterator[tuple[str, str, str]]:
    """List what is wrong with the limits that a policy writes: path, message and hint."""
    if not isinstance(value, Mapping) or not value:
        yield where, "must be a mapping", "write for example {ttl: 24h}"
        return
    for word, limit in value.items():
        if word not in LIMITED:
            yield f"{where}.{word}", f'unknown key "{word}"', f"known: {', '.join(LIMITED)}"
        elif not is_duration(limit):
            yield f"{where}.{word}", "is not a time that a system may run", HINT


def _extension(project: Project) -> Mapping[str, Json]:
    written = project.x.get("x-tycho")
    return written if isinstance(written, Mapping) else {}
