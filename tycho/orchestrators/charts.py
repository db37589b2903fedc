"""What back ends that run charts have in common: the values of an instance, and the verbs that compare values.

A verb imports what it takes to compare: nothing of that is for `up`.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tycho.chart import Chart, RouteContext, release_values
from tycho.masking import masked, secret_values
from tycho.model import Json
from tycho.orchestrators.chart_compiler import ChartCompiler
from tycho.orchestrators.instance import Artifact, Instance, WaitOptions
from tycho.orchestrators.pausing import PauseVerbs
from tycho.release import Drift, Identity, Release, Revision
from tycho.stored import StoredRelease, list_texts, merge_values
from tycho.suspension import PAUSED

if TYPE_CHECKING:
    from tycho.comparison import Comparison
    from tycho.modification import Modification, Modified
    from tycho.orchestrators.chart_comparison import ObjectsCompared

REQUESTED = ("variables", "services", "secrets", "secretFiles")  # parts of the values that a request decides


def instance_values(instance: Instance) -> dict[str, Json]:
    """Return the values of the release that an instance becomes."""
    identity = instance.identity
    values = release_values(
        instance.project,
        instance.metadata,
        scope="namespace" if identity.own_namespace else "release",
        guid=identity.guid,
        username=instance.owner,
        origin=instance.origin,
        context=RouteContext(instance.urls, identity) if instance.urls else None,
        account=instance.service_account,
    )
    return {PAUSED: True, **values} if instance.paused else values


class ChartVerbs(ChartCompiler, PauseVerbs):
    """The verbs that turn what a caller gives into values of a release, or compare it with those that are stored."""

    takes_cluster_options: ClassVar[bool] = True
    builds_in_place: ClassVar[bool] = False

    async def up(self, artifact: Artifact, instance: Instance) -> Release:
        """Run a chart with the values of an instance; what is secret among them is masked in errors."""
        chart, values = _to_chart(artifact), instance_values(instance)
        texts = [text for text in chart.files.values() if isinstance(text, str)]
        with masked(secret_values(values, known=texts)):
            return await self.run(chart, instance, values)

    async def diff(self, artifact: Artifact, instance: Instance) -> Comparison:
        """Tell what `up` would change."""
        from tycho.orchestrators.chart_comparison import NOWHERE, compare

        chart, values = _to_chart(artifact), instance_values(instance)
        before = await self.contents(instance.identity) if instance.upgrade else NOWHERE
        after = StoredRelease(before.revision + 1, values, chart.contents.defaults, list_texts(chart))
        with masked(secret_values(values, known=after.files.values())):
            rendered = await self.render_changes(chart, instance, values)
        return compare(instance.identity, before, after, rendered)

    async def drift(self, identity: Identity) -> Sequence[Drift]:
        """Return none: nobody else changes what runs."""
        return ()

    async def diff_revision(self, identity: Identity, revision: int = 0) -> Comparison:
        """Tell what going back to a revision would change."""
        from tycho.orchestrators.chart_comparison import compare

        before, target = await self.contents(identity), revision or await self.find_good_revision(identity)
        after = await self.contents(identity, target)
        rendered = await self.stored_changes(identity, before, after)
        return compare(identity, before, after, rendered).model_copy(update={"target": target})

    async def render_changes(
        self, chart: Chart, instance: Instance, values: Mapping[str, Any]
    ) -> ObjectsCompared | None:
        """Compare the objects of what runs with those that a chart would make; None where it makes none."""
        return None

    async def stored_changes(
        self, identity: Identity, before: StoredRelease, after: StoredRelease
    ) -> ObjectsCompared | None:
        """Compare the objects of two revisions; None where there are none."""
        return None

    async def is_start_of(self, artifact: Artifact, instance: Instance) -> bool:
        """Return whether a system was started from this artifact and instance, as far as anybody still knows."""
        first = (await self.history(instance.identity))[0].revision
        if first > 1:  # after so many changes nobody knows the start any more
            return True
        stored, values = await self.contents(instance.identity, first), instance_values(instance)
        same = all((stored.values.get(part) or {}) == (values.get(part) or {}) for part in REQUESTED)
        return same and stored.compose == artifact.compose

    async def built_images(self, identity: Identity) -> dict[str, dict[str, Any]]:
        """Return the images that services run which were built for them, as values have them."""
        services: Mapping[str, Any] = (await self.contents(identity)).values.get("services") or {}
        images = {name: service.get("image") or {} for name, service in services.items()}
        return {name: image for name, image in images.items() if image.get("builtAs")}

    async def modify(
        self,
        release: Release,
        modification: Modification,
        wait_options: WaitOptions,
        *,
        approve: Callable[[StoredRelease], None],
        dry_run: bool = False,
    ) -> Modified:
        """Give the running chart other values, as a new revision, once a caller's policies approve of it."""
        from tycho.comparison.differences import list_differences
        from tycho.modification import Modified, modify_values

        stored = await self.contents(release.identity, release.revision)
        values = modify_values(stored, modification)
        await asyncio.to_thread(approve, stored)
        differences = list_differences(stored.merged, merge_values(stored.defaults, values))
        if dry_run:
            return Modified(release, differences)
        with masked(secret_values(values, known=stored.files.values())):
            changed = await self.change_values(release.identity, values, wait_options, revision=release.revision)
        return Modified(changed, differences)

    @abstractmethod
    async def run(self, chart: Chart, instance: Instance, values: Mapping[str, Any]) -> Release:
        """Install a chart with these values, or upgrade what runs to it."""

    @abstractmethod
    async def change_values(
        self, identity: Identity, values: Mapping[str, Any], wait_options: WaitOptions, *, revision: int
    ) -> Release:
        """Give the running chart other values.

        Raises:
            PreconditionFailed: The system has another revision than this by now.
        """

    @abstractmethod
    async def find_good_revision(self, identity: Identity) -> int:
        """Return the last good revision before the running one.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """Return what a revision was made of; 0 is the running one."""

    @abstractmethod
    async def history(self, identity: Identity) -> Sequence[Revision]:
        """Return the revisions that can be gone back to, oldest first."""


def _to_chart(artifact: Artifact) -> Chart:
    if not isinstance(artifact, Chart):
        raise TypeError(f"{artifact.name} was compiled for another back end")
    return artifact
