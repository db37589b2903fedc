"""What helm would change of the objects of a release: charts are rendered, and compared with stored manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho import workspace
from tycho.chart import Chart, values_yaml, without_origin
from tycho.credentials import MASK
from tycho.errors import NotFound
from tycho.kinds import KINDS, RemovalTime
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.masking import Masker, secret_values
from tycho.orchestrators import Instance
from tycho.orchestrators.helm import prune, releases
from tycho.orchestrators.helm.facts import with_facts
from tycho.orchestrators.helm.helm_program import program
from tycho.orchestrators.helm.process import Helm
from tycho.orchestrators.helm.rendering import Packed
from tycho.orchestrators.helm.stored import rebuild_chart
from tycho.release import Drift, Identity
from tycho.stored import StoredRelease, list_texts

if TYPE_CHECKING:
    from tycho.orchestrators.chart_comparison import ObjectsCompared


class CompareVerbs:
    """The verbs of an orchestrator that compare objects, and change none."""

    api: KubeClient
    helm: Helm

    async def render_changes(self, chart: Chart, instance: Instance, values: Mapping[str, Any]) -> ObjectsCompared:
        """Compare the objects of what runs with those that helm would make of a chart.

        Raises:
            PolicyDenied: It asks for what no policy granted.
        """
        await program()
        identity = instance.identity
        whole = await with_facts(self.api, chart, identity, values)
        with workspace.temporary("chart") as folder:
            packed = Packed(chart, folder / "chart.tgz", values_yaml(whole).encode())
            workspace.write(packed.path, chart.archive())
            after = await packed.render(self.helm, self.api, identity)
        before: list[KubeObject] = []
        secrets = secret_values(values, known=list_texts(chart).values())
        if instance.upgrade:
            number = await releases.find_newest(self.api, identity)
            stored = await releases.read_payload(self.api, identity, number)
            before = releases.parse_manifest(stored)
            secrets |= secret_values(stored.get("config") or {})
        return _compare(before, after, secrets)

    async def stored_changes(self, identity: Identity, before: StoredRelease, after: StoredRelease) -> ObjectsCompared:
        """Compare the objects of two revisions."""
        old, new = [
            releases.parse_manifest(await releases.read_payload(self.api, identity, stored.revision))
            for stored in (before, after)
        ]
        secrets = secret_values(before.merged) | secret_values(after.merged)
        return _compare(old, new, secrets)

    async def drift(self, identity: Identity) -> Sequence[Drift]:
        """List the fields of live objects that are not what the newest revision says."""
        from tycho.orchestrators.helm.drift import list_drift

        return await list_drift(self.api, identity, await releases.find_newest(self.api, identity))

    async def chart(self, identity: Identity, revision: int = 0) -> Mapping[str, bytes]:
        """Return the files of the chart that a revision was made of.

        Raises:
            NotFound: There is no such revision.
        """
        known = await releases.list_revisions(self.api, identity)
        newest = releases.read_number(known[-1]) if known else 0
        stored = await releases.read_payload(self.api, identity, choose_revision(identity, known, revision or newest))
        return rebuild_chart(stored).contents_by_path

    async def is_made_of(self, identity: Identity, secret: KubeObject, values: Mapping[str, Any]) -> bool:
        """Tell whether a revision has these values: a plain `helm upgrade` gives it others, and keeps the labels."""
        stored = await releases.read_payload(self.api, identity, releases.read_number(secret))
        written: dict[str, Any] = json.loads(json.dumps(without_origin(values)))
        return without_origin(stored.get("config") or {}) == written

    async def find_good_revision(self, identity: Identity) -> int:
        """Return the last good revision before the running one.

        Raises:
            NotFound: There is none.
        """
        known = await releases.list_revisions(self.api, identity)
        return choose_revision(identity, known, 0)


def choose_revision(identity: Identity, known: Sequence[KubeObject], revision: int) -> int:
    """Choose the revision that a rollback goes back to.

    Args:
        identity: Which system.
        known: Its revisions, oldest first.
        revision: The one that is asked for; 0 for the last good one before the newest that is not paused.

    Raises:
        NotFound: There is no such revision; names those that there are.
    """
    numbers = [releases.read_number(secret) for secret in known]
    running = [secret for secret in known if not releases.is_paused(secret)]
    target = revision or releases.find_last_good(running, numbers[-1] if numbers else 0)
    if target not in numbers:
        listed = ", ".join(map(str, numbers))
        raise NotFound(f"{identity.name} has no revision {revision or 'before this'}", hint=f"it has: {listed}")
    return target


def _compare(before: list[KubeObject], after: list[KubeObject], secrets: Mapping[str, str]) -> ObjectsCompared:
    from tycho.orchestrators.chart_comparison import ObjectsCompared
    from tycho.orchestrators.helm.object_changes import compare_objects, find_restarted

    masker = Masker(dict.fromkeys(secrets, MASK))
    objects = compare_objects(before, after, masker)
    return ObjectsCompared(objects, find_restarted(before, after), tuple(_list_fixed(before, after)))


def _list_fixed(before: list[KubeObject], after: list[KubeObject]) -> list[str]:
    """Describe the changes of fields that cannot be changed in place."""
    known = {(obj["kind"], obj["metadata"]["name"]): obj for obj in before}
    notes = []
    for obj in after:
        kind, name = obj["kind"], obj["metadata"]["name"]
        if (old := known.get((kind, name))) and (field := prune.immutable(old, obj)):
            refused = kind in KINDS and KINDS[kind].removal is RemovalTime.DOWN
            outcome = "`tycho up` will refuse that" if refused else "it is removed and made anew"
            notes.append(f"{kind} {name} cannot change its {field} in place: {outcome}")
    return notes
