"""The verbs that Docker has nothing for: revisions, a registry of charts, and what a cluster alone does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from tycho.comparison import Comparison
from tycho.errors import NotSupported
from tycho.orchestrators.instance import Artifact, Instance, WaitOptions
from tycho.orchestrators.requests import Connection, ExecRequest, Streams
from tycho.release import Drift, Event, Identity, Release, Revision
from tycho.stored import StoredRelease

HELM = "`-b helm` runs a system on a cluster, and does that"
BACK = "`tycho up` with the earlier file brings it back; " + HELM


class UnsupportedVerbs:
    """Each of these verbs says what to do instead."""

    async def diff(self, artifact: Artifact, instance: Instance) -> Comparison:
        """Refuse: nothing is kept that a file could be compared with."""
        _refuse("compares no revisions")

    async def drift(self, identity: Identity) -> Sequence[Drift]:
        """Refuse: an engine does not tell who changed what."""
        _refuse("does not tell what others changed", "`tycho up` makes containers as the file says; " + HELM)

    async def diff_revision(self, identity: Identity, revision: int = 0) -> Comparison:
        """Refuse: there is what runs, and nothing before it."""
        _refuse("keeps no revisions", BACK)

    async def history(self, identity: Identity) -> Sequence[Revision]:
        """Refuse: there is what runs, and nothing before it."""
        _refuse("keeps no revisions")

    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """Refuse: an engine does not keep what a system was made of."""
        _refuse("keeps no revisions")

    async def chart(self, identity: Identity, revision: int = 0) -> Mapping[str, bytes]:
        """Refuse: Docker runs compose files."""
        _refuse("makes no charts")

    async def rollback(self, identity: Identity, revision: int, wait_options: WaitOptions) -> Release:
        """Refuse: there is what runs, and nothing before it."""
        _refuse("keeps no revisions", BACK)

    async def push(self, artifact: Artifact, registry: str, *, plain_http: bool = False) -> str:
        """Refuse: a registry has charts."""
        _refuse("makes no charts")

    def events(self, identity: Identity, services: tuple[str, ...], *, follow: bool) -> AsyncIterator[Event]:
        """Refuse: an engine keeps no events."""
        _refuse("keeps no events", "`tycho logs` shows what containers write; " + HELM)

    async def exec(self, identity: Identity, service: str, program: ExecRequest, streams: Streams) -> int:
        """Refuse: Docker's own command line does that on this machine."""
        _refuse("runs no programs in containers through tycho", f"docker compose -p {identity.release} exec {service}")

    async def ports(self, identity: Identity, service: str) -> tuple[int, ...]:
        """Refuse: containers are on this machine's network already."""
        _refuse("forwards no ports", "publish them: `ports:` in the compose file")

    async def forward(self, identity: Identity, service: str, port: int, connection: Connection) -> None:
        """Refuse: containers are on this machine's network already."""
        _refuse("forwards no ports", "publish them: `ports:` in the compose file")

    async def touch(self, identity: Identity, moment: datetime | None = None) -> None:
        """Refuse: no system ends in time here."""
        _refuse("ends no systems in time")

    async def warn(self, identity: Identity, message: str, moment: datetime) -> bool:
        """Refuse: no system ends in time here."""
        _refuse("ends no systems in time")


def _refuse(reason: str, hint: str = HELM) -> NoReturn:
    raise NotSupported(f"docker {reason}", hint=hint)
