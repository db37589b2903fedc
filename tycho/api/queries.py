"""What may stand behind the `?` of the readable routes: each key is checked, and an unknown one refused."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from tycho.api.messages import LINES, NAME, Force, Username
from tycho.release import State

PAGE = 100  # systems of an answer, unless the caller says how many
LONGEST_PAGE = 1000
LONGEST_WAIT = 240.0  # seconds; less than the guard has, so that the verb says itself what is not ready
LABEL = "^[^=]+=.*$"
WAITING = "Seconds to wait until the system is ready, or gone; 0 does not wait."

SystemId = Annotated[
    str, Path(pattern=rf"^{NAME}$", description="GUID, unique prefix of it, release or project name, NAME-GUID.")
]
Number = Annotated[int, Path(ge=1, le=2**31, description="The revision's number.")]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_WAIT, description=WAITING)]


class Query(BaseModel):
    """The base of every query."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class FilterQuery(Query):
    """Which of all systems."""

    name: Annotated[str, Field(pattern=rf"^({NAME})?$", description="Of this project alone.")] = ""
    username: Annotated[Username, Field(description="This user's alone.")] = ""
    label: Annotated[
        list[Annotated[str, Field(pattern=LABEL, max_length=512)]],
        Field(max_length=20, description="NAME=VALUE: those alone of which a service has these labels."),
    ] = []

    def read(self) -> dict[str, Any]:
        """Return the filters as the verbs take them."""
        labels = {name: text for name, _, text in (label.partition("=") for label in self.label)}
        return {"name": self.name, "username": self.username, "labels": labels}


class FollowQuery(FilterQuery):
    """Which systems are followed."""

    id: Annotated[
        list[Annotated[str, Field(pattern=rf"^{NAME}$")]],
        Field(max_length=100, description="These alone, by any of their names."),
    ] = []


class SystemQuery(FilterQuery):
    """Which systems, and how many of them at once."""

    state: Annotated[State | None, Field(description="In this state alone.")] = None
    ready: Annotated[bool | None, Field(description="Those that are ready alone, or those that are not.")] = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE, description="Systems of one answer.")] = PAGE
    start: Annotated[
        str, Field(alias="continue", max_length=256, description="Go on behind an answer: its `continue`.")
    ] = ""


class RevisionQuery(Query):
    """Of which revision something is asked."""

    revision: Annotated[int, Field(ge=0, le=2**31, description="0 is the running one.")] = 0


class ValuesQuery(RevisionQuery):
    """Which values."""

    all: Annotated[bool, Field(description="With those of the chart below the release's own.")] = False


class LogQuery(Query):
    """Which lines of a system's logs; a request follows none."""

    services: Annotated[
        list[Annotated[str, Field(pattern=rf"^{NAME}$")]],
        Field(max_length=256, description="Compose names; all services when empty."),
    ] = []
    since: Annotated[str, Field(max_length=64, description="Not older: 10m, 1h30m, or an RFC 3339 moment.")] = ""
    tail: Annotated[int, Field(ge=0, le=LINES, description="Lines of each container.")] = 100
    timestamps: Annotated[bool, Field(description="Write each line's moment before it.")] = False


class ReadyQuery(Query):
    """Whether to wait until it is ready."""

    wait: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, description="Seconds to wait until it is ready; 504 when it is not by then."),
    ] = 0
    services: Annotated[
        list[Annotated[str, Field(pattern=rf"^{NAME}$")]],
        Field(max_length=256, description="With `wait`: these services alone are waited for."),
    ] = []


class WaitOnlyQuery(Query):
    """How long to wait."""

    wait: Seconds = LONGEST_WAIT


class WaitQuery(WaitOnlyQuery):
    """How long to wait, and whether to change anything at all."""

    dry_run: Annotated[
        bool, Field(alias="dryRun", description="Change nothing, and answer with what would be done.")
    ] = False


class DeleteQuery(Query):
    """How a system is removed."""

    wait: Seconds = LONGEST_WAIT
    force: Force = False
    keep_volumes: Annotated[bool, Field(alias="keepVolumes", description="Keep its volumes for its next start.")] = (
        False
    )
    username: Username = ""


class DeleteManyQuery(DeleteQuery):
    """Which systems are removed, and how."""

    id: Annotated[
        list[Annotated[str, Field(pattern=rf"^{NAME}$")]], Field(min_length=1, max_length=100, description="Which.")
    ]
