"""What tells two sets of objects apart, field by field; nothing secret is repeated."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tycho.comparison import FieldChange, ObjectChange
from tycho.credentials import MASK
from tycho.kinds import SECRET, WORKLOADS
from tycho.kube.objects import KubeObject, get_annotations
from tycho.masking import Masker
from tycho.orchestrators.helm.services import list_services, pod_template
from tycho.release import ORIGIN

HOOK = "helm.sh/hook"
POLICY = "helm.sh/resource-policy"  # "keep": helm does not remove it
BESIDE = ("helm.sh/chart", "app.kubernetes.io/version", ORIGIN)
"""Labels and annotations that say where an object comes from: they are others with each chart."""
LONGEST = 1000  # characters of a value that is shown
Key = tuple[str, str]  # kind and name


def compare_objects(
    before: Iterable[KubeObject], after: Iterable[KubeObject], masker: Masker
) -> tuple[ObjectChange, ...]:
    """Compare the objects of two manifests; hooks are left out.

    Args:
        before: Those that are.
        after: Those that are to be.
        masker: Knows the secrets of both.

    Returns:
        What comes, goes or is another, by kind and name.
    """
    old, new = _by_key(before), _by_key(after)
    changes = []
    for kind, name in sorted({**old, **new}):
        former, desired = old.get((kind, name)), new.get((kind, name))
        if former is None:
            changes.append(ObjectChange(action="added", kind=kind, name=name))
        elif desired is None:
            if get_annotations(former).get(POLICY) != "keep":
                changes.append(ObjectChange(action="removed", kind=kind, name=name))
        elif fields := tuple(list_fields(former, desired, masker)):
            changes.append(ObjectChange(action="changed", kind=kind, name=name, fields=fields))
    return tuple(changes)


def find_restarted(before: Iterable[KubeObject], after: Iterable[KubeObject]) -> tuple[str, ...]:
    """Find the services whose pods have another template: they are in both manifests, and get new pods."""
    old, new = _templates(before), _templates(after)
    return tuple(name for name in new if name in old and old[name] != new[name])


def list_fields(before: KubeObject, after: KubeObject, masker: Masker) -> Iterator[FieldChange]:
    """List the fields in which two states of an object differ.

    Args:
        before: The one that is.
        after: The one that is to be.
        masker: Knows the secrets of both.
    """
    secret = after.get("kind") == SECRET.name
    for path, old, new in walk(_without_beside(before), _without_beside(after)):
        hidden = secret and path.startswith(("data.", "stringData."))
        yield FieldChange(path=path, before=show_value(old, masker, hidden), after=show_value(new, masker, hidden))


def walk(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Walk down two values to where they differ; entries of lists that have names are compared by these."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*after, *before)):
            yield from walk(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list):
        old, new = _by_name(before), _by_name(after)
        for name in dict.fromkeys((*new, *old)):
            yield from walk(old.get(name), new.get(name), f"{path}[{name}]")
    elif before != after:
        yield path, before, after


def _by_key(objects: Iterable[KubeObject]) -> dict[Key, KubeObject]:
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects if HOOK not in get_annotations(obj)}


def _by_name(entries: list[Any]) -> dict[str, Any]:
    names = [str(entry["name"]) if isinstance(entry, Mapping) and "name" in entry else "" for entry in entries]
    if all(names) and len(set(names)) == len(names):
        return dict(zip(names, entries, strict=True))
    return {str(number): entry for number, entry in enumerate(entries)}


def _without_beside(obj: KubeObject) -> KubeObject:
    metadata = dict(obj["metadata"])
    for part in ("labels", "annotations"):
        kept = {key: value for key, value in (metadata.pop(part, None) or {}).items() if key not in BESIDE}
        metadata |= {part: kept} if kept else {}
    return {**obj, "metadata": metadata}


def show_value(value: Any, masker: Masker, hidden: bool) -> str | None:
    """Write a value as far as it may be shown; None for none."""
    if value is None or hidden:
        return None if value is None else MASK
    text = masker.text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _templates(objects: Iterable[KubeObject]) -> dict[str, list[Any]]:
    """Collect the templates of pods that run each service."""
    templates: dict[str, list[Any]] = defaultdict(list)
    for obj in objects:
        if obj["kind"] in WORKLOADS:
            for service in list_services([obj]):
                templates[service].append(pod_template(obj))
    return templates
