"""Every place where a document may name or say something: how a text gets there, and where it comes out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chart.conftest import Object, expanded

Put = Callable[["Draft", int, str], None]
Look = Callable[["View", int, str], object]
MARK = "TYCHO_MARK"  # a variable that tells services apart, whatever their names


@dataclass
class Draft:
    """A compose document that grows: service number n has one payload in each of its places."""

    document: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    profiles: list[str] = field(default_factory=list)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)

    def service(self, number: int, name: str | None = None, section: str = "services") -> dict[str, Any]:
        known = self.top(section).setdefault(
            f"s{number}" if name is None else name, {"image": "image", "environment": {}}
        )
        known["environment"][MARK] = str(number)
        return known  # type: ignore[no-any-return]

    def top(self, section: str) -> dict[str, Any]:
        return self.document.setdefault(section, {})  # type: ignore[no-any-return]

    def inside(self, number: int, path: str) -> dict[str, Any]:
        """A mapping below a service."""
        part = self.service(number)
        for key in filter(None, path.split(".")):
            part = part.setdefault(key, {})
        return part

    def add(self, number: int, key: str, entry: object) -> None:
        self.service(number).setdefault(key, []).append(entry)


class View:
    """What Helm rendered, found by the number of a service."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self.objects = list(objects)
        self.workloads = {}
        for rendered in self.objects:
            spec = rendered.get("spec") or {}
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            if pod := spec.get("template"):
                for container in pod["spec"]["containers"]:
                    marks = [entry["value"] for entry in container["env"] if entry["name"] == MARK]
                    self.workloads[int(marks[0])] = (rendered, pod, container)

    def pod(self, number: int) -> Object:
        return self.workloads[number][1]["spec"]  # type: ignore[no-any-return]

    def container(self, number: int) -> Object:
        return self.workloads[number][2]

    def notes(self, number: int) -> Mapping[str, str]:
        return self.workloads[number][1]["metadata"]["annotations"]  # type: ignore[no-any-return]

    def env(self, number: int) -> dict[str, str]:
        """A container's environment as its process would see it."""
        return dict(self._entries(self.container(number)))

    def _entries(self, container: Object) -> Iterable[tuple[str, str]]:
        for source in container.get("envFrom", ()):
            yield from self.secret(source["secretRef"]["name"]).items()
        for entry in container["env"]:
            if "value" in entry:
                yield entry["name"], expanded(entry["value"])
            else:
                ref = entry["valueFrom"]["secretKeyRef"]
                yield entry["name"], self.secret(ref["name"])[ref["key"]]

    def named(self, kind: str, name: str) -> Object:
        (match,) = [
            rendered for rendered in self.objects if (rendered["kind"], rendered["metadata"]["name"]) == (kind, name)
        ]
        return match

    def secret(self, name: str) -> dict[str, str]:
        entries = self.named("Secret", name).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in entries.items()}

    def files(self, number: int, prefix: str) -> dict[str, bytes]:
        """Path to content of the files that a pod mounts from ConfigMaps."""
        files = {}
        for volume in self.pod(number)["volumes"]:
            if "configMap" in volume and volume["name"].startswith(prefix):
                configmap = self.named("ConfigMap", volume["configMap"]["name"])
                contents = {key: text.encode() for key, text in (configmap.get("data") or {}).items()}
                contents |= {key: base64.b64decode(text) for key, text in (configmap.get("binaryData") or {}).items()}
                items = volume["configMap"].get("items") or [{"path": name, "key": name} for name in contents]
                files |= {entry["path"]: contents[entry["key"]] for entry in items}
        return files

    def filled(self, number: int) -> list[str]:
        """The words of the containers that fill volumes, as their programs see them."""
        before = self.pod(number).get("initContainers", ())
        return [
            expanded(word)
            for container in before
            if container["name"].startswith("fill-")
            for word in container["args"]
        ]

    def mounts(self, number: int) -> dict[str, str]:
        return {mount["mountPath"]: mount.get("subPath", "") for mount in self.container(number)["volumeMounts"]}


@dataclass(frozen=True)
class Place:
    """Where a text stands.

    Args:
        name: What the place is called.
        at: The compose path below which problems and rows must lie; `{n}` is the service's number, `{p}` the payload.
        put: Writes the text there.
        look: What came of it: the text itself, or a collection that holds it.
        keys: Whether it is a key, in which Compose replaces no variables.
        also: Where the same text is said a second time.
    """

    name: str
    at: str
    put: Put
    look: Look
    keys: bool = False
    also: str = ""


def below(path: str, key: str, look: Look, name: str = "", *, keys: bool = False) -> Place:
    """A place in a mapping below a service: the value of a key, or a key itself."""

    def put(draft: Draft, number: int, text: str) -> None:
        if keys:
            draft.inside(number, path)[text] = key
        else:
            draft.inside(number, path)[key] = text

    at = f"services.s{{n}}.{path}" if keys or path else f"services.s{{n}}.{key}"
    return Place(name or f"{path} {'key' if keys else key}", at, put, look, keys)


def entry(key: str, look: Look, wrap: Callable[[str], object] = str, name: str = "", also: str = "") -> Place:
    """A place in a list of a service."""
    return Place(
        name or f"{key} item",
        f"services.s{{n}}.{key}",
        lambda draft, number, text: draft.add(number, key, wrap(text)),
        look,
        also=also,
    )


def keys_with(mapping: Callable[[View, int], Mapping[str, Any]], *values: str) -> Look:
    """Look for the keys that have one of these values."""
    return lambda view, number, text: [name for name, held in mapping(view, number).items() if held in values]


def hook(key: str, field_: str) -> Look:
    return lambda view, number, text: [
        expanded(word) if field_ == "args" else word for word in _hook_words(view, number, key, field_)
    ]


def _hook_words(view: View, number: int, key: str, field_: str) -> list[str]:
    if field_ == "args":
        return [word for container in view.pod(number)["initContainers"] for word in container["args"]]
    return view.container(number)["lifecycle"][key]["exec"]["command"]  # type: ignore[no-any-return]


def init(field_: str) -> Look:
    return lambda view, number, text: [container.get(field_) for container in view.pod(number)["initContainers"]]


def of_pod(key: str, pick: Callable[[Any], object] = lambda value: value) -> Look:
    return lambda view, number, text: pick(view.pod(number)[key])


def of_container(key: str, pick: Callable[[Any], object] = lambda value: value) -> Look:
    return lambda view, number, text: pick(view.container(number)[key])


def words(listed: Any) -> list[str]:
    return [expanded(word) for word in listed]
