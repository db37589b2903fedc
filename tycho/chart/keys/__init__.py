"""What becomes of every Compose key: the table, and the report of a system by it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from tycho.chart.artifact import Row
from tycho.chart.keys.concealed import concealed
from tycho.chart.keys.extension import said
from tycho.chart.keys.frozen import frozen
from tycho.chart.keys.key import Case, Key, Table, approximated, ignored, translated
from tycho.chart.keys.naming import list_renamed
from tycho.chart.keys.service import ONCE, SERVICE
from tycho.chart.keys.system import CONFIG, NETWORK, PROJECT, SECRET, VOLUME
from tycho.chart.kinds import JOBS, restarts
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import has_service
from tycho.chart.reserved import CONTROLLERS, ingress_annotations, is_allowed
from tycho.chart.wiring import everything
from tycho.chart.workload import Workload
from tycho.model import Live, Service
from tycho.model.rights import read_grants

__all__ = ["SECTIONS", "SERVICE", "Key", "rows"]

SECTIONS: Mapping[str, Table] = {
    "": PROJECT,
    "services": SERVICE,
    "jobs": SERVICE,
    "networks": NETWORK,
    "volumes": VOLUME,
    "configs": CONFIG,
    "secrets": SECRET,
}
OURS = frozenset({
    "x", "environment_pass", "environment_secret", "files", "entries", "note", "advice", "left_out", "copied",
    "outside", "single", "built",
})  # fmt: skip
"""Fields of the model that are no keys of their own."""
CUT_OFF = "its name has one address that stays, and answers at the ports that are known of it, at no other"
NAMELESS = "a job that listens at no known port has no name while it runs"
GIVE_NAME = "expose gives it one"
STARTED_AGAIN = "not said: what ends is started again, with any exit code; Docker leaves it, and its up does not wait"
ONE_SHOT = 'restart: on-failure (or "no") makes it a job, that may end'
MORE = "expose adds ports; x-tycho: {headless: true} lets every call through"


def rows(layout: ChartLayout) -> Iterator[Row]:
    """One row for every key in use, in the order of the file's sections."""
    system = layout.system
    if system.version is not None:
        yield _row(layout, "version", PROJECT["version"])
    yield from _extensions(layout, "", "", system)
    for name, value in ingress_annotations(system).items():
        if not is_allowed(name, str(value), read_grants(system), CONTROLLERS):
            why = "this name is Kubernetes', Helm's or Tycho's own to set"
            yield _row(layout, f"x-tycho.ingress.annotations.{name}", ignored(why, "use another name"))
    for name in system.models:
        yield _row(layout, f"models.{name}", PROJECT["models"])
    for path, key in list_renamed(layout):
        yield _row(layout, path, key)
    yield from _called(layout)
    yield from _ended(layout)
    for name, service in everything(system).items():
        section = "services" if name in system.services else "jobs"
        yield from _part(layout, section, name, service, service)
    for section in ("networks", "volumes", "configs", "secrets"):
        for name, part in getattr(system, section).items():
            yield from _part(layout, section, name, part, part)
    for path, key in (*concealed(layout), *frozen(layout, SECTIONS)):
        yield _row(layout, path, key)
    for path in layout.unused:
        yield _row(layout, path, translated("nothing: no service uses it"))


def _called(layout: ChartLayout) -> Iterator[Row]:
    """Where peers can call a service: Compose lets every call through, a Service those at the ports that it lists."""
    for pod in layout.workloads:
        ports = layout.ports.get(pod.name, ())
        path = f"{'services' if pod.name in layout.system.services else 'jobs'}.{pod.name}.expose"
        if not has_service(layout, pod):
            yield _row(layout, path, Key("translated", "nothing: no Service", NAMELESS, GIVE_NAME))
            continue
        if pod.headless:
            continue
        target = f"peers can call it at {', '.join(str(port.number) for port in ports)}"
        if numbers := [str(port.number) for port in ports if port.guessed == "call"]:
            why = f"others call it at {', '.join(numbers)}, and the file does not say that it listens there"
            yield _row(layout, path, approximated(target, why, f"expose: {json.dumps(numbers)}"))
        else:
            yield _row(layout, path, Key("translated", target, CUT_OFF, MORE))


def _ended(layout: ChartLayout) -> Iterator[Row]:
    """What becomes of a program that ends, where the file does not say `restart`."""
    for pod in layout.workloads:
        for container in pod.containers:
            if pod.kind not in JOBS and not restarts(everything(layout.system)[container.service]):
                section = "services" if container.service in layout.system.services else "jobs"
                path = f"{section}.{container.service}.restart"
                yield _row(layout, path, Key("translated", pod.kind, STARTED_AGAIN, ONE_SHOT))


def _part(layout: ChartLayout, section: str, name: str, part: BaseModel, service: object) -> Iterator[Row]:
    path = f"{section}.{name}"
    yield from _extensions(layout, section, path, part)
    yield from _fields(layout, SECTIONS[section], path, "", part, (name, service))


def _fields(
    layout: ChartLayout, table: Table, path: str, pattern: str, part: BaseModel, owner: tuple[str, object]
) -> Iterator[Row]:
    written = part.model_fields_set
    for field in type(part).model_fields:
        if field not in written or field in OURS:
            continue
        value = getattr(part, field)
        key = table.get(f"{pattern}{field}")
        if key and f"{pattern}{field}" in ONCE and (home := _host(layout, owner)):
            yield _row(layout, f"{path}.{field}", _shared(layout, layout.homes[home], f"{pattern}{field}", value))
        elif key:
            yield from _judged(layout, key, f"{path}.{field}", value, owner)
        if key and key.whole:
            continue
        if isinstance(value, BaseModel):
            yield from _fields(layout, table, f"{path}.{field}", f"{pattern}{field}.", value, owner)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for index, item in enumerate(value):
                yield from _items(layout, table, f"{path}.{field}[{index}]", f"{pattern}{field}[].", item, owner)
        elif not key:
            yield _row(layout, f"{path}.{field}", Key("rejected", "", "Tycho does not know this key", "remove it"))


def _shared(layout: ChartLayout, home: Workload, field: str, value: object) -> Key:
    """Say what becomes of a key that a pod has once, where the pod is another service's."""
    theirs: object = everything(layout.system)[home.name]
    for part in field.split("."):
        theirs = getattr(theirs, part)
    if value == theirs:
        return translated("that of the pod that it shares")
    return ignored(f"it shares the pod of {home.name}, whose own counts", "say it there")


def _host(layout: ChartLayout, owner: tuple[str, object]) -> str:
    """The service whose pod another one shares."""
    name, service = owner
    if not isinstance(service, Service) or name not in layout.homes or layout.homes[name].name == name:
        return ""
    return layout.homes[name].name


def _items(
    layout: ChartLayout, table: Table, path: str, pattern: str, item: BaseModel, owner: tuple[str, object]
) -> Iterator[Row]:
    """Below a list only what is not the list's own fate has a row."""
    for field in sorted(item.model_fields_set - OURS):
        key, value = table.get(f"{pattern}{field}"), getattr(item, field)
        if not key or value is None:
            continue
        found = list(key.judge(Case(value, layout, owner[0], owner[1], item))) if key.judge else []  # type: ignore[arg-type]
        for added, changed in found:
            yield _row(layout, f"{path}.{field}{added}", changed)
        if not found and key.fate in ("approximated", "ignored") and field != "host_ip":
            yield _row(layout, f"{path}.{field}", key)


def _judged(layout: ChartLayout, key: Key, path: str, value: object, owner: tuple[str, object]) -> Iterator[Row]:
    if _empty(value) and not (key.judge and value == ()):
        return
    found = list(key.judge(Case(value, layout, owner[0], owner[1]))) if key.judge else []  # type: ignore[arg-type]
    for added, one in found:
        yield _row(layout, path + added, one)
    if not found and not _empty(value):
        yield _row(layout, path, key)


def _empty(value: object) -> bool:
    """Whether a key says nothing; one that reads a variable says something, whatever that is worth today."""
    return not isinstance(value, Live) and (value is None or value is False or value in ((), {}, ""))


def _extensions(layout: ChartLayout, section: str, path: str, part: object) -> Iterator[Row]:
    found = getattr(part, "x", {}).get("x-tycho")
    for added, key in said(section, found) if found is not None else ():
        if added == ".secretFiles" and key.fate == "translated" and not any(tree.secrets for tree in layout.configmaps):
            continue  # the shipped list is in every system
        yield _row(layout, f"{path}.x-tycho{added}".lstrip("."), key)


def _row(layout: ChartLayout, path: str, key: Key) -> Row:
    file, line = layout.system.at(path)
    return Row(path, file, line, key.fate, key.target, key.reason, key.remedy, key.local)
