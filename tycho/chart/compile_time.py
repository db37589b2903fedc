"""Report variables that are read at compile time: an entry for each place, and an error where one is secret.

At all other places the chart reads the variable from its values, when a release is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tycho.chart.hidden import INTERPOLATED, secret_globs
from tycho.chart.layout import ChartLayout
from tycho.chart.services import all_services, services_by_path
from tycho.chart.translate.key_rule import KeyRule, Table, approximated, rejected
from tycho.credentials import SECRET_NAMES, find_literals, names_secret
from tycho.model import Live, Project, Service, template

REASON = "{} {} read when the chart is compiled, not when it is installed"
REMEDY = "compile the chart again to change {}"
PLACE = re.compile(r":\d+ (.*)", re.DOTALL)
VARIABLE = re.compile(r"\$\$|\$\{?([A-Za-z_][A-Za-z0-9_]*)")
HOOK = frozenset({"user", "privileged", "per_replica"})  # of `pre_start`; the rest is the service's
NOT_IN_CHART = frozenset({
    "build", "develop", "env_file", "provider", "models", "credential_spec", "logging", "stop_signal",
    "pull_refresh_after", "deploy.rollback_config", "driver", "driver_opts", "volumes_from", "external_links",
})  # fmt: skip
"""Keys that a chart holds nothing of, or nothing of as it is written."""


def list_compile_time_rows(layout: ChartLayout, sections: Mapping[str, Table]) -> Iterator[tuple[str, KeyRule]]:
    """Yield path and entry of each place where a variable was read at compile time, or where a secret may not be.

    Args:
        layout: What the chart will hold.
        sections: The rules of all keys, section by section.
    """
    concealed = {entry.path for entry in layout.concealed}
    taken = {path for path, _ in _list_taken(layout.system)}
    for path, names in sorted(_list_places(layout.system).items()):
        service = _find_service(layout.system, path)
        held = path in taken or _is_in_chart(layout.system, path, service, sections)
        if not held or _is_hidden(path, concealed):
            continue
        globs = (*SECRET_NAMES, *secret_globs(layout.system, service[1]))
        shown = ", ".join(f"${{{name}}}" for name in names)
        secret = [name for name in names if names_secret(name, globs) or name in layout.system.sensitive]
        if secret:
            yield path, _reject_secret(secret[0], by_name=secret[0] not in layout.system.sensitive)
        else:
            reason = REASON.format(shown, "is" if len(names) == 1 else "are")
            yield path, approximated("read at compile time", reason, REMEDY.format(shown))
    yield from _list_credentials(layout.system)


def _reject_secret(name: str, *, by_name: bool) -> KeyRule:
    why = "is secret by its name" if by_name else "contains a credential"
    hint = f'; if it is not secret, add x-tycho: {{secretEnvironment: ["!{name}"]}}' if by_name else ""
    return rejected(f"${{{name}}} {why}, and its value would be part of the chart", f"read it in environment{hint}")


def _is_hidden(path: str, concealed: set[str]) -> bool:
    """Tell whether a place was hidden: itself, a word of it, or an entry of the list in which it stands."""
    above = re.sub(r"\[\d+\]$", "", path)
    element = above != path and above.endswith(".environment")
    return path in concealed or any(entry.startswith(f"{above}." if element else f"{path}[") for entry in concealed)


def _list_places(system: Project) -> dict[str, list[str]]:
    """Map each Compose path to the variables whose value was used there at compile time."""
    result: dict[str, list[str]] = {}
    for name, places in system.baked.items():
        for place in places:
            if match := PLACE.search(place):
                result.setdefault(match[1], []).append(name)
    for path, value in _list_taken(system):
        if isinstance(value, Live) and (names := [match for match in VARIABLE.findall(value.template) if match]):
            result.setdefault(path, []).extend(names)
    return {path: sorted(set(names)) for path, names in result.items()}


def _list_taken(system: Project) -> Iterator[tuple[str, object]]:
    """Yield live values that decide an object's name, a port of the node, or a server's address."""
    for name, network in system.networks.items():
        if network.external:
            yield f"networks.{name}.name", network.name
    for name, volume in system.volumes.items():
        if str(volume.driver_opts.get("type", "")).startswith("nfs"):
            yield from ((f"volumes.{name}.driver_opts.{key}", volume.driver_opts[key]) for key in volume.driver_opts)
    for path, service in services_by_path(system).items():
        for index, port in enumerate(service.ports):
            if port.mode == "host":
                yield f"{path}.ports[{index}].published", port.published


def _find_service(system: Project, path: str) -> tuple[str, Service | None]:
    """Find the service that a path belongs to; its name may contain dots."""
    below = path.partition(".")[2]
    names = [name for name in all_services(system) if below == name or below.startswith((f"{name}.", f"{name}["))]
    name = max(names, key=len, default="")
    return name, all_services(system).get(name) if path.startswith(("services.", "jobs.")) else None


def _is_in_chart(
    system: Project, path: str, service: tuple[str, Service | None], sections: Mapping[str, Table]
) -> bool:
    """Tell whether a chart holds what was read at a path."""
    section, _, below = path.partition(".")
    if path == "name" or section == "name":
        return True
    if section not in sections or not below:
        return section == "x-tycho"
    if section in ("services", "jobs"):
        if service[1] is None:
            return False
        key = below[len(service[0]) + 1 :]
    else:
        parts = [name for name in getattr(system, section) if below.startswith(f"{name}.")]
        key = below[len(max(parts, key=len)) + 1 :] if parts else ""
    steps = re.sub(r"\[\d+\]", "[]", key).split(".")
    if steps[0].startswith("pre_start"):
        return steps[1:2] != [] and steps[1] in HOOK
    if steps[0].startswith("x-"):
        return steps[0] == "x-tycho"
    if section == "secrets":
        return False
    if steps[0].removesuffix("[]") in NOT_IN_CHART:
        return False
    for length in range(len(steps), 0, -1):
        for name in (".".join(steps[:length]), ".".join(steps[:length]).removesuffix("[]")):
            if name in NOT_IN_CHART:
                return False
            if row := sections[section].get(name):
                return row.outcome in ("translated", "approximated") or name in ("profiles", "hostname")
    return False


def _list_credentials(system: Project) -> Iterator[tuple[str, KeyRule]]:
    """Yield texts that contain a credential where the chart cannot read a variable instead."""
    hint = "set it when the release is installed, or read it from a file of `secrets`"
    for path, text in _list_fixed_texts(system):
        if find_literals(template(text)):
            yield path, rejected("it contains a credential, which would be part of the chart", hint)


def _list_fixed_texts(system: Project) -> Iterator[tuple[str, str]]:
    live = {place.partition(".")[0].partition("[")[0] for place in INTERPOLATED["services"]} | {"environment", "deploy"}
    skipped = live | NOT_IN_CHART | {"ports", "healthcheck", "environment_pass", "environment_secret", "label_file"}
    for path, service in services_by_path(system).items():
        for key in service.model_fields_set - skipped - {"x"}:
            yield from _list_texts(getattr(service, key), f"{path}.{key}")
        yield from _list_texts(service.deploy.placement, f"{path}.deploy.placement")
        yield from _list_texts(service.x.get("x-tycho"), f"{path}.x-tycho")
    for name, volume in system.volumes.items():
        yield from _list_texts(volume.x.get("x-tycho"), f"volumes.{name}.x-tycho")
    yield from _list_texts(system.x.get("x-tycho"), "x-tycho")


def _list_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text below a value, except the contents of files."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, element in value.items():
            yield from _list_texts(element, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, element in enumerate(value):
            yield from _list_texts(element, f"{path}[{index}]")
    elif hasattr(value, "model_fields_set"):
        for key in sorted(value.model_fields_set - {"files", "note", "content"}):
            yield from _list_texts(getattr(value, key), f"{path}.{key}")
