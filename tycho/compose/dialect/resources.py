"""`deploy.resources.{limits,reservations}.{gpus,ephemeralStorage}`."""

from __future__ import annotations

import re

from tycho.compose.dialect.notes import Notes
from tycho.compose.yaml_nodes import YamlNode

SIDES = ("limits", "reservations")
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)


def translate_resources(service: YamlNode, path: str, notes: Notes) -> None:
    """Translate the resources of a service that Compose says elsewhere, or does not know by that name.

    Args:
        service: It changes.
        path: Its Compose path.
        notes: Where uses and problems go.
    """
    deploy = service.get("deploy")
    resources = deploy.get("resources") if deploy else None
    if deploy is None or resources is None:
        return
    sides = [(side, resources.map[side]) for side in SIDES if side in resources.map]
    for key, translate in (("gpus", _translate_gpus), ("ephemeralStorage", _translate_storage)):
        uses = [(f"{path}.deploy.resources.{side}.{key}", node.map.pop(key)) for side, node in sides if key in node.map]
        if uses:
            translate(service, resources, path, uses, notes)


def _translate_gpus(
    service: YamlNode, resources: YamlNode, path: str, uses: list[tuple[str, YamlNode]], notes: Notes
) -> None:
    """Ask for devices as Compose does: a reservation of so many."""
    becomes = f"{path}.deploy.resources.reservations.devices"
    first_path, first = uses[0]
    text = str(first.value)
    if not _COUNT.fullmatch(text) and "$" not in text:
        notes.refused(first, first_path, f'"{first.value}" is not a number of devices', "write a whole number: gpus: 1")
        return
    for where, node in uses[1:]:
        notes.translated(node, where, "nothing: the limit says it", becomes)
    if text.strip("0") == "":
        notes.translated(first, first_path, "nothing: no device")
        return
    device = {
        "driver": first.with_value("nvidia"),
        "count": first.with_value(int(text) if _COUNT.fullmatch(text) else text),
        "capabilities": first.with_value([first.with_value("gpu")]),
    }
    reservations = resources.map.setdefault("reservations", first.with_value({}))
    if not isinstance(reservations.value, dict):
        reservations.value = {}
    devices = reservations.map.setdefault("devices", first.with_value([]))
    if isinstance(devices.value, list):
        devices.value.append(first.with_value(device))
    notes.translated(first, first_path, "deploy.resources.reservations.devices", becomes)


def _translate_storage(
    service: YamlNode, resources: YamlNode, path: str, uses: list[tuple[str, YamlNode]], notes: Notes
) -> None:
    """Bound a container's own files as Compose does; what is reserved is what the limit says."""
    limit = next(((where, node) for where, node in uses if ".limits." in where), None)
    for where, node in uses:
        if limit is None:
            why = "Kubernetes sets aside what the limit says"
            notes.ignored(node, where, why, "write limits.ephemeralStorage, or storage_opt: {size: …}")
        elif node is not limit[1]:
            notes.approximated(
                node,
                where,
                "as much as the limit",
                f"{path}.storage_opt",
                "the limit is what is set aside",
                "remove it",
            )
    if limit is not None:
        where, node = limit
        options = service.map.setdefault("storage_opt", node.with_value({}))
        options.map.setdefault("size", node)
        notes.translated(node, where, "storage_opt.size", f"{path}.storage_opt")
