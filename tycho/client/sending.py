"""What every verb of both clients sends, and what it takes of the answer."""

from __future__ import annotations

from typing import Any

from tycho.client.requests import URL, Request, Steps, address, ask, pairs, show_address, succeed


class Sender:
    """A service, as its verbs see it.

    Args:
        url: Where it answers.
    """

    url: str = URL

    def _get(self, *parts: str, **query: Any) -> Steps[Any]:
        """Ask for what is at an address."""
        return (yield from self._send(Request("GET", address(*parts), pairs(**query))))

    def _send(self, request: Request) -> Steps[Any]:
        """Send a request; what it was answered.

        Raises:
            TychoError: The service refuses, or there is none.
        """
        reply = yield from ask(request)
        return succeed(reply, self._describe_address(request.path))

    def _describe_address(self, path: str) -> str:
        return show_address(self.url) + path
