"""What both clients are made of beside their verbs: address, credentials, and what a connection is made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tycho.client.credentials import PLAIN, Credentials
from tycho.client.requests import URL, Lost, Reply, Request, show_address
from tycho.client.verbs import Verbs
from tycho.errors import Unauthorized, UsageError

if TYPE_CHECKING:
    import ssl

    import httpx2

CONNECT = 10.0  # seconds to reach a service


class Base(Verbs):
    """A service, and who the caller is to it; see `TychoClient`.

    Args:
        url: Where it answers.
        timeout: Seconds that one call may take, where `tycho.time_limit` leaves it as many.
        token: Says who the caller is.
        ca_file: Certificates of the authorities that the service's may be of.
        plain_http: Let a token travel unencrypted to another machine.
        borrow: Gets a token where none is found: `TychoClientFactory` knows how.
    """

    def __init__(
        self,
        url: str = URL,
        *,
        timeout: float = 330.0,
        token: str | None = None,
        ca_file: str = "",
        plain_http: bool = False,
        borrow: Callable[[bool], str] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._credentials = Credentials(self.url, token, plain_http=plain_http, borrow=borrow)
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({show_address(self.url)})"

    def connection(self) -> dict[str, Any]:
        """Return what a client of the HTTP library is made with.

        Raises:
            UsageError: The file of authorities cannot be read.
        """
        return {"trust_env": False, "verify": self._verify()}

    def _verify(self) -> Any:
        """Return how a service's certificate is checked; never not at all."""
        import ssl

        from tycho.settings import settings

        file = self._ca_file or settings().ca_file
        if not file or not self.url.lower().startswith("https:"):
            return True
        if self._context is None:
            try:
                self._context = ssl.create_default_context(cafile=file)
            except OSError as error:
                reason = error.strerror or "it holds no certificates"
                raise UsageError(f"the file of authorities {file} cannot be read: {reason}") from None
        return self._context

    def call(self, request: Request, token: str, seconds: float) -> dict[str, Any]:
        """Return a request as the HTTP library takes it.

        Args:
            request: What is asked.
            token: Says who asks; "" for nobody.
            seconds: How long nothing may come; the library knows no time for the whole answer.
        """
        import httpx2

        headers = {"Accept": "application/json", **request.headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = {"json": dict(request.body)} if request.body is not None else {}
        address = f"{self.url}{request.path}"
        query = {"params": list(request.query)} if request.query else {}
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT, seconds))
        return {"method": request.method, "url": address, "headers": headers, "timeout": timeout, **query, **body}

    def find_token(self, *, refused: bool = False) -> str:
        """Return the token that goes along; "" where there is none."""
        return self._credentials.find(refused=refused)

    def again(self, reply: Reply) -> bool:
        """Return whether a request is to be sent again with a new token.

        Raises:
            Unauthorized: The service wants a token, and the one that could be had must not travel unencrypted.
        """
        if reply.status != Unauthorized.http_status:
            return False
        if self._credentials.kept_back:
            raise Unauthorized(f"{show_address(self.url)} needs a token, which is not sent unencrypted", hint=PLAIN)
        return self._credentials.renewable

    def judge(self, reply: Reply) -> Reply | Lost:
        """Return an answer that is no stream; one that only wants another token counts as none, since it is got here.

        Raises:
            Unauthorized: The service wants a token, and the one that could be had must not travel unencrypted.
        """
        if not self.again(reply):
            return reply
        self.find_token(refused=True)
        return Lost(Unauthorized(f"{show_address(self.url)} refuses every token"), sent=True)


def read_reply(response: httpx2.Response) -> Reply:
    """Return what came back, wholly read."""
    return Reply(response.status_code, response.headers, response.content)


def failures() -> tuple[type[Exception], ...]:
    """List what the HTTP library raises where there is no reply."""
    import httpx2

    return httpx2.HTTPError, httpx2.InvalidURL, UnicodeEncodeError, TimeoutError
