"""A proxy that says in a header who asks: believed from those addresses that were named, and from nobody else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tycho.access.subject import OWN, Subject
from tycho.errors import Unauthorized, UsageError
from tycho.text import printable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = Iterable[tuple[bytes, bytes]]
NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}[A-Za-z0-9]")
TAKEN = {"authorization", "host", "origin", "content-type", "content-length", "cookie", "x-request-id", "accept"}


class Proxy(Struct, frozen=True):
    """What is believed of a proxy.

    Args:
        header: The header with the user's name.
        networks: Where the proxy is; empty where every connection has shown a certificate of the proxies' authority.
    """

    header: str
    networks: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        """Check the header's name.

        Raises:
            UsageError: It can be no header, or means something else already.
        """
        if not NAME.fullmatch(self.header) or self.header.lower() in TAKEN:
            raise UsageError(f'"{printable(self.header)}" cannot name a user', hint="write for example X-Remote-User")

    def trusts(self, address: str) -> bool:
        """Return whether a peer is the proxy."""
        if not self.networks:
            return True
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None) or peer
        return any(mapped.version == network.version and mapped in network for network in self.networks)

    def read(self, headers: Sequence[tuple[bytes, bytes]]) -> Subject | None:
        """Read who asks; None where the proxy does not say so.

        Raises:
            Unauthorized: It says so twice, or says what is no name.
        """
        values = [value for name, value in headers if name.lower() == self.header.lower().encode()]
        if not values:
            return None
        if len(values) > 1:
            raise Unauthorized(
                f"{self.header} was sent twice", hint="configure the proxy to replace what its callers send"
            )
        try:
            return Subject(values[0].decode("utf-8"), "proxy", OWN)
        except UnicodeDecodeError:
            raise Unauthorized(f"{self.header} is not UTF-8") from None

    def strip(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """Return a request's headers without the user's name, in whichever spelling."""
        return [(name, value) for name, value in headers if _plain(name) != _plain(self.header.encode())]


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and ranges of them.

    Raises:
        UsageError: One is neither.
    """
    networks = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text.strip()))
        except ValueError as error:
            raise UsageError(
                f'"{printable(text)}" is no range of addresses: {error}', hint="write for example 10.0.0.7/32"
            ) from None
    return tuple(networks)


def _plain(name: bytes) -> bytes:
    """A header's name without what some servers take for the same."""
    return re.sub(rb"[^a-z0-9]", b"", name.lower())
