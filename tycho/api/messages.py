"""What requests may say; each key is checked, and an unknown one refused."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tycho.model import ServiceMetadata

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"


def _text(value: object) -> object:
    """Environment values are text; a number or a bool is written as JSON has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Value = Annotated[str, BeforeValidator(_text), Field(max_length=65536)]
Name = Annotated[str, Field(pattern=NAME, description="GUID, unique prefix of it, release or project name.")]


class Message(BaseModel):
    """The base of every request."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Start(Message):
    """A system to start: a compose document, its environment, and what is to be said of single services."""

    name: Annotated[str, Field(pattern=NAME, description="The project's name.")]
    system: Annotated[dict[str, Any], Field(description="The compose document.")]
    env: dict[str, Value | None] = {}
    services: dict[str, ServiceMetadata] = {}
    username: Annotated[str, Field(max_length=63)] = ""
    principal: Annotated[str, Field(max_length=65536, description="Who the caller is; kept out of the system.")] = ""
    serviceaccount: Annotated[str, Field(max_length=253)] = ""
    guid: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$", alias="tycho-guid")] = ""
    wait: bool = False


class Query(Message):
    """Which systems: all, one, or a user's."""

    name: Annotated[str, Field(pattern=rf"{NAME[:-1]}$|^$")] = ""
    username: Annotated[str, Field(max_length=63)] = ""


class One(Message):
    """One system."""

    name: Name


class Rollback(One):
    """One system, and the revision to go back to."""

    revision: Annotated[int, Field(ge=0)] = 0
    wait: bool = False


class Envelope(BaseModel):
    """Every answer."""

    status: Annotated[str, Field(pattern="^(success|error)$")]
    result: Any = None
    message: str = ""
