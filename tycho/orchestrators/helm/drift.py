"""Which fields of live objects are not what the release's manifest says, and who changed them.

Each object is applied without being changed (`dryRun=All`): the API server itself says what the fields that the
manifest names would become, with its own defaults and its own way of writing quantities.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tycho.credentials import MASK
from tycho.errors import NotFound
from tycho.kinds import KINDS, SECRET, RemovalTime
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_annotations
from tycho.masking import Masker, secret_values
from tycho.orchestrators.helm import releases
from tycho.orchestrators.helm.object_changes import HOOK, show_value
from tycho.orchestrators.helm.stored import to_stored
from tycho.release import Drift, Identity

APPLY = {"Content-Type": "application/apply-patch+yaml"}
# A manager of its own: under Helm's, fields that it alone adds to a manifest would count as given up.
QUERY = {"fieldManager": "tycho-drift", "force": "true", "dryRun": "All"}
HELM = ("helm", "tycho")  # managers whose changes are the release's own
SERVER = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid")
Step = str | tuple[str, Any]  # a key of a mapping; or an entry of a list, and what it holds


async def list_drift(api: KubeClient, identity: Identity, revision: int) -> tuple[Drift, ...]:
    """List the fields of a system's objects that are not what a revision says.

    Args:
        api: The cluster.
        identity: Which system.
        revision: The running one.

    Raises:
        Forbidden: The caller may not apply the objects, which looking takes, too.
    """
    payload = await releases.read_payload(api, identity, revision)
    stored = to_stored(payload, revision)
    masker = Masker(dict.fromkeys(secret_values(stored.merged, known=stored.files.values()), MASK))
    objects = [obj for obj in releases.parse_manifest(payload) if obj["kind"] in KINDS and not _is_hook(obj)]
    lists = await asyncio.gather(*(_look(api, identity, obj, masker) for obj in objects))
    return tuple(drift for listed in lists for drift in listed)


async def _look(api: KubeClient, identity: Identity, desired: KubeObject, masker: Masker) -> list[Drift]:
    """Compare an object with what applying it would make of it."""
    kind, name = KINDS[desired["kind"]], desired["metadata"]["name"]
    path = kind.path(identity.namespace, name)
    try:
        live = await api.get(path)
    except NotFound:
        return [Drift(kind=kind.name, name=name)] if kind.removal is not RemovalTime.NEVER else []
    applied = await api.call("PATCH", path, desired, query=QUERY, headers=APPLY)
    managed = live["metadata"].get("managedFields") or ()
    drifts = []
    named = {**desired, "data": {**(desired.get("data") or {}), **(desired.get("stringData") or {})}}
    for steps, before, after in _walk(_without_server(live), _without_server(applied), ()):
        if not _names(named, steps):  # a controller has written between the two looks
            continue
        field = _name(steps)
        hidden = kind is SECRET and field.startswith("data.")
        drifts.append(
            Drift(
                kind=kind.name,
                name=name,
                path=field,
                live=show_value(before, masker, hidden),
                manifest=show_value(after, masker, hidden),
                manager=_find_manager(managed, steps),
            )
        )
    return drifts


def _is_hook(obj: KubeObject) -> bool:
    return HOOK in get_annotations(obj)


def _without_server(obj: KubeObject) -> KubeObject:
    """Leave out what the API server and controllers alone write."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVER}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def _walk(before: Any, after: Any, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any, Any]]:
    """Walk down two states of an object to where they differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*after, *before)):
            yield from _walk(before.get(key), after.get(key), (*steps, str(key)))
    elif isinstance(before, list) and isinstance(after, list):
        old, new = dict(_entries(before)), dict(_entries(after))
        for label in dict.fromkeys((*new, *old)):
            entry = new.get(label, old.get(label))
            yield from _walk(old.get(label), new.get(label), (*steps, (label, entry)))
    elif before != after:
        yield steps, before, after


def _entries(entries: list[Any]) -> Iterator[tuple[str, Any]]:
    names = [str(entry.get("name", "")) if isinstance(entry, Mapping) else "" for entry in entries]
    unique = all(names) and len(set(names)) == len(names)
    for number, (name, entry) in enumerate(zip(names, entries, strict=True)):
        yield (name if unique else str(number)), entry


def _name(steps: Iterable[Step]) -> str:
    """Write a path with dots, and entries of lists in brackets."""
    path = ""
    for step in steps:
        path += f"[{step[0]}]" if isinstance(step, tuple) else f".{step}" if path else step
    return path


def _names(desired: Any, steps: tuple[Step, ...]) -> bool:
    """Tell whether a manifest has a path."""
    for step in steps:
        if isinstance(step, tuple):
            desired = dict(_entries(desired)).get(step[0]) if isinstance(desired, list) else None
        else:
            desired = desired.get(step) if isinstance(desired, Mapping) else None
        if desired is None:
            return False
    return True


def _find_manager(managed: Iterable[KubeObject], steps: tuple[Step, ...]) -> str:
    """Find who owns a field and is not Helm; "" for nobody, as of a field that somebody took away."""
    owners = [
        (entry.get("time", ""), str(entry.get("manager", "")))
        for entry in managed
        if entry.get("manager") not in HELM and entry.get("subresource") != "status"
        if _owns(entry.get("fieldsV1") or {}, steps)
    ]
    return max(owners, default=("", ""))[1]


def _owns(fields: Mapping[str, Any], steps: tuple[Step, ...]) -> bool:
    """Tell whether a set of fields has a path, or something below it."""
    for step in steps:
        below = _step_in(fields, step)
        if below is None:
            return False
        fields = below
    return True


def _step_in(fields: Mapping[str, Any], step: Step) -> Mapping[str, Any] | None:
    if isinstance(step, str):
        return fields.get(f"f:{step}")
    for name, below in fields.items():
        if name.startswith("k:") and isinstance(step[1], Mapping):
            keys = json.loads(name[2:])
            if all(step[1].get(key) == value for key, value in keys.items()):
                return dict(below)
    return None
