"""Who may knock: until there is authentication, programs of this machine, and no page of a browser's.

A page of a foreign origin can make a browser call loopback: by a form (so other content types than JSON are refused),
by a script (so foreign origins are), or by a name that suddenly means 127.0.0.1 (so foreign hosts are).
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from tycho.errors import Forbidden, SourceError, TychoError, UsageError

MAX_BODY = 1024 * 1024


def loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    if host in ("localhost", "testserver"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refused(method: str, headers: Any) -> TychoError | None:
    """Why a request is refused; None when it is not."""
    if not loopback(urlsplit(f"//{headers.get('host', '')}").hostname or ""):
        return Forbidden("this service answers to loopback names alone", hint="call it as http://127.0.0.1")
    origin = headers.get("origin")
    if origin and not loopback(urlsplit(origin).hostname or ""):
        return Forbidden("pages of other sites may not call this service")
    if method == "POST" and headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return UsageError("the body must be JSON", hint="send Content-Type: application/json")
    size = headers.get("content-length", "0")
    if not size.isdigit() or int(size) > MAX_BODY:
        return SourceError(f"the request is larger than {MAX_BODY >> 20} MiB")
    return None


def bindable(host: str) -> None:
    """Refuse to listen where others could call.

    Raises:
        UsageError: The address is not loopback.
    """
    if not loopback(host):
        raise UsageError(
            f"{host} would let anybody on the network start systems",
            hint="there is no authentication yet: bind 127.0.0.1, and let `kubectl port-forward` or ssh carry it",
        )
