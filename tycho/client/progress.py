"""One thing that happened to a system, as a watch tells of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tycho.errors import TychoError

LAST = ("ready", "failed")


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened to a system; as text it is the line that `tycho up` prints.

    Args:
        kind: `progress`, `log`, `report`, or, as the last one, `ready` or `failed`.
        message: The line.
        id: What a later watch may go on behind.
        revision: Of which revision it tells.
        percent: Of the services that are as asked for.
        service: Which service it is about; "" for the system.
        ready: Its replicas that are.
        wanted: Those that are to be.
        why: Why it is not ready.
        url: Where it answers.
        data: All of it, with what a newer service may add.
    """

    kind: str
    message: str = ""
    id: str = ""
    revision: int = 0
    percent: int = 0
    service: str = ""
    ready: int = 0
    wanted: int = 0
    why: str = ""
    url: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return self.message

    @property
    def last(self) -> bool:
        """Whether nothing comes behind it."""
        return self.kind in LAST


def read_progress(kind: str, text: str, id: str) -> Progress:
    """Read the data of an event.

    Args:
        kind: The event's type.
        text: Its data, as JSON.
        id: The event's id.

    Raises:
        TychoError: It is none of a Tycho's.
    """
    try:
        sent = json.loads(text)
        known = {key: sent[key] for key in Progress.__dataclass_fields__ if sent.get(key) is not None}
    except (ValueError, TypeError, AttributeError):
        raise TychoError("the service sends events that are none of Tycho's") from None
    return Progress(**{**known, "kind": kind, "id": id, "data": sent})
