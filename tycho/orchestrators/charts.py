"""What back ends that run charts have in common: the values of an instance, and the verbs that compare values."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from tycho.chart import Chart, RouteContext, emit, release_values
from tycho.differences import Difference, list_differences
from tycho.masking import masked, secret_values
from tycho.model import Json, PolicyResult
from tycho.modification import Modification, Modified, modify_values
from tycho.orchestrators.instance import Artifact, Instance, WaitOptions
from tycho.release import Identity, Release, Revision
from tycho.stored import StoredRelease, merge_values

REQUESTED = ("variables", "services", "secrets", "secretFiles")  # parts of the values that a request decides
PREVIEWED = ("services", "variables")


def instance_values(instance: Instance) -> dict[str, Json]:
    """Return the values of the release that an instance becomes."""
    identity = instance.identity
    return release_values(
        instance.project,
        instance.metadata,
        scope="namespace" if identity.own_namespace else "release",
        guid=identity.guid,
        username=instance.owner,
        origin=instance.origin,
        context=RouteContext(instance.urls, identity) if instance.urls else None,
        account=instance.service_account,
    )


class ChartVerbs(ABC):
    """The verbs that turn what a caller gives into values of a release, or compare it with those that are stored."""

    takes_cluster_options: ClassVar[bool] = True
    builds_in_place: ClassVar[bool] = False
    not_supported: ClassVar[frozenset[str]] = frozenset()

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> Chart:
        """Compile a project with its policies applied into a chart."""
        return emit(policy_result, strict=strict, version=version)

    async def up(self, artifact: Artifact, instance: Instance) -> Release:
        """Run a chart with the values of an instance; what is secret among them is masked in errors."""
        chart, values = _to_chart(artifact), instance_values(instance)
        texts = [text for text in chart.files.values() if isinstance(text, str)]
        with masked(secret_values(values, known=texts)):
            return await self.start(chart, instance, values)

    async def preview(self, artifact: Artifact, instance: Instance) -> tuple[Difference, ...]:
        """List what `up` would change in the values of services and variables."""
        before: Mapping[str, Any] = {}
        if instance.upgrade:
            before = (await self.contents(instance.identity)).merged
        after = merge_values(_to_chart(artifact).contents.defaults, instance_values(instance))
        old, new = ({part: values.get(part) or {} for part in PREVIEWED} for values in (before, after))
        return list_differences(old, new)

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
    async def start(self, chart: Chart, instance: Instance, values: Mapping[str, Any]) -> Release:
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
    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """Return what a revision was made of; 0 is the running one."""

    @abstractmethod
    async def history(self, identity: Identity) -> Sequence[Revision]:
        """Return the revisions that can be gone back to, oldest first."""


def _to_chart(artifact: Artifact) -> Chart:
    if not isinstance(artifact, Chart):
        raise TypeError(f"{artifact.name} was compiled for another back end")
    return artifact
