"""The verbs of both clients that follow what runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tycho.client.sending import Sender
from tycho.client.verb import verb

if TYPE_CHECKING:
    from tycho.client.requests import Steps
    from tycho.wire import System


class TrackingVerbs(Sender):
    """Verbs that take a while, and change nothing."""

    @verb
    def wait(self, id: str, services: Sequence[str] = (), *, timeout: float = 240) -> Steps[System]:
        """Return a system once it is ready.

        Args:
            id: Which system.
            services: These services alone are waited for; all when empty.
            timeout: Seconds to wait; a service waits 240 at most.

        Raises:
            StartFailed: It cannot become ready.
            WaitTimeout: It did not become ready in time.
        """
        from tycho.wire import read_system

        return read_system((yield from self._get("system", id, wait=timeout, services=[*services])))
