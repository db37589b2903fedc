"""Every key of a chart's values: what it is, and what may be written there, for values.yaml and its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

Schema: TypeAlias = "dict[str, Any]"


class Setting(NamedTuple):
    """A key of values.

    Args:
        comment: What it is, for values.yaml; "" where its name says it.
        schema: What may be written there, in JSON Schema.
    """

    comment: str
    schema: Schema


TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
TEXTS: Schema = {"$ref": "#/$defs/texts"}
OBJECTS: Schema = {"$ref": "#/$defs/objects"}
FLAG: Schema = {"type": "boolean"}
STRINGS: Schema = {"$ref": "#/$defs/strings"}
PORT: Schema = {"$ref": "#/$defs/number"}


def strict_object(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """Return the schema of an object with these keys and no others, and with those that are required."""
    needed: Schema = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, **needed, "properties": dict(properties)}


KEYS: Mapping[str, Setting] = {
    "image": Setting(
        "-- Image; repository begins with the registry unless that is Docker Hub, digest overrides tag",
        {"$ref": "#/$defs/image"},
    ),
    "replicas": Setting("-- Number of pods", {"$ref": "#/$defs/replicas"}),
    "stopped": Setting("", FLAG),
    "command": Setting("-- Replaces the image's entrypoint", TEXTS),
    "args": Setting("-- Replaces the image's command", TEXTS),
    "workingDir": Setting("", TEXT),
    "env": Setting("-- Environment: text, or Kubernetes' `{valueFrom: …}`", {"$ref": "#/$defs/env"}),
    "secretEnv": Setting("-- Secret entries of `env`: set them when installing", {"$ref": "#/$defs/env"}),
    "envFile": Setting("-- Entries of an env_file: set them when installing", {"$ref": "#/$defs/env"}),
    "resources": Setting("-- Requests and limits", {"$ref": "#/$defs/resources"}),
    "securityContext": Setting("", OBJECT),
    "podSecurityContext": Setting("", OBJECT),
    "startupProbe": Setting("", OBJECT),
    "readinessProbe": Setting("-- From `healthcheck`", OBJECT),
    "livenessProbe": Setting("", OBJECT),
    "lifecycle": Setting("", OBJECT),
    "automountServiceAccountToken": Setting("", FLAG),
    "serviceAccountName": Setting("", TEXT),
    "imagePullSecrets": Setting("", OBJECTS),
    "podAnnotations": Setting("-- Annotations of pods, from `labels`", STRINGS),
    "podLabels": Setting("", STRINGS),
    "workloadAnnotations": Setting("-- Annotations of the workload, from `deploy.labels`", STRINGS),
    "nodeSelector": Setting("", STRINGS),
    "tolerations": Setting("", OBJECTS),
    "affinity": Setting("", OBJECT),
    "topologySpreadConstraints": Setting("", OBJECTS),
    "hostAliases": Setting("-- Lines of /etc/hosts", OBJECTS),
    "priorityClassName": Setting("", TEXT),
    "runtimeClassName": Setting("", TEXT),
    "volumes": Setting("", OBJECTS),
    "volumeMounts": Setting("", OBJECTS),
    "service": Setting("-- Published ports, by name; null publishes none", {"$ref": "#/$defs/published"}),
    "ingress": Setting("-- Ingress by host name; ingressClassName and tls are Kubernetes'", {"$ref": "#/$defs/route"}),
    "httpRoute": Setting(
        "-- The same with the Gateway API; parentRefs names the Gateway: `[{name: …}]`", {"$ref": "#/$defs/route"}
    ),
}
"""Of a service."""

DEFAULTS: Mapping[str, str] = {
    "image": "-- When to pull: Always, IfNotPresent or Never",
    "imagePullSecrets": "-- Secrets of the registry: `[{name: …}]`",
    "resources": "-- Requests and limits",
    "securityContext": "-- securityContext of containers, and of pods; as in Docker, every user can bind every port",
    "automountServiceAccountToken": "-- Whether containers may call the Kubernetes API",
    "podAnnotations": "-- Annotations and labels of pods, and annotations of workloads",
    "nodeSelector": "-- Where to run",
    "service": "-- How published ports are reached: LoadBalancer, NodePort or ClusterIP; from which CIDRs (empty: all)",
}
"""Comments where the keys of a service stand for all of them."""

OWN_KEYS = ("replicas", "stopped", "ingress", "httpRoute", "secretEnv", "envFile")
"""Keys that one service says for itself."""

IMAGE: Schema = strict_object(
    {"image": {"$ref": "#/$defs/image"}, "resources": {"$ref": "#/$defs/resources"}}, required=("image",)
)

SETTINGS: Mapping[str, Setting] = {
    "variables": Setting(
        "-- Variables of the compose file, read by values with `${NAME…}`; null uses the default in there",
        {},
    ),
    "services": Setting(
        "The services of the compose file. Each takes the keys of `defaults` too; its own keys override them.", {}
    ),
    "persistence": Setting(
        "-- Claims of volumes, which outlive the release; existingClaim names another, subPath the folder in it",
        {},
    ),
    "configs": Setting("-- Configs that read variables, or exist already", {}),
    "secrets": Setting(
        "-- Secrets: set `value` (base64) when installing, or name an existing Secret and its key. Write none here",
        {},
    ),
    "secretFiles": Setting("-- Secret files: set each (base64) when installing. Do not write them here", {}),
    "defaults": Setting(
        "What every service inherits: maps are merged; a service's own list or text replaces the one here.\n"
        "Also, as in Kubernetes: env, command, args, lifecycle, volumes, volumeMounts, startupProbe,"
        " readinessProbe,\n"
        "livenessProbe, priorityClassName, runtimeClassName, serviceAccountName, hostAliases,"
        " topologySpreadConstraints.",
        {},
    ),
    "paused": Setting(
        "-- Whether no service has pods, as `services.NAME.stopped` has it of one; volumes and addresses stay", FLAG
    ),
    "podSecurity": Setting(
        "-- baseline, or restricted: no root, no capabilities, in every container",
        {"enum": ["baseline", "restricted"]},
    ),
    "networkPolicy": Setting(
        "-- Whether compose networks are isolated",
        strict_object(
            {
                "enabled": FLAG,
                "apiServer": strict_object({"cidrs": TEXTS, "ports": {"type": "array", "items": PORT}}),
            }
        ),
    ),
    "dns": Setting(
        "-- namespace: Services have their compose names; release: the release's before it, for shared namespaces",
        strict_object(
            {"scope": {"enum": ["namespace", "release"]}, "clusterDomain": TEXT, "nameservers": TEXTS},
            required=("clusterDomain",),
        ),
    ),
    "tools": Setting("-- Image of containers that wait, test, or fill volumes, with sh, nc and nslookup", IMAGE),
    "kubectl": Setting(
        "-- Containers that wait for jobs; serviceAccount may read jobs, and exists unless create is true",
        strict_object(
            {
                "image": {"$ref": "#/$defs/image"},
                "resources": {"$ref": "#/$defs/resources"},
                "serviceAccount": strict_object({"create": FLAG, "name": TEXT}),
            },
            required=("image", "serviceAccount"),
        ),
    ),
    "fill": Setting(
        "-- Whether a new volume starts with the image's files at its path, and since which Kubernetes",
        strict_object({"fromImage": FLAG, "since": TEXT}, required=("since",)),
    ),
    "test": Setting("-- How long `helm test` waits", strict_object({"timeoutSeconds": {"type": "integer"}})),
    "global": Setting("-- Replaces the registry of every image", OBJECT),
    "commonLabels": Setting("-- Labels of every object", STRINGS),
    "nameOverride": Setting(
        "-- Replaces the chart's name in labels, and the release's in names of objects", {"$ref": "#/$defs/label"}
    ),
    "fullnameOverride": Setting("", {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"}),
    "extraObjects": Setting("-- Additional objects", OBJECTS),
}
"""Of the chart."""

EXTRA_COMMENTS: Mapping[str, tuple[str, str]] = {
    "networkPolicy": ("apiServer", "; apiServer: its addresses and ports, any address without cidrs"),
    "dns": (
        "nameservers",
        "\nnameservers: the cluster's DNS; with scope release, nothing outside then answers to its names",
    ),
}
"""What a comment says further, where the setting has that key."""


def describe_setting(name: str, value: object) -> str:
    """Write the comment of a setting of the chart, of what there is of it."""
    key, further = EXTRA_COMMENTS.get(name, ("", ""))
    return SETTINGS[name].comment + (further if isinstance(value, Mapping) and key in value else "")


RENAMED: Mapping[str, str] = {
    "env": "variables", "common": "defaults", "volumes": "persistence", "ingress": "services.NAME.ingress",
    "httpRoute": "services.NAME.httpRoute", "wait": "tools, kubectl", "tycho": "commonLabels",
}  # fmt: skip
RENAMED_OF_SERVICE: Mapping[str, str] = {
    "environment": "env", "publish": "service", "entrypoint": "command (and command is args)",
    "pullPolicy": "image.pullPolicy", "annotations": "podAnnotations", "extraEnv": "env", "extraVolumes": "volumes",
    "extraVolumeMounts": "volumeMounts", "secretEnvironment": "secretEnv", "sysctls": "podSecurityContext.sysctls",
    "preStop": "lifecycle.preStop", "postStart": "lifecycle.postStart",
}  # fmt: skip
"""What keys of former charts are called now: whoever still gives one is told so."""
