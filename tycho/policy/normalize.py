"""Write each right in one spelling, so that a policy does not have to list several: Docker reads them as the same.

Only the project that policies and charts read is changed: `tycho config` prints what the file has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tycho.model import Project, Service
from tycho.model.rights import normalize_capability, normalize_mode, normalize_option

Lines = dict[str, tuple[str, int]]
LISTS: Mapping[str, Callable[[str], str]] = {
    "cap_add": normalize_capability,
    "cap_drop": normalize_capability,
    "security_opt": normalize_option,
}
MODES = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup")


def normalize(system: Project, known: Project | None = None) -> Project:
    """Write every right of a project in one spelling; return the same project where nothing changes.

    Args:
        system: The project.
        known: One that has the spelling already: what is the same object there need not be looked at.
    """
    sections: dict[str, dict[str, Service]] = {}
    lines: Lines = dict(system.lines)
    for section in ("services", "jobs"):
        spelled = getattr(known, section, {})
        for name, service in getattr(system, section).items():
            if service is spelled.get(name):
                continue
            if changes := dict(_changes(service, f"{section}.{name}", lines)):
                services = sections.setdefault(section, dict(getattr(system, section)))
                services[name] = service.model_copy(update=changes)
    return system.model_copy(update={**sections, "lines": lines}) if sections else system


def _changes(service: Service, path: str, lines: Lines) -> Iterator[tuple[str, Any]]:
    for key, spell in LISTS.items():
        written: tuple[str, ...] = getattr(service, key)
        spelled = tuple(dict.fromkeys(spell(entry) for entry in written))
        if spelled != written:
            _relist(written, spelled, spell, f"{path}.{key}", lines)
            yield key, spelled
    for key in MODES:
        mode = getattr(service, key)
        if mode is not None and normalize_mode(mode) != mode:
            yield key, normalize_mode(mode)
    ports = tuple(
        port if port.mode == _mode(port.mode) else port.model_copy(update={"mode": _mode(port.mode)})
        for port in service.ports
    )
    if ports != service.ports:
        yield "ports", ports
    sysctls = {name.strip(): value for name, value in service.sysctls.items()}
    if sysctls.keys() != service.sysctls.keys():
        yield "sysctls", sysctls


def _mode(text: str) -> str:
    return text.strip().lower()


def _relist(
    written: tuple[str, ...], spelled: tuple[str, ...], spell: Callable[[str], str], path: str, lines: Lines
) -> None:
    """Keep the lines of the entries that remain."""
    places = [lines.pop(f"{path}[{index}]", None) for index in range(len(written))]
    for index, entry in enumerate(written):
        at = f"{path}[{spelled.index(spell(entry))}]"
        if place := places[index]:
            lines.setdefault(at, place)
