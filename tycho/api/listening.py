"""Where the service listens, and how: on this machine, or further away for callers who must say who they are."""

from __future__ import annotations

import os
import socket
import ssl
from typing import Any

from msgspec import Struct

from tycho.api.guard import loopback
from tycho.errors import UsageError


class Listening(Struct, frozen=True):
    """An address, and what is spoken there.

    Args:
        host: Address to listen on.
        port: TCP port; 0 is any free one.
        tls_cert: File with the certificate and those that signed it; "" for HTTP.
        tls_key: File with its key.
        client_ca: File with the authority whose certificate every connection must show; "" for any connection.
        plain_http: Whether HTTP may be spoken beyond this machine.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    tls_cert: str = ""
    tls_key: str = ""
    client_ca: str = ""
    plain_http: bool = False

    @property
    def tls(self) -> dict[str, Any]:
        """What uvicorn is told of TLS."""
        if not self.tls_cert:
            return {}
        options: dict[str, Any] = {"ssl_certfile": self.tls_cert, "ssl_keyfile": self.tls_key}
        if self.client_ca:
            options |= {"ssl_ca_certs": self.client_ca, "ssl_cert_reqs": ssl.CERT_REQUIRED}
        return options

    def check(self, *, authenticated: bool) -> None:
        """Refuse to serve anybody but programs of this machine without knowing who asks, or in the clear.

        Args:
            authenticated: Whether callers must prove who they are.

        Raises:
            UsageError: Says what is missing.
        """
        if bool(self.tls_cert) != bool(self.tls_key):
            raise UsageError("TLS takes a certificate and its key", hint="add --tls-cert FILE --tls-key FILE")
        if self.client_ca and not self.tls_cert:
            raise UsageError("callers show certificates over TLS alone", hint="add --tls-cert FILE --tls-key FILE")
        if self.tls_cert and self.plain_http:
            raise UsageError("it is TLS or plain HTTP", hint="leave out --plain-http")
        if not loopback(self.host):
            if not authenticated:
                raise UsageError(
                    f"{self.host} lets anybody on the network start systems",
                    hint="leave out --host for 127.0.0.1, or write --tokens FILE, --token-review or --proxy-header",
                )
            if not (self.tls_cert or self.plain_http):
                raise UsageError(
                    f"at {self.host} tokens travel unencrypted",
                    hint="add --tls-cert FILE --tls-key FILE; or --plain-http, where nobody else is on the way",
                )
        if self.tls_cert:
            self._load()

    def listen(self) -> socket.socket:
        """Open the listening socket.

        Raises:
            UsageError: The port is taken, or is none.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family)
        except OverflowError:
            raise UsageError(f"{self.port} is not a port", hint="write 0 for any free one, or at most 65535") from None
        except OSError as error:
            reason = os.strerror(error.errno or 0) if (error.errno or 0) > 0 else "there is no such address"
            hint = "-p names another"
            raise UsageError(f"cannot listen on {self.host}, port {self.port}: {reason}", hint=hint) from error

    def url(self, listener: socket.socket) -> str:
        """Return the address of a listener."""
        name, number = listener.getsockname()[:2]
        scheme = "https" if self.tls_cert else "http"
        return f"{scheme}://[{name}]:{number}" if ":" in name else f"{scheme}://{name}:{number}"

    def _load(self) -> None:
        """Look whether the files of TLS can be used, before anything is promised; a key with a password cannot."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key, password="")
            if self.client_ca:
                context.load_verify_locations(self.client_ca)
        except (FileNotFoundError, PermissionError) as error:
            raise UsageError(f"a file of TLS cannot be read: {error.strerror}", local=self.tls_cert) from error
        except (OSError, ValueError) as error:
            fits = "MISMATCH" not in str(error)
            why = "they are no PEM files without a password" if fits else "certificate and key do not fit"
            raise UsageError(f"the files of TLS cannot be used: {why}", local=self.tls_cert) from error
