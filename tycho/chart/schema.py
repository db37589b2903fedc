"""values.schema.json: draft-07, closed at our own levels, so that a typo in `--set` fails.

The keys of a service are a table, for the README shows the same one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from tycho.chart.plan import Plan
from tycho.chart.wiring import everything

Schema: TypeAlias = "dict[str, Schema | list[str] | list[Schema] | str | bool | int]"

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
LIST: Schema = {"type": "array"}
SCALAR: Schema = {"type": ["string", "integer", "boolean", "null"]}
AMOUNT: Schema = {"type": ["string", "number"]}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
TEXT_MAP: Schema = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
SCALAR_MAP: Schema = {"type": "object", "additionalProperties": SCALAR}
PULL: Schema = {"enum": ["Always", "IfNotPresent", "Never"]}
TYPE: Schema = {"enum": ["LoadBalancer", "NodePort", "ClusterIP"]}
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
SIDE: Schema = {"type": "object", "additionalProperties": AMOUNT}


def closed(properties: Mapping[str, Schema]) -> Schema:
    """An object with these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


RESOURCES = closed({"limits": SIDE, "requests": SIDE, "claims": LIST})
PORT = closed({"port": AMOUNT, "targetPort": NUMBER, "protocol": {"enum": ["TCP", "UDP", "SCTP"]}, "appProtocol": TEXT})
PUBLISH = closed(
    {
        "enabled": FLAG,
        "type": TYPE,
        "annotations": TEXT_MAP,
        "port": AMOUNT,
        "clients": TEXTS,
        "ports": {"type": "object", "additionalProperties": {"$ref": "#/definitions/port"}},
    }
)
PATH = closed({"path": TEXT, "pathType": TEXT, "service": TEXT, "port": NUMBER})
PATHS: Schema = {"type": "array", "items": {**PATH, "required": ["path", "service", "port"]}}

OVERRIDES: Mapping[str, tuple[str, Schema]] = {
    "pullPolicy": ("Always, IfNotPresent or Never", PULL),
    "imagePullSecrets": ("Secrets for the registry: `[{name: …}]`", LIST),
    "serviceAccountName": ("a ServiceAccount that exists", TEXT),
    "podAnnotations": ("annotations of the pods", TEXT_MAP),
    "podLabels": ("labels of the pods", TEXT_MAP),
    "podSecurityContext": ("securityContext of the pods", OBJECT),
    "securityContext": ("securityContext of the containers", OBJECT),
    "resources": ("limits and requests; memory in Compose's units", {"$ref": "#/definitions/resources"}),
    "nodeSelector": ("labels of the nodes to run on", TEXT_MAP),
    "tolerations": ("taints to bear", LIST),
    "affinity": ("Kubernetes' affinity", OBJECT),
    "topologySpreadConstraints": ("how pods are spread; without a labelSelector, over the service's own", LIST),
    "priorityClassName": ("a PriorityClass", TEXT),
    "extraEnv": ("further `env` entries", LIST),
    "extraVolumes": ("further volumes", LIST),
    "extraVolumeMounts": ("further volumeMounts", LIST),
}
SERVICE: Mapping[str, tuple[str, Schema]] = {
    "image": ("image", {"type": "string", "minLength": 1}),
    "replicas": ("how many pods", AMOUNT),
    "entrypoint": ("instead of the image's entrypoint", TEXTS),
    "command": ("instead of the image's command", TEXTS),
    "workingDir": ("working directory", TEXT),
    "environment": ("environment; what reads a variable is kept in a Secret", SCALAR_MAP),
    "environmentPass": ("variables passed through from `env`, where they are set there", TEXTS),
    "secretNames": ("variables that the release gives in `secretEnvironment`", TEXTS),
    "secretEnvironment": ("values of `secretNames`; give them with the release", SCALAR_MAP),
    "envFile": ("contents of the service's env_file; give them with the release", SCALAR_MAP),
    "shmSize": ("size of /dev/shm", AMOUNT),
    "startupProbe": ("Kubernetes' probe", OBJECT),
    "readinessProbe": ("Kubernetes' probe, from `healthcheck`", OBJECT),
    "livenessProbe": ("Kubernetes' probe; Compose never restarts for health, so none by default", OBJECT),
    "preStart": ("containers that run before", LIST),
    "postStart": ("command run after the start", TEXTS),
    "preStop": ("command run before the end", TEXTS),
    "drainSeconds": ("time before the end in which callers turn to others", NUMBER),
    "annotations": ("annotations of the pods, from `labels`", SCALAR_MAP),
    "workloadAnnotations": ("annotations of the workload, from `deploy.labels`", SCALAR_MAP),
    "hostname": ("hostname of the pods", TEXT),
    "hostAliases": ("lines of /etc/hosts", LIST),
    "dnsConfig": ("Kubernetes' dnsConfig", OBJECT),
    "sysctls": ("kernel parameters", SCALAR_MAP),
    "runtimeClassName": ("a RuntimeClass", TEXT),
    "onePerNode": ("never two pods on one node", FLAG),
    "hostNetwork": ("the node's network", FLAG),
    "hostPID": ("the node's processes", FLAG),
    "hostIPC": ("the node's shared memory", FLAG),
    "shareProcessNamespace": ("containers of the pod see each other", FLAG),
    "publishNotReadyAddresses": ("peers find the pods before they are ready", FLAG),
    "publish": (
        "the Service to the outside: enabled, type, annotations, ports, port (only this one), clients",
        PUBLISH,
    ),
    **OVERRIDES,
}


def _table(keys: Mapping[str, tuple[str, Schema]]) -> dict[str, Schema]:
    return {key: schema for key, (_, schema) in keys.items()}


def schema(plan: Plan) -> str:
    """The schema of a chart's values, as JSON."""
    system, service = plan.system, {"$ref": "#/definitions/service"}
    volume: Schema = {"$ref": "#/definitions/volume"}
    config = closed({"content": TEXT, "existingConfigMap": TEXT, "key": TEXT})
    secret = closed({"value": TEXT, "existingSecret": TEXT, "key": TEXT})
    found = closed(
        {
            "global": OBJECT,
            "env": closed(dict.fromkeys(sorted(system.variables), SCALAR)),
            "services": closed({name: dict(service) for name in everything(system)}),
            "volumes": closed(dict.fromkeys(plan.claims, volume)),
            "configs": closed(dict.fromkeys(system.configs, config)),
            "secrets": closed(dict.fromkeys(system.secrets, secret)),
            "common": closed(_table(OVERRIDES) | {"publish": closed({"type": TYPE, "annotations": TEXT_MAP})}),
            "podSecurity": {"enum": ["baseline", "restricted"]},
            "dns": closed({"scope": {"enum": ["namespace", "release"]}, "clusterDomain": TEXT, "nameservers": TEXTS}),
            "networkPolicy": closed(
                {
                    "enabled": FLAG,
                    "apiServer": closed({"cidrs": TEXTS, "ports": {"type": "array", "items": NUMBER}}),
                    "entranceFrom": LIST,
                }
            ),
            "ingress": closed(
                {
                    "enabled": FLAG,
                    "className": TEXT,
                    "annotations": TEXT_MAP,
                    "hosts": {"type": "array", "items": closed({"host": TEXT, "paths": PATHS})},
                    "tls": LIST,
                }
            ),
            "httpRoute": closed(
                {"enabled": FLAG, "annotations": TEXT_MAP, "parentRefs": LIST, "hostnames": TEXTS, "paths": PATHS}
            ),
            "test": closed({"image": TEXT, "pullPolicy": PULL, "tries": {"type": "integer"}, "resources": RESOURCES}),
            "wait": closed({"image": TEXT, "pullPolicy": PULL, "resources": RESOURCES}),
            "nameOverride": TEXT,
            "fullnameOverride": TEXT,
            "extraObjects": LIST,
            "tycho": closed({"guid": TEXT, "username": TEXT}),
        }
    )
    definitions: Schema = {
        "service": closed(_table(SERVICE)),
        "port": PORT,
        "resources": RESOURCES,
        "volume": closed(
            {
                "size": AMOUNT,
                "storageClass": TEXT,
                "accessModes": TEXTS,
                "existingClaim": TEXT,
                "annotations": SCALAR_MAP,
            }
        ),
    }
    document = {"$schema": "http://json-schema.org/draft-07/schema#", **found, "definitions": definitions}
    return json.dumps(document, indent=1) + "\n"
