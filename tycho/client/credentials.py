"""Who the caller is to a service: the token of a request, found where it is kept, and sent over nothing that leaks it.

In order: the argument, TYCHO_TOKEN, the file that TYCHO_TOKEN_FILE names, a pod's projected token of the audience
`tycho`, and outside of a cluster whatever the caller was found with (`TychoClientFactory`). A pod's token for the API
server is never used: a service would hold the pod's rights in the cluster.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tycho.client.requests import show_address
from tycho.errors import UsageError

PROJECTED = Path("/var/run/secrets/tycho/token")
API_TOKENS = re.compile(r"/(var/)?run/secrets/kubernetes\.io/")
LARGEST = 1 << 16  # bytes of a token
WRITTEN = re.compile(r"[\x21-\x7e]+")
PLAIN = "use https://, or allow it by plain_http=True or TYCHO_PLAIN_HTTP=1 where the network itself is private"


class Credentials:
    """The token that goes with a request; a file is read again for each, since its token may be replaced.

    Args:
        url: The service's address.
        token: What the caller gave; None where he gave none, and "" for no token at all.
        plain_http: Whether a token may travel unencrypted to another machine.
        borrow: Gets a token where none is found; told whether the last one was refused.
    """

    def __init__(
        self, url: str, token: str | None, *, plain_http: bool, borrow: Callable[[bool], str] | None = None
    ) -> None:
        from tycho.settings import settings

        self._url = url
        self._token = token
        self._open = plain_http or settings().plain_http or is_private(url)
        self._borrow = borrow

    def __repr__(self) -> str:
        return "Credentials(***)"

    @property
    def kept_back(self) -> bool:
        """Whether a token that could be had is not asked for, since it would travel unencrypted."""
        return self._borrow is not None and not self._open

    @property
    def renewable(self) -> bool:
        """Whether another token may be had where one is refused."""
        return self._borrow is not None and self._open

    def find(self, *, refused: bool = False) -> str:
        """Return the token; "" where there is none.

        Args:
            refused: Whether the service did not take the last one.

        Raises:
            UsageError: It cannot be read, is none, or would travel unencrypted.
        """
        given = self._token if self._token is not None else _find_kept()
        if given:
            if not WRITTEN.fullmatch(given):
                raise UsageError("the token for the service holds characters that no token has", hint="copy it again")
            if not self._open:
                raise UsageError(f"a token is not sent unencrypted to {show_address(self._url)}", hint=PLAIN)
        elif self._token is None and self.renewable and self._borrow:
            return self._borrow(refused)
        return given


def is_private(url: str) -> bool:
    """Return whether nobody else hears what is sent to an address: it is encrypted, or goes to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme.lower() == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _find_kept() -> str:
    """Find the token that this process, or its pod, was given."""
    from tycho.settings import settings

    known = settings()
    if known.token:
        return known.token
    if known.token_file:
        return _read(Path(known.token_file), "TYCHO_TOKEN_FILE")
    return _read(PROJECTED, "the pod's token") if PROJECTED.is_file() else ""


def _read(path: Path, what: str) -> str:
    """Read a token's file.

    Raises:
        UsageError: It cannot be read, or is the pod's token for the API server.
    """
    if API_TOKENS.match(str(path)) or API_TOKENS.match(str(path.resolve())):
        raise UsageError(
            f"{what} is the pod's token for the API server, which no service may have",
            hint="project one with the audience tycho",
        )
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{what} ({path}) cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise UsageError(f"{what} ({path}) is too large for a token")
    return content.decode("ascii", "replace").strip()
