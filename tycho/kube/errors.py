"""Errors of the API server in Tycho's terms."""

from __future__ import annotations

import json
import re

from tycho.errors import (
    ClusterUnreachable,
    Conflict,
    CredentialsRejected,
    Forbidden,
    NotFound,
    OrchestratorError,
    WaitTimeout,
)
from tycho.text import safe_message
from tycho.time_limit import time_left

NOT_WELL = "look at the API server, and at what is before it: `kubectl get --raw /readyz` asks how it is"
OVER = 0.1  # seconds: with less than that a request has ended for want of time
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


def is_closed(cause: BaseException) -> bool:
    """Return whether a connection was closed before the first byte of an answer.

    Args:
        cause: What urllib3 has met.
    """
    from urllib3.exceptions import ProtocolError

    return isinstance(cause, ProtocolError) and isinstance(cause.args[-1], ConnectionError)


def explain_unreachable(server: str, cause: BaseException) -> OrchestratorError:
    """Make the error for a request that has no answer, with the reason.

    Args:
        server: The API server's address.
        cause: What urllib3 has met.
    """
    from urllib3 import exceptions

    match cause:
        case exceptions.SSLError():
            return ClusterUnreachable(f"{server} shows a certificate that is not trusted: {cause}")
        case exceptions.NameResolutionError():
            reason, hint = "its name is not known", NO_CLUSTER
        case exceptions.NewConnectionError():
            number = getattr(cause.__cause__, "strerror", None) or "the connection is refused"
            reason, hint = number.lower(), NO_CLUSTER
        case exceptions.ConnectTimeoutError() if time_left() > OVER:
            reason, hint = "the connection is not made in time", NO_CLUSTER
        case exceptions.TimeoutError():
            return explain_silence(server, 0)
        case exceptions.ProtocolError() if is_closed(cause):
            reason, hint = "the connection was closed without an answer", NOT_WELL
        case _:
            reason, hint = safe_message(str(cause)), NOT_WELL
    return ClusterUnreachable(f"no Kubernetes cluster answers at {server}: {reason}", hint=hint)


def explain_silence(server: str, seconds: float) -> OrchestratorError:
    """Make the error for an API server that takes a request, and does not answer it.

    Args:
        server: Its address.
        seconds: How long it was waited for; 0 where that is not known.
    """
    if time_left() <= OVER:
        return WaitTimeout(
            f"the time is over, and the Kubernetes cluster at {server} still does not answer", hint=NOT_WELL
        )
    waited = f" within {seconds:g} s" if seconds else ""
    reason = f"the connection is there, and nothing is said{waited}"
    return ClusterUnreachable(f"no Kubernetes cluster answers at {server}: {reason}", hint=NOT_WELL)
