"""What a revision changed: services, images, and variables by name, never by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from msgspec import Struct, field

from tycho.kinds import POD, WORKLOADS
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm.services import list_containers
from tycho.orchestrators.helm.workloads import COMPONENT, SERVICE

RUNNING = {*WORKLOADS, POD.name}
"""Kinds of objects with a pod that runs a service."""


class Part(Struct):
    """What of one service a reader compares.

    Args:
        images: By container.
        variables: A digest of each value, by name.
        settings: A digest of all else that its workload says.
    """

    images: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    settings: str = ""


def list_changes(before: Iterable[KubeObject], after: Iterable[KubeObject]) -> tuple[str, ...]:
    """List what differs between the manifests of two revisions.

    Args:
        before: The objects of the earlier one.
        after: Those of the later one.

    Returns:
        For example `web: image nginx:1 → nginx:2`, `web: variable LEVEL`, `worker: removed`; sorted by service.
    """
    old, new = _parts(before), _parts(after)
    changes = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            changes.append(f"{name}: removed")
        elif name not in old:
            changes.append(f"{name}: added")
        else:
            changes += [f"{name}: {change}" for change in _compare(old[name], new[name])]
    return tuple(changes)


def _compare(old: Part, new: Part) -> list[str]:
    images = [
        f"image {old.images[container]} → {image}"
        for container, image in new.images.items()
        if old.images.get(container, image) != image
    ]
    names = sorted(
        name
        for name in old.variables.keys() | new.variables.keys()
        if old.variables.get(name) != new.variables.get(name)
    )
    variables = [f"variable{'s' if len(names) > 1 else ''} {', '.join(names)}"] if names else []
    return images + variables or (["settings"] if old.settings != new.settings else [])


def _parts(objects: Iterable[KubeObject]) -> dict[str, Part]:
    listed = list(objects)
    contents = {
        (obj["kind"], obj["metadata"]["name"]): {**(obj.get("data") or {}), **(obj.get("stringData") or {})}
        for obj in listed
        if obj.get("kind") in ("Secret", "ConfigMap")
    }
    parts: dict[str, Part] = {}
    for obj in listed:
        if obj.get("kind") not in RUNNING:
            continue
        metadata = obj["metadata"]
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        if name := annotations.get(SERVICE) or labels.get(COMPONENT, ""):
            _read(parts.setdefault(name, Part()), obj, contents)
    return parts


def _read(part: Part, workload: KubeObject, contents: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
    """Add to a part what a workload says."""
    spec = workload.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template") or {"spec": spec}
    pod = template.get("spec") or {}
    services = list_containers({"metadata": {}, **template})
    for container in (*(pod.get("initContainers") or ()), *(pod.get("containers") or ())):
        if container["name"] not in services:  # it waits for others, or prepares something
            continue
        part.images[container["name"]] = str(container.get("image", ""))
        for source in container.get("envFrom") or ():
            for kind, key in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
                if key in source:
                    for variable, content in contents.get((kind, source[key]["name"]), {}).items():
                        part.variables[variable] = _digest(content)
        for variable in container.get("env") or ():
            part.variables[variable["name"]] = _digest(_value(variable, contents))
    part.settings += _digest(repr(spec))


def _value(variable: KubeObject, contents: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    source = variable.get("valueFrom") or {}
    for kind, key in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
        if key in source:
            return str(contents.get((kind, source[key].get("name", "")), {}).get(source[key].get("key", "")))
    return str(variable.get("value", source))


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
