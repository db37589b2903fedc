"""What the orchestrator that runs nothing keeps of a system: its revisions, and what each was made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from msgspec import Struct, field

from tycho.chart import Chart
from tycho.comparison.compose_changes import list_changes
from tycho.orchestrators.moments import Moments
from tycho.orchestrators.simulation import find_names
from tycho.ownership import DESCRIPTION
from tycho.release import Identity, Origin, Release, Revision, ServiceStatus
from tycho.stored import StoredRelease, list_texts
from tycho.suspension import is_paused
from tycho.usernames import real_name


class Stored(Struct, frozen=True):
    """One revision, and what it was made of."""

    revision: Revision
    chart: Chart
    values: str
    services: tuple[ServiceStatus, ...]

    @property
    def release(self) -> StoredRelease:
        """What it was made of, as every back end tells it."""
        number, defaults = self.revision.revision, self.chart.contents.defaults
        return StoredRelease(number, json.loads(self.values), defaults, list_texts(self.chart))


class SystemRevisions(Struct):
    """One system's revisions, oldest first."""

    identity: Identity
    created: datetime
    port: int
    revisions: list[Stored] = field(default_factory=list)
    origin: Origin | None = None
    user: str = ""  # the owner's name itself
    moments: Moments = field(default_factory=Moments)

    def add(self, chart: Chart, values: str, services: tuple[ServiceStatus, ...], description: str) -> list[str]:
        """Make a revision the running one; returns what there is to say of it."""
        notes = list[str]()
        if self.revisions:
            last = self.revisions[-1]
            before, after = ([service.name for service in each] for each in (last.services, services))
            notes = [f"{name}: removed" for name in before if name not in after]
            past = last.revision.model_copy(update={"state": "superseded"})
            self.revisions[-1] = Stored(past, last.chart, last.values, last.services)
        revision = Revision(
            revision=len(self.revisions) + 1,
            state="deployed",
            updated=datetime.now(UTC),
            compose=chart.compose_digest,
            policies=chart.policies_digest,
            chart=f"{chart.name}-{chart.version}",
            description=DESCRIPTION.get() or description,
            username=self.identity.username,
            origin=self.origin,
        )
        added = Stored(revision, chart, values, services)
        if self.revisions:
            changes = list_changes(self.revisions[-1].release, added.release)
            changed = revision.model_copy(update={"changes": tuple(change.words for change in changes)})
            added = Stored(changed, chart, values, services)
        self.revisions.append(added)
        return notes

    def release(self, *notes: str) -> Release:
        """The system as it is."""
        last = self.revisions[-1]
        values = json.loads(last.values)
        workspace_name, conn_string = find_names(last.chart, values)
        return Release(
            identity=self.identity.model_copy(update={"username": real_name(self.identity.username, self.user)}),
            revision=last.revision.revision,
            state="paused" if is_paused(values) else "deployed",
            paused=is_paused(values),
            created=self.created,
            updated=last.revision.updated,
            compose=last.revision.compose,
            policies=last.revision.policies,
            chart=last.revision.chart,
            services=last.services,
            simulated=True,
            notes=notes,
            origin=self.origin,
            workspace_name=workspace_name,
            conn_string=conn_string,
            expiry=self.moments.make_expiry(values, last.revision.updated),
        )
