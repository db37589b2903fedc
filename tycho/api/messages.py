"""What requests may say, and what is answered: each key is checked, and an unknown one refused."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec.structs import replace
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tycho import model
from tycho.errors import Problem
from tycho.ownership import Caller
from tycho.release import Origin
from tycho.text import is_text
from tycho.usernames import read_principal

LABEL = r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
LINES = 10_000  # of each container that an answer holds at most
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"


def _text(value: object) -> object:
    """Environment values are text; a number or a bool is what JSON writes."""
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _number(value: object) -> object:
    """Read a number that may be written as text; refuse a bool or a fraction."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,5}", value) else value


def _written(value: str) -> str:
    """JSON may hold half a surrogate pair, which is no character."""
    if not is_text(value):
        raise ValueError("it holds half a surrogate pair, which is no character")
    return value


Id = Annotated[str, Field(pattern=rf"^{NAME}$", description="GUID, unique prefix of it, release or project name.")]
Username = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=256, description="Who asks: a name of any kind."),
    AfterValidator(_written),
]
Value = Annotated[
    str, BeforeValidator(_text, str | bool | int | float), AfterValidator(_written), Field(max_length=65536)
]
Variable = Annotated[str, AfterValidator(_written), Field(pattern=r"^[^=\x00]+$", max_length=1024)]
Digits = Annotated[str, Field(pattern="^[0-9]{1,5}$")]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_number, int | Digits)]
Client = Annotated[model.Client, Field(max_length=64)]
Account = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$",
        description="What containers run as: the namespace's own, or one that the operator lists.",
    ),
]
Services = Annotated[
    list[Annotated[str, Field(pattern=rf"^{NAME}$")]],
    Field(max_length=256, description="Compose names; all services when empty."),
]
Ttl = Annotated[str, Field(max_length=64, description="How long it runs, whatever the document says: 8h, 2d.")]
Wait = Annotated[bool, Field(description="Answer only once the system is ready.")]
Principal = Annotated[
    str,
    AfterValidator(read_principal),
    Field(
        max_length=65536,
        description="JSON: its `username` is who asks, where nothing else says so. Nothing else of it is kept.",
    ),
]


def _relative(path: str) -> str:
    """Check that a path is below the project's folder."""
    if path.startswith(("/", "~")) or ".." in path.split("/") or "\x00" in path:
        raise ValueError("it is no path below the project's folder")
    return path


def _base64(text: str) -> str:
    """Base64, as the standard has it."""
    try:
        b64decode(text, validate=True)
    except ValueError:
        raise ValueError("it is not base64") from None
    return text


FilePath = Annotated[str, AfterValidator(_written), AfterValidator(_relative), Field(min_length=1, max_length=4096)]


class Message(BaseModel):
    """The base of every request."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Metadata(Message):
    """What the caller says of a service; where any is given, only these services are published."""

    port: Annotated[Port | None, Field(description="Container port to publish.")] = None
    clients: Annotated[list[Client], Field(max_length=256, description="CIDRs or addresses that may call it.")] = []


class File(Message):
    """A file of the project, which the document mounts or reads."""

    content: Annotated[
        str, AfterValidator(_base64), Field(description="In base64.", json_schema_extra={"contentEncoding": "base64"})
    ]
    executable: bool = False

    @property
    def decoded(self) -> bytes:
        """The content."""
        return b64decode(self.content)


class Compile(Message):
    """A system: a compose document, its environment, and what is to be said of single services."""

    name: Annotated[str, Field(pattern=rf"^{NAME}$", description="The project's name.")]
    system: Annotated[dict[str, Any], Field(min_length=1, description="The compose document.")]
    env: Annotated[dict[Variable, Value | None], Field(description="All the variables there are.")] = {}
    services: dict[str, Metadata] = {}
    files: Annotated[dict[FilePath, File], Field(max_length=5000, description="The project's files, by path.")] = {}


class CallerOrigin(Message):
    """Where a system is started from, as far as the caller wants that to be known."""

    user: Annotated[str, Field(max_length=256, description="The user on his own machine.")] = ""
    host: Annotated[str, Field(max_length=253, description="The machine's name.")] = ""
    folder: Annotated[str, Field(max_length=4096, description="The project's folder there.")] = ""
    named: Annotated[bool, Field(description="The compose file itself names the project: any folder will do.")] = False


class Asked(Message):
    """Who asks: what is somebody else's is neither changed nor removed."""

    username: Username | None = None
    origin: Annotated[CallerOrigin | None, Field(description="Where the caller would start it from.")] = None

    def caller(self, project: str) -> Caller:
        """Return who asks, for a system of this project."""
        origin = Origin(project=project, **self.origin.model_dump()) if self.origin else None
        return Caller(username=self.username or "", origin=origin)


Force = Annotated[bool, Field(description="Do it to what is somebody else's, too.")]
ForceConflicts = Annotated[bool, Field(alias="forceConflicts", description="Undo changes of others.")]


class Start(Compile, Asked):
    """A system to start."""

    principal: Principal | None = None
    serviceaccount: Account | None = None
    ttl: Ttl | None = None
    guid: Annotated[str | None, Field(pattern=r"^([0-9a-f]{32})?$", alias="tycho-guid")] = None
    upgrade: Annotated[bool, Field(description="Upgrade the system of this name where one runs.")] = False
    replace: Annotated[bool, Field(description="Upgrade it even if others started it, or from elsewhere.")] = False
    force_conflicts: ForceConflicts = False
    rollback_on_failure: Annotated[bool, Field(alias="rollbackOnFailure", description="Undo it where it fails.")] = (
        False
    )
    wait: Wait = False

    def caller(self, project: str) -> Caller:
        """Return who asks: the principal, where nothing else says so."""
        caller = super().caller(project)
        return caller if caller.username else replace(caller, username=self.principal or "", assumed=True)


class Status(Message):
    """Which systems: all, those of a name, or a user's."""

    name: Annotated[str | None, Field(pattern=rf"^({NAME})?$", description="As of one system; all by default.")] = None
    username: Username | None = None


class SystemRequest(Message):
    """One system."""

    name: Id


class Delete(SystemRequest, Asked):
    """One system that shall go."""

    force: Force = False
    keep_volumes: Annotated[bool, Field(alias="keep-volumes", description="Keep its volumes for its next start.")] = (
        False
    )


class RollbackTo(Asked):
    """The revision to go back to."""

    force: Force = False
    force_conflicts: ForceConflicts = False
    revision: Annotated[int, Field(ge=0, le=2**31, description="0 is the last good one before this.")] = 0


class Rollback(SystemRequest, RollbackTo):
    """One system, and the revision to go back to."""

    wait: Wait = False


class Restart(SystemRequest, Asked):
    """One system, and which of its services are to have new pods."""

    force: Force = False
    services: Services = []
    wait: Wait = False


class Touch(Asked):
    """When a system was used."""

    force: Force = False
    moment: Annotated[
        AwareDatetime | None, Field(strict=False, description="RFC 3339; now by default, and nothing later counts.")
    ] = None


class RestartOf(Asked):
    """Which services are to have new pods."""

    force: Force = False
    services: Services = []


class Events(SystemRequest):
    """One system, and of which of its services something is asked."""

    services: Services = []


class Logs(Events):
    """Which lines of a system's logs; a request follows none."""

    since: Annotated[str, Field(max_length=64, description="Not older: 10m, 1h30m, or an RFC 3339 moment.")] = ""
    tail: Annotated[int, Field(ge=0, le=LINES, description="Lines of each container.")] = 100
    timestamps: Annotated[bool, Field(description="Write each line's moment before it.")] = False


class StartResult(BaseModel):
    """A system that was started."""

    name: str
    sid: str
    containers: Mapping[str, Mapping[str, str | int]]  # service -> ip_address, port-1, port-2, …
    warnings: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    conn_string: str = ""


class Target(BaseModel):
    """A field of an object, or a whole object: RELEASE stands for the release's name, `*` for what Helm adds."""

    kind: str
    name: str
    path: str


class Row(BaseModel):
    """What became of one key of the compose document: in words, and where that is seen."""

    path: str
    file: str
    line: int
    outcome: str
    target: str
    reason: str
    remedy: str
    local: bool
    targets: Sequence[Target] = ()


class Compiled(BaseModel):
    """A chart, and what became of every key of the compose document."""

    name: str
    version: str
    digest: str
    files: Mapping[str, str]
    report: Sequence[Row]
    warnings: Sequence[Problem] = ()


class Empty(BaseModel):
    """An answer with nothing to say but that it went well."""
