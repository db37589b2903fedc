"""The verbs of both clients about the time that systems run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.client.requests import Request, Steps, address
from tycho.client.sending import Sender
from tycho.client.verb import verb

if TYPE_CHECKING:
    from tycho.wire import System


class TouchVerbs(Sender):
    """Verbs that say when a system is used."""

    @verb
    def touch(self, id: str, moment: str = "", *, force: bool = False) -> Steps[System]:
        """Note that a system is used: where it ends when nobody uses it, its idle time begins again.

        Args:
            id: Which system.
            moment: When it was used, as RFC 3339 writes it; now by default.
            force: Do it to somebody else's, too.
        """
        from tycho.wire import read_system

        body = {"force": force, **({"moment": moment} if moment else {})}
        return read_system((yield from self._send(Request("POST", address("system", id, "touch"), body=body))))
