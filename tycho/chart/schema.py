"""values.schema.json: draft-07, closed at our own levels, so that a typo in `--set` fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from tycho.chart.plan import Plan
from tycho.chart.wiring import everything

Schema: TypeAlias = "dict[str, Schema | list[str] | list[Schema] | str | bool | int]"

TEXT: Schema = {"type": "string"}
ANY_OBJECT: Schema = {"type": "object"}
ANY_LIST: Schema = {"type": "array"}
SCALAR: Schema = {"type": ["string", "integer", "boolean", "null"]}
AMOUNT: Schema = {"type": ["string", "number"]}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
TEXT_MAP: Schema = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
SCALAR_MAP: Schema = {"type": "object", "additionalProperties": SCALAR}
PULL: Schema = {"enum": ["Always", "IfNotPresent", "Never"]}
SIDE: Schema = {"type": "object", "additionalProperties": AMOUNT}


def closed(properties: Mapping[str, Schema]) -> Schema:
    """An object with these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


RESOURCES = closed({"limits": SIDE, "requests": SIDE, "claims": ANY_LIST})
OVERRIDES: dict[str, Schema] = {
    "pullPolicy": PULL,
    "imagePullSecrets": ANY_LIST,
    "serviceAccountName": TEXT,
    "podAnnotations": TEXT_MAP,
    "podLabels": TEXT_MAP,
    "podSecurityContext": ANY_OBJECT,
    "securityContext": ANY_OBJECT,
    "resources": {"$ref": "#/definitions/resources"},
    "nodeSelector": TEXT_MAP,
    "tolerations": ANY_LIST,
    "affinity": ANY_OBJECT,
    "topologySpreadConstraints": ANY_LIST,
    "priorityClassName": TEXT,
    "runtimeClassName": TEXT,
    "extraEnv": ANY_LIST,
    "extraVolumes": ANY_LIST,
    "extraVolumeMounts": ANY_LIST,
}
TYPE: Schema = {"enum": ["LoadBalancer", "NodePort", "ClusterIP"]}
PORT = closed(
    {
        "port": AMOUNT,
        "targetPort": {"type": "integer", "minimum": 1, "maximum": 65535},
        "protocol": {"enum": ["TCP", "UDP", "SCTP"]},
        "appProtocol": TEXT,
    }
)
PATHS: Schema = {
    "type": "array",
    "items": {
        **closed({"path": TEXT, "pathType": TEXT, "service": TEXT, "port": {"type": "integer"}}),
        "required": ["path", "service", "port"],
    },
}
SERVICE: dict[str, Schema] = {
    "image": {"type": "string", "minLength": 1},
    "replicas": AMOUNT,
    "entrypoint": TEXTS,
    "command": TEXTS,
    "workingDir": TEXT,
    "environment": SCALAR_MAP,
    "environmentPass": TEXTS,
    "secretNames": TEXTS,
    "secretEnvironment": SCALAR_MAP,
    "envFile": SCALAR_MAP,
    "shmSize": AMOUNT,
    "startupProbe": ANY_OBJECT,
    "readinessProbe": ANY_OBJECT,
    "livenessProbe": ANY_OBJECT,
    "preStart": ANY_LIST,
    "postStart": TEXTS,
    "preStop": TEXTS,
    "onePerNode": FLAG,
    "hostNetwork": FLAG,
    "hostPID": FLAG,
    "hostIPC": FLAG,
    "shareProcessNamespace": FLAG,
    "hostname": TEXT,
    "hostAliases": ANY_LIST,
    "dnsConfig": ANY_OBJECT,
    "sysctls": SCALAR_MAP,
    "annotations": SCALAR_MAP,
    "workloadAnnotations": SCALAR_MAP,
    "publishNotReadyAddresses": FLAG,
    "publish": closed(
        {
            "enabled": FLAG,
            "type": TYPE,
            "annotations": TEXT_MAP,
            "port": AMOUNT,
            "clients": TEXTS,
            "ports": {"type": "object", "additionalProperties": {"$ref": "#/definitions/port"}},
        }
    ),
    **OVERRIDES,
}


def schema(plan: Plan) -> str:
    """The schema of a chart's values, as JSON."""
    system = plan.system
    volume = closed({"size": AMOUNT, "storageClass": TEXT, "accessModes": TEXTS, "existingClaim": TEXT})
    found = closed(
        {
            "global": ANY_OBJECT,
            "env": closed(dict.fromkeys(sorted(system.variables), SCALAR)),
            "services": closed(dict.fromkeys(everything(system), {"$ref": "#/definitions/service"})),
            "volumes": closed(dict.fromkeys((claim.name for claim in plan.claims), volume)),
            "configs": closed(
                dict.fromkeys(
                    system.configs, closed({"content": TEXT, "existingConfigMap": TEXT, "key": TEXT})
                )
            ),
            "secrets": closed(
                dict.fromkeys(system.secrets, closed({"value": TEXT, "existingSecret": TEXT, "key": TEXT}))
            ),
            "common": closed({**OVERRIDES, "publish": closed({"type": TYPE, "annotations": TEXT_MAP})}),
            "podSecurity": {"enum": ["baseline", "restricted"]},
            "dns": closed(
                {"scope": {"enum": ["namespace", "release"]}, "clusterDomain": TEXT, "nameservers": TEXTS}
            ),
            "networkPolicy": closed(
                {
                    "enabled": FLAG,
                    "apiServer": closed(
                        {"cidrs": TEXTS, "ports": {"type": "array", "items": {"type": "integer"}}}
                    ),
                    "entranceFrom": ANY_LIST,
                }
            ),
            "ingress": closed(
                {
                    "enabled": FLAG,
                    "className": TEXT,
                    "annotations": TEXT_MAP,
                    "hosts": {"type": "array", "items": closed({"host": TEXT, "paths": PATHS})},
                    "tls": ANY_LIST,
                }
            ),
            "httpRoute": closed(
                {
                    "enabled": FLAG,
                    "annotations": TEXT_MAP,
                    "parentRefs": ANY_LIST,
                    "hostnames": TEXTS,
                    "paths": PATHS,
                }
            ),
            "test": closed(
                {
                    "image": TEXT,
                    "pullPolicy": PULL,
                    "tries": {"type": "integer", "minimum": 1},
                    "resources": RESOURCES,
                }
            ),
            "wait": closed({"image": TEXT, "pullPolicy": PULL, "resources": RESOURCES}),
            "fullnameOverride": TEXT,
            "extraObjects": ANY_LIST,
            "tycho": closed({"guid": TEXT, "username": TEXT}),
        }
    )
    definitions: Schema = {"service": closed(SERVICE), "port": PORT, "resources": RESOURCES}
    document = {"$schema": "http://json-schema.org/draft-07/schema#", **found, "definitions": definitions}
    return json.dumps(document, indent=1) + "\n"
