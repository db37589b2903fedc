"""Images and their registries: what `up --pull` pins, and what `status --check-images` says of newer ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from tycho.cli import show
from tycho.cli.columns import Column
from tycho.errors import NotFound, TychoError, UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Compiled, Lifecycle
    from tycho.ownership import Caller
    from tycho.release import Release, ServiceStatus

NONE = "--"
SHOWN = 19  # characters of a digest in a table: `sha256:` and twelve digits, as Docker shows them
COLUMNS = (
    Column("SYSTEM", least=8, enough=16),
    Column("SERVICE", least=8, enough=16),
    Column("IMAGE", least=16, enough=24, from_end=True),
    Column("RUNS", rank=3),
    Column("REGISTRY HAS", rank=2),
    Column("NEWER", least=16, style=lambda text: "yellow" if text == "yes" else ""),
)


async def pull_compiled(
    lifecycle: Lifecycle, compiled: Compiled, *, caller: Caller, guid: str, new: bool, quiet: bool
) -> Compiled:
    """Pin the images of what is ready to run by the digests that their tags have now.

    What runs a tag's digest already is left as it is: only where a digest has moved, an upgrade has something to do.

    Args:
        lifecycle: What starts it.
        compiled: What is ready to run.
        caller: Who asks.
        guid: The system's, where one is named.
        new: Whether it is another instance even when one runs.
        quiet: Say nothing besides.

    Raises:
        OrchestratorError: A registry does not say what a tag stands for.
        UsageError: The back end pulls images itself.
    """
    from tycho.building import add_images
    from tycho.pulling import list_tags, pin_digest

    if lifecycle.orchestrator.builds_in_place:
        raise UsageError("--pull: an engine has its images itself", hint="run `docker compose pull` before")
    project, metadata = compiled.policy_result.system, compiled.metadata
    given = [name for name, entry in metadata.items() if "image" in entry.values]
    tags = list_tags(project, given)
    digests = await _find_all(tags, quiet=quiet)
    running = {} if new else await _find_running(lifecycle, guid or project.name, caller)
    pins = {
        name: pin_digest(reference, digests[reference])
        for name, reference in tags.items()
        if not _runs(running.get(name), reference, digests[reference])
    }
    return structs.replace(compiled, metadata=add_images(metadata, pins))


async def pull_references(project: Any, *, built: Sequence[str], quiet: bool) -> Mapping[str, str]:
    """Return the images of a project by the digests that their tags have now.

    Args:
        project: The project.
        built: Services whose images are built.
        quiet: Say nothing besides.
    """
    from tycho.pulling import list_tags

    tags = list_tags(project, built)
    digests = await _find_all(tags, quiet=quiet)
    return {name: f"{reference}@{digests[reference]}" for name, reference in tags.items()}


async def check_images(releases: Sequence[Release]) -> list[dict[str, str]]:
    """Ask registries for the tags of what runs; what cannot be known is said, and does not keep the others."""
    from tycho.pulling import ImageRegistries, find_tag

    registries = ImageRegistries(show.info)
    services = [(release, service) for release in releases for service in release.services]
    tags = {service.image: find_tag(service.image) for _, service in services if service.image}
    digests = await registries.find_digests(filter(None, tags.values()))
    rows = []
    for release, service in services:
        runs, tag = _list_running(service), tags.get(service.image, "")
        newest = digests.get(tag, "")
        row = {"system": release.identity.name, "guid": release.identity.guid, "service": service.name}
        row |= {"image": service.image, "runs": ",".join(runs), "newest": newest if isinstance(newest, str) else ""}
        rows.append(row | {"newer": await _compare(registries, tag, newest, runs)})
    return rows


def show_checks(rows: Sequence[Mapping[str, str]]) -> None:
    """Write a row for each service."""
    cells = [
        (
            row["system"], row["service"], row["image"] or NONE, row["runs"][:SHOWN] or NONE,
            row["newest"][:SHOWN] or NONE, row["newer"],
        )
        for row in rows
    ]  # fmt: skip
    show.fitted(COLUMNS, cells)


async def _compare(registries: Any, tag: str, newest: str | TychoError, runs: Sequence[str]) -> str:
    """Say whether a registry has another image than what runs: `yes`, `no`, or why that is not known."""
    if isinstance(newest, TychoError):
        return f"unknown: {newest.message}"
    if not tag:
        return "no: it has a digest and no tag"
    if not runs:
        return "unknown: nothing says which image runs"
    if all(digest == newest for digest in runs):
        return "no"
    try:  # a node may tell of the image of its own platform
        return "no" if {*runs} <= {newest, *await registries.list_contained(tag)} else "yes"
    except TychoError as error:
        return f"unknown: {error.message}"


async def _find_all(tags: Mapping[str, str], *, quiet: bool) -> dict[str, str]:
    """Find the digests of references; the first that cannot be found is the error."""
    from tycho.pulling import ImageRegistries

    digests: dict[str, str] = {}
    registries = ImageRegistries((lambda line: None) if quiet else show.info)
    for reference, digest in (await registries.find_digests(tags.values())).items():
        if isinstance(digest, TychoError):
            raise digest
        digests[reference] = digest
    return digests


async def _find_running(lifecycle: Lifecycle, id: str, caller: Caller) -> dict[str, ServiceStatus]:
    """Find the services of a system; none where it does not run."""
    try:
        release = await lifecycle.find(id, caller=caller)
    except NotFound:
        return {}
    (whole,) = await lifecycle.status([release.identity.guid])
    return {service.name: service for service in whole.services}


def _runs(service: ServiceStatus | None, reference: str, digest: str) -> bool:
    """Tell whether a service runs a digest by its tag, so that there is nothing to pin."""
    return service is not None and service.image == reference and service.digests == (digest,)


def _list_running(service: ServiceStatus) -> tuple[str, ...]:
    """List the digests that a service runs; where its node does not say, the one that it was asked to run."""
    from tycho.chart.translate.image import split_image

    asked = split_image(service.image).digest if service.image else ""
    return service.digests or ((asked,) if asked else ())
