"""values.schema.json: draft-07, closed at our own levels, so that a typo in `--set` fails.

The keys of a service are a table, for the README shows the same one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from tycho.chart.plan import Plan
from tycho.chart.workload import Container, Pod

Schema: TypeAlias = "dict[str, Schema | list[str] | list[Schema] | str | bool | int]"
Keys: TypeAlias = Mapping[str, tuple[str, Schema]]
"""What each key is, and what may be written there."""

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
LIST: Schema = {"type": "array"}
SCALAR: Schema = {"type": ["string", "integer", "boolean", "null"]}
AMOUNT: Schema = {"type": ["string", "number"]}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
WORDS: Schema = {"anyOf": list[Schema]([TEXTS, {"type": "string"}])}
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
PORT = closed(
    {
        "port": AMOUNT,
        "targetPort": NUMBER,
        "nodePort": {**NUMBER, "minimum": 0},  # 0: any
        "protocol": {"enum": ["TCP", "UDP", "SCTP"]},
        "appProtocol": TEXT,
    }
)
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

OVERRIDES: Keys = {
    "pullPolicy": ("Always, IfNotPresent or Never", PULL),
    "imagePullSecrets": ("Secrets for the registry: `[{name: …}]`", LIST),
    "serviceAccountName": ("a ServiceAccount that exists", TEXT),
    "automountServiceAccountToken": ("whether containers may call the Kubernetes API as it", FLAG),
    "podAnnotations": ("annotations of the pods", TEXT_MAP),
    "podLabels": ("labels of the pods", TEXT_MAP),
    "podSecurityContext": ("securityContext of the pods", OBJECT),
    "securityContext": ("securityContext of the containers", OBJECT),
    "sysctls": ("kernel parameters; as in Docker, every user may open every port", SCALAR_MAP),
    "resources": ("limits and requests; memory in Compose's units", {"$ref": "#/definitions/resources"}),
    "nodeSelector": ("labels of the nodes to run on", TEXT_MAP),
    "tolerations": ("taints to bear; a service's own and the common ones add up", LIST),
    "affinity": ("Kubernetes' affinity", OBJECT),
    "topologySpreadConstraints": ("how pods are spread; without a labelSelector, over the service's own", LIST),
    "priorityClassName": ("a PriorityClass", TEXT),
    "extraEnv": ("further `env` entries, which go before those of the compose file", LIST),
    "extraVolumes": ("further volumes", LIST),
    "extraVolumeMounts": ("further volumeMounts", LIST),
}
SERVICE: Keys = {
    "image": ("image", {"type": "string", "minLength": 1}),
    "replicas": ("how many pods", AMOUNT),
    "entrypoint": ("instead of the image's entrypoint; a list, or a line that is split as Compose splits it", WORDS),
    "command": ("instead of the image's command; a list, or a line", WORDS),
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
SHARED = closed({"type": TYPE, "annotations": TEXT_MAP})
COMMON: Keys = {**OVERRIDES, "publish": ("type and annotations of the Services to the outside", SHARED)}
VOLUME: Keys = {
    "size": ("size of the claim, in Compose's units", AMOUNT),
    "storageClass": ("a StorageClass; the cluster's default where it is empty", TEXT),
    "accessModes": ("ReadWriteOnce, ReadWriteMany, …", TEXTS),
    "existingClaim": ("a claim that exists, instead of one of this release", TEXT),
    "subPath": ("its folder that containers see; all of it where this is empty, as in claims of earlier charts", TEXT),
    "annotations": ("annotations of the claim", SCALAR_MAP),
}
CONFIG: Keys = {
    "content": ("its text, which may read variables", TEXT),
    "existingConfigMap": ("a ConfigMap that exists", TEXT),
    "key": ("the key in it", TEXT),
}
SECRET: Keys = {
    "value": ("its content in base64; give it with the release", TEXT),
    "existingSecret": ("a Secret that exists, instead of one of this release", TEXT),
    "key": ("the key in it", TEXT),
}
SETTINGS: Mapping[str, Keys] = {
    "dns": {
        "scope": ("namespace, or release", {"enum": ["namespace", "release"]}),
        "clusterDomain": ("the domain of the cluster", TEXT),
        "nameservers": ("the cluster's DNS: with them nothing but the release answers to its names", TEXTS),
    },
    "networkPolicy": {
        "enabled": ("whether compose networks keep others out", FLAG),
        "apiServer": ("where pods that wait find the API server; any address when cidrs is empty",
                      closed({"cidrs": TEXTS, "ports": {"type": "array", "items": NUMBER}})),
        "entranceFrom": ("peers that an Ingress or Gateway calls from; anybody when empty", LIST),
    },
    "ingress": {
        "enabled": ("whether there is an Ingress", FLAG),
        "className": ("an IngressClass; the cluster's default where it is empty", TEXT),
        "annotations": ("annotations of the Ingress", TEXT_MAP),
        "hosts": ("hosts, with their paths: path, pathType, service, and the container's port",
                  {"type": "array", "items": closed({"host": TEXT, "paths": PATHS})}),
        "tls": ("Kubernetes' tls: `[{hosts: […], secretName: …}]`", LIST),
    },
    "httpRoute": {
        "enabled": ("whether there is an HTTPRoute", FLAG),
        "annotations": ("annotations of the HTTPRoute", TEXT_MAP),
        "parentRefs": ("the Gateway: `[{name: …}]`", LIST),
        "hostnames": ("hosts; any where it is empty", TEXTS),
        "paths": ("paths: path, pathType, service, and the container's port", PATHS),
    },
    "test": {
        "image": ("an image with sh and nc", TEXT),
        "pullPolicy": ("Always, IfNotPresent or Never", PULL),
        "tries": ("seconds that a port may take to answer", {"type": "integer"}),
        "resources": ("limits and requests", RESOURCES),
    },
    "wait": {
        "image": ("an image with kubectl", TEXT),
        "pullPolicy": ("Always, IfNotPresent or Never", PULL),
        "resources": ("limits and requests", RESOURCES),
    },
    "fill": {
        "image": ("an image with a shell, as busybox", TEXT),
        "pullPolicy": ("Always, IfNotPresent or Never", PULL),
        "fromImage": ("whether a new volume gets what the image has at its path, as with Docker", FLAG),
        "since": ("the Kubernetes that can mount an image as a volume; 1.33 where its feature gate is on", TEXT),
        "resources": ("limits and requests", RESOURCES),
    },
    "tycho": {
        "guid": ("the system's identity, a label of every object", TEXT),
        "username": ("who asked for it, a label of every object", TEXT),
        "origin": ("where it was started from: user, host and folder", OBJECT),
    },
}  # fmt: skip


OF_PODS = frozenset(OVERRIDES) - {"pullPolicy", "securityContext", "resources", "extraEnv", "extraVolumeMounts"} | {
    "replicas", "hostname", "hostAliases", "dnsConfig", "sysctls", "runtimeClassName", "onePerNode", "hostNetwork",
    "hostPID", "hostIPC", "shareProcessNamespace", "publishNotReadyAddresses",
}  # fmt: skip
"""Keys that a pod has once: they are those of the service that it is named for."""


def _idle(pod: Pod, container: Container) -> frozenset[str]:
    """Keys that would do nothing for a service, as the templates have no place for them."""
    counted = pod.kind in ("Deployment", "StatefulSet") or pod.completions
    parts = {
        frozenset({"shmSize"}): container.service.shm_size is not None,
        frozenset({"preStart"}): bool(container.service.pre_start),
        frozenset({"secretNames", "secretEnvironment", "environmentPass"}): "env" in container.secrets,
        frozenset({"envFile"}): "env-file" in container.secrets,
        frozenset({"replicas"}): counted,
        OF_PODS: container is pod.containers[0],
    }
    return frozenset(key for keys, used in parts.items() if not used for key in keys)


def _table(keys: Keys) -> Schema:
    return closed({key: schema for key, (_, schema) in keys.items()})


def _part(key: str) -> Schema:
    return {"$ref": f"#/definitions/services.{key}"}


def _services(plan: Plan) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schema of each service, and what it refers to: services with the same keys have one."""
    names: dict[frozenset[str], str] = {}
    found: dict[str, Schema] = {}
    for pod in plan.pods:
        for container in pod.containers:
            name = names.setdefault(_idle(pod, container), f"service-{len(names) + 1}")
            found[container.name] = {"$ref": f"#/definitions/{name}"}
    definitions = {
        name: closed({key: _part(key) for key in SERVICE if key not in idle}) for idle, name in names.items()
    }
    return found, {**definitions, **{f"services.{key}": schema for key, (_, schema) in SERVICE.items()}}


def _secret_files(plan: Plan) -> dict[str, Schema]:
    trees = {tree.slug: closed(dict.fromkeys(tree.secrets, TEXT)) for tree in plan.trees if tree.secrets}
    return {"secretFiles": closed(trees)} if trees else {}


def schema(plan: Plan) -> str:
    """The schema of a chart's values, as JSON."""
    system = plan.system
    services, parts = _services(plan)
    found = closed(
        {
            "global": OBJECT,
            "env": closed(dict.fromkeys(sorted(system.variables), SCALAR)),
            "services": closed(services),
            "volumes": closed(dict.fromkeys(plan.claims, _table(VOLUME))),
            "configs": closed(dict.fromkeys(system.configs, _table(CONFIG))),
            "secrets": closed(dict.fromkeys(system.secrets, _table(SECRET))),
            **_secret_files(plan),
            "common": closed({**{key: _part(key) for key in OVERRIDES}, "publish": SHARED}),
            "podSecurity": {"enum": ["baseline", "restricted"]},
            **{group: _table(keys) for group, keys in SETTINGS.items()},
            "nameOverride": TEXT,
            "fullnameOverride": TEXT,
            "extraObjects": LIST,
        }
    )
    definitions: Schema = {**parts, "port": PORT, "resources": RESOURCES}
    document = {"$schema": "http://json-schema.org/draft-07/schema#", **found, "definitions": definitions}
    return json.dumps(document, indent=1) + "\n"
