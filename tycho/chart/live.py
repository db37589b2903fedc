"""values = f(env, metadata): what belongs to a release, and never to a chart."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Literal

from tycho.chart.given import check_metadata
from tycho.chart.hidden import hide_credentials
from tycho.chart.planner import secret_names
from tycho.chart.secretfiles import secret_values
from tycho.chart.wiring import everything, needed
from tycho.chart.yaml import dump
from tycho.model import Json, Service, ServiceMetadata, System, template
from tycho.release import Origin


def release_values(
    system: System,
    metadata: Mapping[str, ServiceMetadata] | None = None,
    *,
    scope: Literal["namespace", "release"] = "namespace",
    guid: str = "",
    username: str = "",
    origin: Origin | None = None,
) -> dict[str, Json]:
    """What `helm install --values -` gets besides the chart: the caller's environment, secrets and wishes.

    Args:
        system: The system after the policies.
        metadata: What the caller says of single services; where any says so, only these are published.
        scope: Whether the system has its namespace to itself ("namespace") or shares it ("release").
        guid: The system's identity, 32 hex digits.
        username: Who asked for it.
        origin: Where it was started from.

    Raises:
        PolicyDenied: The caller's values set labels or annotations that are not theirs to set.
    """
    said = metadata or {}
    check_metadata(system, said)
    system, _ = hide_credentials(system)
    published = {name for name, about in said.items() if about.publishes}
    services: dict[str, Json] = {}
    for name, service in everything(system).items():
        found = _merged(_service(service), said[name].values if name in said else {})
        if published and name in system.services:
            found = _merged(found, {"publish": _publish(said[name]) if name in published else {"enabled": False}})
        if found:
            services[name] = found
    values: dict[str, Json] = {
        "env": {name: one.value for name, one in sorted(system.variables.items()) if one.value is not None},
        "services": services,
        "secrets": _secrets(system),
        "secretFiles": secret_values(system),
        "dns": {"scope": scope},
        "tycho": {
            key: value
            for key, value in (("guid", guid), ("username", username), ("origin", origin and origin.model_dump()))
            if value
        },
    }
    return {key: value for key, value in values.items() if value}


def values_yaml(values: Mapping[str, Json]) -> str:
    """Values as `helm --values -` reads them without loss; it misreads JSON's surrogate pairs, and folds U+2028."""
    return dump(values)


def without_origin(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values without the folder that a system was started from: it makes no other system of it."""
    about = values.get("tycho")
    if not isinstance(about, Mapping):
        return dict(values)
    return {**values, "tycho": {key: value for key, value in about.items() if key != "origin"}}


def _service(service: Service) -> dict[str, Json]:
    secret = {
        name: template(value) for name in secret_names(service) if (value := service.environment[name]) is not None
    }
    entries: dict[str, str] = {}
    for file in service.env_file:
        entries |= {name: value for name, value in (file.entries or {}).items() if value is not None}
    return {key: value for key, value in (("secretEnvironment", secret), ("envFile", entries)) if value}


def _publish(about: ServiceMetadata) -> dict[str, Json]:
    found: dict[str, Json] = {"enabled": True}
    if about.port is not None:
        found["port"] = about.port
    if about.clients:
        found["clients"] = list(about.clients)
    return found


def _merged(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """As Helm merges values: mapping by mapping."""
    return {**below} | {
        key: _merged(below[key], value) if isinstance(value, Mapping) and isinstance(below.get(key), Mapping) else value
        for key, value in above.items()
    }


def _secrets(system: System) -> dict[str, Json]:
    return {
        name: {"value": b64encode(secret.files[0].content).decode()}
        for name, secret in needed(system).secrets.items()
        if secret.files
    }
