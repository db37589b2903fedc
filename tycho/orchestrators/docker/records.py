"""What an engine keeps of a system beside its containers: an empty volume, whose labels say who it is.

It is there before the first container and goes after the last one, so that nothing of a system is ever lost sight of.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from tycho.docker_cli import DockerCli
from tycho.orchestrators.docker import labels
from tycho.release import Identity

RECORD = ".tycho"  # what its name ends with, after the release's


class Record(Struct, frozen=True):
    """A system that was started on an engine.

    Args:
        identity: Which system.
        created: When it was started first.
        updated: When it was started or changed last.
        labels: All that is kept of it.
    """

    identity: Identity
    created: datetime | None
    updated: datetime | None
    labels: Mapping[str, str]


async def read_records(docker: DockerCli, guid: str = "") -> list[Record]:
    """Read the systems of an engine, oldest first.

    Args:
        docker: The engine.
        guid: Of this system alone; of all when "".
    """
    filters = ["--filter", f"label={labels.CREATED}"]
    filters += ["--filter", f"label={labels.GUID}={guid}"] if guid else []
    names = (await docker.require(["docker", "volume", "ls", "--quiet", *filters])).split()
    volumes = await inspect(docker, "volume", names)
    return sorted(map(_to_record, volumes), key=lambda record: (str(record.created), record.identity.guid))


async def write_record(docker: DockerCli, identity: Identity, digests: Mapping[str, str], last: Record | None) -> None:
    """Write down what is started, in the place of what was there.

    Args:
        docker: The engine.
        identity: Which system.
        digests: Of what it is made of, by label.
        last: What was written at the start before.
    """
    created = last.labels[labels.CREATED] if last else f"{time.time():.3f}"
    first = last.labels.get(labels.FIRST_DIGEST, "") if last else digests[labels.DIGEST]
    entries = {
        labels.GUID: identity.guid,
        labels.NAME: identity.name,
        labels.USER: identity.username,
        labels.ORIGIN: identity.origin,
        labels.CREATED: created,
        labels.FIRST_DIGEST: first,
        **digests,
    }
    kept = {key: value for key, value in entries.items() if value}
    if last and last.labels == kept:
        return
    await _replace_record(docker, identity, kept, last)


async def mark_record(docker: DockerCli, record: Record, marks: Mapping[str, str]) -> None:
    """Write down further what is to be known of a system; "" takes a mark away."""
    kept = {key: value for key, value in {**record.labels, **marks}.items() if value}
    if kept != record.labels:
        await _replace_record(docker, record.identity, kept, record)


async def _replace_record(docker: DockerCli, identity: Identity, kept: Mapping[str, str], last: Record | None) -> None:
    if last:
        await remove_record(docker, identity)
    words = [word for key, value in kept.items() for word in ("--label", f"{key}={value}")]
    await docker.require(["docker", "volume", "create", *words, f"{identity.release}{RECORD}"])


def list_names(record: Record, label: str) -> list[str]:
    """List the services that a label of a record names."""
    return [name for name in record.labels.get(label, "").split(",") if name]


async def remove_record(docker: DockerCli, identity: Identity) -> None:
    """Forget a system."""
    await docker.require(["docker", "volume", "rm", "--force", f"{identity.release}{RECORD}"])


async def list_volumes(docker: DockerCli, identity: Identity) -> list[str]:
    """List the volumes of a system that hold its data."""
    filters = ["--filter", f"label={labels.PROJECT}={identity.release}"]
    return sorted((await docker.require(["docker", "volume", "ls", "--quiet", *filters])).split())


async def read_containers(docker: DockerCli, guid: str = "") -> list[Mapping[str, Any]]:
    """Read the containers of a system, or of all systems."""
    filters = ["--filter", f"label={labels.GUID}{f'={guid}' if guid else ''}"]
    ids = (await docker.require(["docker", "ps", "--all", "--quiet", "--no-trunc", *filters])).split()
    containers = await inspect(docker, "container", ids)
    return [container for container in containers if container["Config"]["Labels"].get(labels.RUN_ALONE) != "True"]


async def read_all(docker: DockerCli, guid: str = "") -> tuple[list[Record], Mapping[str, Sequence[Mapping[str, Any]]]]:
    """Read systems and their containers, by GUID: four questions, however many there are."""
    records, containers = await asyncio.gather(read_records(docker, guid), read_containers(docker, guid))
    by_guid: dict[str, list[Mapping[str, Any]]] = {}
    for container in containers:
        by_guid.setdefault(container["Config"]["Labels"][labels.GUID], []).append(container)
    return records, by_guid


async def inspect(docker: DockerCli, kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Read what the engine knows of some objects; one that is gone by then is left out."""
    if not names:
        return []
    completed = await docker.run(["docker", kind, "inspect", *names])
    objects: list[dict[str, Any]] = json.loads(completed.stdout or "[]")
    return objects


def parse_time(text: str) -> datetime | None:
    """Parse a moment as the engine writes it, with nanoseconds; None for the zero that means never."""
    if not text or text.startswith("0001"):
        return None
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).astimezone(UTC)


def _to_record(volume: Mapping[str, Any]) -> Record:
    kept: Mapping[str, str] = volume["Labels"]
    release = str(volume["Name"]).removesuffix(RECORD)
    identity = Identity(
        guid=kept[labels.GUID],
        name=kept.get(labels.NAME, release),
        release=release,
        namespace=release,
        username=kept.get(labels.USER, ""),
        origin=kept.get(labels.ORIGIN, ""),
    )
    created = datetime.fromtimestamp(float(kept[labels.CREATED]), UTC)
    return Record(identity, created, parse_time(volume.get("CreatedAt", "")), kept)
