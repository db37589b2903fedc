"""pyhelm3's client over a command whose `run` is ours.

The library starts a shell, which its cancellation ends instead of helm, and it writes tokens into arguments; this
`run` does neither (see `process`). Only the verbs that gain by it come through here: importing pyhelm3 takes as long
as installing a small chart.
"""

from __future__ import annotations

from typing import Any

from pyhelm3 import Client
from pyhelm3.command import Command

from tycho.orchestrators.helm.process import Helm


class OwnCommand(Command):  # type: ignore[misc]  # pyhelm3 has no types
    """The library's verbs on our process."""

    def __init__(self, helm: Helm) -> None:
        super().__init__()
        self._helm = helm

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:
        """Run helm with these arguments."""
        return await self._helm.run([str(word) for word in command], input=input, timeout=600.0)

    def client_version(self) -> Any:
        """Known already: `process` has checked it, without blocking."""
        return None


class OwnClient(Client):  # type: ignore[misc]  # pyhelm3 has no types
    """The library's client; where helm is, `process` knows."""

    def check_executable_exists(self, executable: str) -> None:
        """Nothing to check: helm need not be on PATH."""


def client(helm: Helm) -> OwnClient:
    """A client on our process."""
    return OwnClient(OwnCommand(helm))
