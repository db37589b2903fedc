"""The verbs of a service that tell what a system is made of, with the interface that commands use on a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho.client import AsyncTychoClient
from tycho.errors import NotFound
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.ownership import Caller
from tycho.release import Drift, Revision
from tycho.stored import StoredRelease

if TYPE_CHECKING:
    from tycho.comparison import Comparison


def describe(wait_options: WaitOptions) -> dict[str, Any]:
    """Return the fields of a request that say how a change is made."""
    return {"forceConflicts": True} if wait_options.force_conflicts else {}


class RemoteReading(Lifecycle):
    """Asks a service what systems are made of."""

    client: AsyncTychoClient

    async def history(self, id: str) -> Sequence[Revision]:
        """List the revisions of a system, oldest first."""
        known = set(Revision.model_fields)
        rows = await self.client.revisions(id)
        return [Revision.model_validate({key: row[key] for key in known & row.keys()}) for row in rows]

    async def contents(self, id: str, revision: int = 0) -> StoredRelease:
        """Return the values, the report and the compose file of a system; secrets are masked."""
        from tycho.chart.chart import COMPOSE_FILE, REPORT
        from tycho.text import json_text

        values, merged, report, compose = await asyncio.gather(
            self.client.values(id, revision=revision),
            self.client.values(id, revision=revision, all=True),
            self.client.report(id, revision=revision),
            self._compose(id, revision),
        )
        return StoredRelease(revision, values, merged, {REPORT: json_text(report), COMPOSE_FILE: compose})

    async def chart(self, id: str, revision: int = 0) -> Mapping[str, bytes]:
        """Return the files of the chart that a system was made of."""
        return await self.client.chart(id, revision=revision)

    async def diff_request(self, request: Mapping[str, Any], caller: Caller) -> Comparison:
        """Tell what starting or upgrading what a request holds would change."""
        return await self.client.diff({**request, **await self.describe_caller(caller, None)})

    async def drift(self, id: str) -> Sequence[Drift]:
        """List the fields of live objects that are not what the release says."""
        return await self.client.drift(id)

    async def diff_revision(self, id: str, revision: int = 0) -> Comparison:
        """Tell what going back to a revision would change."""
        return await self.client.diff_revision(id, revision)

    async def describe_caller(self, caller: Caller | None, force: bool | None) -> dict[str, Any]:
        """Return the fields of a request that name the caller, the project and --force."""
        caller = caller or await self.identify()
        fields: dict[str, Any] = {} if force is None else {"force": force}
        if caller.username:
            fields["username"] = caller.username
        if caller.origin:
            fields["origin"] = caller.origin.model_dump(exclude={"project"})
        return fields

    async def _compose(self, id: str, revision: int) -> str:
        """Return the compose file of a system; "" for a chart that has none in it."""
        try:
            return await self.client.compose(id, revision=revision)
        except NotFound:
            return ""
