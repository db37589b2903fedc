"""Build the values of a release: environment, secrets and caller's settings, none of which are in the chart."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Literal

from tycho.chart.hidden import hide_credentials
from tycho.chart.routes import RouteContext, route_objects, route_values
from tycho.chart.services import all_services, drop_unused, services_by_pod
from tycho.chart.start_checks import check_metadata
from tycho.chart.translate.ports import translate_ports
from tycho.chart.workload_kind import decide_kinds, extension_mapping, tycho_extension
from tycho.chart.yaml_writer import dump
from tycho.expiry import ANNOTATION as EXPIRY
from tycho.expiry import read_terms
from tycho.model import InvalidFieldsError, Json, Project, Service, ServiceMetadata, template
from tycho.release import ORIGIN, WORKSPACE, Origin, label_value, parse_origin
from tycho.text import json_text
from tycho.usernames import ANNOTATION, user_label


def release_values(
    system: Project,
    metadata: Mapping[str, ServiceMetadata] | None = None,
    *,
    scope: Literal["namespace", "release"] = "namespace",
    guid: str = "",
    username: str = "",
    origin: Origin | None = None,
    context: RouteContext | None = None,
    account: str = "",
) -> dict[str, Json]:
    """Build the values of a release: the caller's environment, secrets and settings.

    Args:
        system: The system after the policies.
        metadata: What the caller says of single services; where any says so, only these are published.
        scope: Whether the system has its namespace to itself ("namespace") or shares it ("release").
        guid: The system's identity, 32 hex digits.
        username: Who asked for it.
        origin: Where it was started from.
        context: Whose URL it is to have; None for no URL.
        account: The service account that its containers run as, with a token; "" for the namespace's own, without.

    Raises:
        PolicyDenied: The caller's values set labels or annotations that are not theirs to set.
    """
    metadata_of = metadata or {}
    check_metadata(system, metadata_of)
    system, _ = hide_credentials(system)
    published = {name for name, entry in metadata_of.items() if entry.publishes}
    services: dict[str, Json] = {}
    routes = route_values(system, context) if context else {}
    for name, service in all_services(system).items():
        fields = _merge_values(_service_values(service), metadata_of[name].values if name in metadata_of else {})
        if name in routes and (name in published or not published):
            fields = _merge_values(fields, routes[name])
        if name in published:
            fields = _merge_values(fields, {"service": _publish(service, metadata_of[name])})
        elif published and translate_ports(service)[0]:
            fields = _merge_values(fields, {"service": {"ports": None}})
        if fields:
            services[name] = fields
    labels = portal_labels(system.name, guid) if guid and tycho_extension(system).get("portalLabels") is True else {}
    annotations: dict[str, Json] = {ORIGIN: json_text(origin.model_dump())} if origin else {}
    if username and user_label(username) != username:
        annotations[ANNOTATION] = username
    if terms := read_terms(tycho_extension(system)):
        annotations[EXPIRY] = json_text(terms.model_dump(exclude_defaults=True))
    defaults: dict[str, Json] = {"workloadAnnotations": annotations, "podLabels": labels}
    host = context.place(routed[0]).host if context and (routed := list(routes)) else ""
    if known := _identity_variables(system, {"guid": guid, "username": username, "host": host}):
        defaults["env"] = known
    if account:
        defaults |= {"serviceAccountName": account, "automountServiceAccountToken": True}
    values: dict[str, Json] = {
        "variables": {
            name: variable.value for name, variable in sorted(system.variables.items()) if variable.value is not None
        },
        "services": services,
        "secrets": _list_secrets(system),
        "secretFiles": _list_secret_files(system),
        "dns": {"scope": scope},
        "commonLabels": {
            key: user_label(value) for key, value in (("tycho-guid", guid), ("username", username)) if value
        },
        "extraObjects": route_objects(system, context) if context else [],
        "defaults": {key: entry for key, entry in defaults.items() if entry},
    }
    return {key: value for key, value in values.items() if value}


def portal_labels(name: str, guid: str) -> dict[str, str]:
    """Return the labels by which portals and their helpers know the pods of a system that they started.

    Args:
        name: The project's.
        guid: The system's.

    Example:
        >>> portal_labels("shop", "0" * 32)["name"]
        'shop-00000000000000000000000000000000'
    """
    app, full = label_value(name), f"{label_value(name[:30])}-{guid}".lstrip("-")
    return {
        "name": full, WORKSPACE: app, "original-app-name": app, "tycho-app-id": full, "reaper-label": "true",
    }  # fmt: skip


def _identity_variables(system: Project, identity: Mapping[str, str]) -> dict[str, Json]:
    """Return variables that tell a system's containers what it is, as far as that is known."""
    named = extension_mapping(system, "identityVariables")
    texts = {name: identity.get(word, "") for name, word in named.items()}
    return {name: text.replace("$(", "$$(") for name, text in sorted(texts.items()) if text}


def values_yaml(values: Mapping[str, Json]) -> str:
    """Write values as YAML: Helm misreads the surrogate pairs of JSON, and folds U+2028."""
    return dump(values)


def find_origin(values: Mapping[str, Any]) -> Origin | None:
    """Find in the values of a release where it was started from; None where they do not tell it as Tycho does."""
    if text := ((values.get("defaults") or {}).get("workloadAnnotations") or {}).get(ORIGIN):
        return parse_origin(text)
    with contextlib.suppress(InvalidFieldsError, KeyError, TypeError):
        return Origin.model_validate(values["tycho"]["origin"])  # as charts before these have it
    return None


def find_user(values: Mapping[str, Any]) -> str:
    """Find in the values of a release its owner's name; "" where a label says it."""
    return str(((values.get("defaults") or {}).get("workloadAnnotations") or {}).get(ANNOTATION, ""))


def without_origin(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values without the folder that a system was started from: it makes no other system of it."""
    defaults = values.get("defaults")
    if not isinstance(defaults, Mapping):
        return dict(values)
    kept = {**defaults, "workloadAnnotations": {}}
    annotations = defaults.get("workloadAnnotations")
    if isinstance(annotations, Mapping):
        kept["workloadAnnotations"] = {key: value for key, value in annotations.items() if key != ORIGIN}
    return {**values, "defaults": kept}


def _service_values(service: Service) -> dict[str, Json]:
    secret = {
        name: template(value) for name in service.environment_secret if (value := service.environment[name]) is not None
    }
    entries: dict[str, str] = {}
    for file in service.env_file:
        entries |= {name: value for name, value in (file.entries or {}).items() if value is not None}
    return {key: value for key, value in (("secretEnv", secret), ("envFile", entries)) if value}


def _publish(service: Service, metadata: ServiceMetadata) -> dict[str, Json]:
    """Publish what a caller asks for: the one port that is named, else those of the file."""
    fields: dict[str, Json] = {}
    if metadata.clients:
        fields["loadBalancerSourceRanges"] = list(metadata.clients)
    if metadata.port is None:
        return fields
    known, _ = translate_ports(service)
    ports: dict[str, Json] = {port.name: None for port in known if port.target_port != metadata.port}
    if len(ports) == len(known):
        ports[f"tcp-{metadata.port}"] = {"port": metadata.port, "targetPort": metadata.port, "protocol": "TCP"}
    return {**fields, "ports": ports}


def _merge_values(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Merge values as Helm does: mapping by mapping."""
    return {**below} | {
        key: _merge_values(below[key], value)
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        else value
        for key, value in above.items()
    }


def _list_secrets(system: Project) -> dict[str, Json]:
    return {
        name: {"value": b64encode(secret.files[0].content).decode()}
        for name, secret in drop_unused(system).secrets.items()
        if secret.files
    }


def _list_secret_files(system: Project) -> dict[str, Json]:
    """List what the release brings of secret files: each in base64, by the slug of its mount and its key."""
    from tycho.chart.networking import find_called, referencing_texts  # only for systems that mount files
    from tycho.chart.volumes import VolumePlanner

    mounts = (mount for service in all_services(system).values() for mount in service.volumes)
    if not any(mount.files for mount in mounts) and not any(config.files for config in system.configs.values()):
        return {}
    system = drop_unused(system)
    planner = VolumePlanner(system, decide_kinds(system, find_called(system, referencing_texts(system))))
    for names in services_by_pod(planner.system).values():
        for name in names:
            list(planner.mounts(name, all_services(planner.system)[name]))
    return {
        slug: {key: b64encode(content).decode() for key, content in tree.secrets.items()}
        for slug, tree in sorted(planner.configmaps.items())
        if tree.secrets
    }
