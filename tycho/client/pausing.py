"""The verbs of a service on how much of a system runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho.client.requests import Request, Steps, address, pairs
from tycho.client.sending import Sender
from tycho.client.verb import verb

if TYPE_CHECKING:
    from tycho.wire import System


class PausingVerbs(Sender):
    """Verbs that leave a system's chart, volumes and addresses as they are.

    `force` does it to somebody else's, too; `force_conflicts` takes back what others have changed in the cluster;
    `wait` is how many seconds to wait, 0 for none, and by default the service decides; `if_match` is the ETag that the
    system must still have; `asked` has the `username` and the `origin` of who asks, where no token tells them.
    """

    @verb
    def pause(
        self,
        id: str,
        *,
        force: bool = False,
        force_conflicts: bool = False,
        wait: float | None = None,
        if_match: str = "",
        asked: Mapping[str, Any] | None = None,
    ) -> Steps[System]:
        """Have nothing of a system run; its volumes and addresses stay."""
        return (
            yield from self._change(
                id, "pause", _describe(asked, force=force, conflicts=force_conflicts), wait, if_match
            )
        )

    @verb
    def resume(
        self,
        id: str,
        *,
        force: bool = False,
        force_conflicts: bool = False,
        wait: float | None = None,
        if_match: str = "",
        asked: Mapping[str, Any] | None = None,
    ) -> Steps[System]:
        """Have a paused system run again."""
        return (
            yield from self._change(
                id, "resume", _describe(asked, force=force, conflicts=force_conflicts), wait, if_match
            )
        )

    @verb
    def stop(
        self,
        id: str,
        services: Sequence[str],
        *,
        force: bool = False,
        force_conflicts: bool = False,
        wait: float | None = None,
        if_match: str = "",
        asked: Mapping[str, Any] | None = None,
    ) -> Steps[System]:
        """Have services not run, until they are started or the system is upgraded."""
        body = {"services": [*services], **_describe(asked, force=force, conflicts=force_conflicts)}
        return (yield from self._change(id, "stop", body, wait, if_match))

    @verb
    def start_services(
        self,
        id: str,
        services: Sequence[str],
        *,
        force: bool = False,
        force_conflicts: bool = False,
        wait: float | None = None,
        if_match: str = "",
        asked: Mapping[str, Any] | None = None,
    ) -> Steps[System]:
        """Have services that were stopped run again; `start` starts a system."""
        body = {"services": [*services], **_describe(asked, force=force, conflicts=force_conflicts)}
        return (yield from self._change(id, "start", body, wait, if_match))

    @verb
    def scale(
        self,
        id: str,
        replicas: Mapping[str, int],
        *,
        force: bool = False,
        force_conflicts: bool = False,
        wait: float | None = None,
        if_match: str = "",
        asked: Mapping[str, Any] | None = None,
    ) -> Steps[System]:
        """Have another number of replicas of services, by name."""
        body = {"replicas": {**replicas}, **_describe(asked, force=force, conflicts=force_conflicts)}
        return (yield from self._change(id, "scale", body, wait, if_match))

    def _change(self, id: str, name: str, body: Mapping[str, Any], wait: float | None, if_match: str) -> Steps[System]:
        from tycho.wire import read_system

        headers = {"If-Match": if_match} if if_match else {}
        request = Request("POST", address("system", id, name), pairs(wait=wait), body, headers, safe=True)
        return read_system((yield from self._send(request)))


def _describe(asked: Mapping[str, Any] | None, *, force: bool, conflicts: bool) -> dict[str, Any]:
    """Return the fields that the body of every change has."""
    return {"force": force, "forceConflicts": conflicts, **(asked or {})}
