"""`tycho up` asked of a Tycho API (`--service URL`) instead of the cluster: the project travels."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tycho.cli import metadata, show
from tycho.cli.caller import find_origin
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.cli.service import RemoteLifecycle
    from tycho.cli.up_options import InstanceOptions
    from tycho.comparison import Comparison
    from tycho.compose import Sources
    from tycho.files import FileContent
    from tycho.lifecycle import Lifecycle
    from tycho.model import Project
    from tycho.orchestrators import WaitOptions
    from tycho.ownership import Caller
    from tycho.release import Release

LARGEST = 700 * 1024  # bytes of files: in base64 they, the document and the rest fill the request of 1 MiB


async def up(
    lifecycle: Lifecycle,
    sources: Sources,
    instance: InstanceOptions,
    *,
    metadata_file: str,
    images: Mapping[str, str],
    quiet: bool,
    wait_options: WaitOptions,
) -> Release:
    """Start or upgrade a system there: its document goes along, with its variables, its metadata and its files.

    Args:
        lifecycle: The service's verbs.
        sources: The compose files.
        instance: Which system is started or upgraded.
        metadata_file: The file of service metadata, or "".
        images: What services run instead of the document's images.
        quiet: Write no notes.
        wait_options: Whether and how long to wait, and who is told.

    Raises:
        UsageError: There are several documents, or files that cannot travel.
    """
    service, request, caller = await _make_request(lifecycle, sources, instance, metadata_file, images)
    if wait_options.rollback:
        request |= {"rollbackOnFailure": True, "wait": True}
    release = await service.send(request, caller, wait_options)
    if not quiet:
        for note in release.notes:
            show.info(note)
    return release


async def diff(lifecycle: Lifecycle, sources: Sources, instance: InstanceOptions, *, metadata_file: str) -> Comparison:
    """Tell what starting or upgrading a system there would change.

    Args:
        lifecycle: The service's verbs.
        sources: The compose files.
        instance: Which system would be started or upgraded.
        metadata_file: The file of service metadata, or "".

    Raises:
        UsageError: There are several documents, or files that cannot travel.
    """
    service, request, caller = await _make_request(lifecycle, sources, instance, metadata_file, {})
    return await service.diff_request(request, caller)


async def _make_request(
    lifecycle: Lifecycle,
    sources: Sources,
    instance: InstanceOptions,
    metadata_file: str,
    images: Mapping[str, str],
) -> tuple[RemoteLifecycle, dict[str, Any], Caller]:
    """Make the request for a start; with it, who is asked and who asks."""
    from tycho.cli.service import RemoteLifecycle
    from tycho.compose import load

    if not isinstance(lifecycle, RemoteLifecycle):
        raise TypeError("this is no service")
    document = _read_document(sources)
    recorded, files = sources.recorded()
    system = load(recorded)
    for name, image in images.items():
        _write_image(document, "jobs" if name in system.jobs else "services", name, image)
    caller = await lifecycle.identify(find_origin(sources, system))
    running = instance.id or (system.name if instance.modify else "")
    guid = (await lifecycle.find(running, caller=caller)).identity.guid if running else ""
    services = metadata.read(metadata_file)
    request = {
        "name": system.name,
        "system": document,
        "env": _variables(sources, system),
        "services": {name: service.model_dump(exclude_unset=True) for name, service in services.items()},
        "files": _files(sources, files),
        "upgrade": not instance.new,
        "replace": instance.replace,
        "forceConflicts": instance.force_conflicts,
        **({"ttl": instance.ttl} if instance.ttl else {}),
        **({"tycho-guid": guid} if guid and instance.id else {}),
    }
    return lifecycle, request, caller


def _read_document(sources: Sources) -> Any:
    """Read the one document that a request can hold.

    Raises:
        UsageError: There are several, or it is no YAML.
    """
    import yaml

    if len(sources.texts) != 1:
        raise UsageError("a request is one compose document", hint="`tycho config` makes one of several files")
    try:
        return yaml.safe_load(sources.texts[0][1])
    except yaml.YAMLError as error:
        why = getattr(error, "problem", None) or "it cannot be read"  # all that it says may quote a line
        raise UsageError(f"{sources.texts[0][0]} is not YAML: {why}") from None


def _write_image(document: dict[str, Any], section: str, name: str, image: str) -> None:
    """Write the image of a service into a document; one that it includes or extends is merged with that."""
    services = document[section] = dict(document.get(section) or {})
    services[name] = {**(services.get(name) or {}), "image": image.replace("$", "$$")}


def _variables(sources: Sources, system: Project) -> dict[str, str]:
    """Return the variables that the document reads, and no others."""
    return {name: sources.env[name] for name in (*system.variables, *system.baked) if name in sources.env}


def _files(sources: Sources, files: Mapping[str, FileContent]) -> dict[str, Any]:
    """Return the project's files that the document mounts or reads, by their paths below the project's folder.

    Raises:
        UsageError: Some lie outside of that folder, or they are too large together.
    """
    import os

    relative = {os.path.relpath(path, sources.directory): file for path, file in files.items()}
    if outside := sorted(path for path in relative if path.startswith("..")):
        raise UsageError(
            f"{', '.join(outside)}: only files below the project's folder can travel to a service",
            hint="move them there, or copy them into the image",
        )
    if sum(len(file.content) for file in relative.values()) > LARGEST:
        largest = sorted(relative, key=lambda path: -len(relative[path].content))[:3]
        raise UsageError(
            f"the project's files have more than {LARGEST >> 10} KiB, and a request has room for no more",
            hint=f"copy the largest into the image: {', '.join(largest)}",
        )
    return {
        path: {"content": b64encode(file.content).decode(), "executable": bool(file.mode & 0o100)}
        for path, file in relative.items()
    }
