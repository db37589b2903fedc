"""What the readable routes answer, beside `tycho.wire.System`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tycho.api.messages import Row
from tycho.comparison import Comparison
from tycho.errors import Problem
from tycho.release import Origin, Release, Revision
from tycho.wire import System


class Page(BaseModel):
    """Some of the systems, oldest first."""

    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)

    items: Sequence[System]
    next: str = Field("", alias="continue", description="Where the next answer goes on; empty at the end.")


class OperationError(BaseModel):
    """Why a revision came to nothing."""

    reason: str
    message: str


class Operation(BaseModel):
    """One revision, which is also what is known of the request that made it."""

    revision: int
    state: str
    done: bool = Field(description="Nothing is waited for any more: it is as asked for, past, or failed.")
    why: str = Field("", description="What it waits for, or why it failed.")
    error: OperationError | None = None
    updated: datetime | None = None
    description: str = ""
    changes: Sequence[str] = ()
    chart: str = ""
    compose: str = ""
    policies: str = ""
    username: str = ""
    origin: Origin | None = None


class Values(BaseModel):
    """The values of a revision; what is secret is masked."""

    revision: int
    values: Mapping[str, Any]


class ChartFiles(BaseModel):
    """The chart that a system was made of."""

    files: Mapping[str, str] = Field(description="Each in base64, by its path in the chart.")


class Plan(BaseModel):
    """What a request would do: `changes` in words, and for a start or a rollback the same as `comparison`."""

    name: str
    version: str
    digest: str
    changes: Sequence[str]
    report: Sequence[Row]
    warnings: Sequence[Problem] = ()
    comparison: Comparison | None = None


class Deletion(BaseModel):
    """What became of one system that was to go."""

    id: str
    status: str
    message: str
    error: str = Field("", description="The error's name; empty where it went well.")


def to_operation(revision: Revision, release: Release) -> Operation:
    """Return what is known of a revision.

    Args:
        revision: Which.
        release: The system as it is: what its running revision waits for.
    """
    known = revision.model_dump(include=set(Operation.model_fields) & set(Revision.model_fields))
    if revision.revision != release.revision:
        failed = revision.state == "failed"
        error = OperationError(reason="OrchestratorError", message=revision.description) if failed else None
        return Operation(**known, done=True, why=revision.description if failed else "", error=error)
    why = "; ".join(f"{service.name}: {service.why}" for service in release.services if service.why)
    if revision.state == "failed":
        why = why or revision.description
    failed = revision.state == "failed" or any(service.fatal for service in release.services)
    error = OperationError(reason="StartFailed", message=why or "it cannot become ready") if failed else None
    done = failed or release.ready
    return Operation(**known, done=done, why="" if done and not failed else why, error=error)
