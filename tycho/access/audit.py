"""Who did what to which system: a line of JSON for each verb that changes something, without a word of what he sent."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from msgspec import Struct

from tycho.errors import TychoError

LOG = logging.getLogger("tycho.audit")


class AuditedRequest(Struct, frozen=True):
    """What a line repeats of a request.

    Args:
        who: The caller's name, or his address where nobody has to say his name.
        how: What proved it; "" where nothing did.
        token: The token's name in the token file.
        address: Of whoever holds the connection.
        request_id: The request's id.
    """

    who: str
    how: str = ""
    token: str = ""
    address: str = ""
    request_id: str = ""


def write(
    source: AuditedRequest,
    verb: str,
    *,
    system: str,
    namespace: str = "",
    owner: str = "",
    error: BaseException | None = None,
) -> None:
    """Write the line of one verb on one system.

    Args:
        source: Who asked.
        verb: What for.
        system: The system's GUID with its name, or the id that was asked for.
        namespace: Where it runs.
        owner: Whose it is.
        error: What went wrong; its name alone is written, for its words may repeat what was sent.
    """
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "who": source.who,
        "how": source.how,
        "token": source.token,
        "address": source.address,
        "verb": verb,
        "system": system,
        "namespace": namespace,
        "owner": owner,
        "request_id": source.request_id,
        "outcome": _outcome(error),
    }
    LOG.info("%s", json.dumps({key: value for key, value in line.items() if value}))


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "success"
    return error.reason() if isinstance(error, TychoError) else type(error).__name__
