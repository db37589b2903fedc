"""Errors of the API server in Tycho's terms."""

from __future__ import annotations

import json
import re

from tycho.errors import (
    Conflict,
    CredentialsRejected,
    Forbidden,
    NotFound,
    OrchestratorError,
    WaitTimeout,
)
from tycho.text import safe_message

NO_CLUSTER = "`tycho up --local` starts one on this machine, or set KUBECONFIG"
ERROR_BY_STATUS = {401: CredentialsRejected, 403: Forbidden, 404: NotFound, 409: Conflict, 504: WaitTimeout}
KUBELET_REQUEST = re.compile(r'(?:Get|Post) "https?://[^"]*": ')


def parse_error(status: int, body: bytes) -> OrchestratorError:
    """Return the error that an answer of the API server means.

    Args:
        status: The HTTP status.
        body: A `Status` object as JSON, or any text.
    """
    try:
        message = str(json.loads(body).get("message") or "")
    except ValueError:
        message = body[:300].decode(errors="replace")
    error = ERROR_BY_STATUS.get(status, OrchestratorError)
    if KUBELET_REQUEST.match(message):  # the API server passes on what its own request to a node met
        message = f"the node does not answer: {message.rpartition(': ')[2]}"
    return error(safe_message(message) or f"the API server answered {status}")
