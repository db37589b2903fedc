"""values.yaml: what every live position of the compose file says, in Compose's syntax, and what a user may override."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from tycho.chart import pods
from tycho.chart.kinds import JOBS, said, written
from tycho.chart.mounted import DATA, SINCE
from tycho.chart.names import QUALIFIED
from tycho.chart.plan import Claim, Plan
from tycho.chart.planner import secret_names
from tycho.chart.probes import probes
from tycho.chart.reserved import CONTROLLERS, ingress_annotations, keep_allowed
from tycho.chart.schema import COMMON, SETTINGS, Keys, schema
from tycho.chart.wiring import isolated
from tycho.chart.workload import Container, Pod
from tycho.chart.yaml import Noted, Tree, dump
from tycho.model import Reworded, Variable, template
from tycho.model.rights import read_grants

SHOWN = 3
KUBECTL = "registry.k8s.io/kubectl:v1.37.2"
BUSYBOX = "docker.io/library/busybox:1.36"


def files(plan: Plan, tree: dict[str, Tree]) -> dict[str, str]:
    """values.yaml and its schema."""
    return {"values.yaml": dump(tree), "values.schema.json": schema(plan)}


def values(plan: Plan) -> dict[str, Tree]:
    """The chart's values, in the order of values.yaml."""
    found: dict[str, Tree] = {
        "env": Noted(_env(plan), "-- Variables that the values below read, as a shell would hold them."),
        "services": Noted(
            {
                container.name: Noted(_service(plan, pod, container), f"-- {_place(plan, container.name)}")
                for pod in plan.pods
                for container in pod.containers
            },
            "-- One entry per compose service; `${VAR}` is read from env, `$$` is a dollar sign.",
        ),
    }
    if plan.claims:
        found["volumes"] = Noted(
            {name: _volume(claim) for name, claim in plan.claims.items()},
            "-- One claim per volume; sizes in Compose's units.",
        )
    if configs := _configs(plan):
        found["configs"] = Noted(configs, "-- Configs that read variables, or exist already.")
    if plan.system.secrets:
        found["secrets"] = Noted(
            {name: _secret(plan, name) for name in plan.system.secrets},
            "-- Secrets: give `value` (base64) with the release, or name a Secret that exists. Never commit one here.",
        )
    if trees := {tree.slug: dict.fromkeys(tree.secrets, "") for tree in plan.trees if tree.secrets}:
        found["secretFiles"] = Noted(
            trees,
            "-- Files that are secret: give the content of each (base64) with the release. Never commit one here.",
        )
    return found | _rest(plan)


def _path(plan: Plan, name: str) -> str:
    return f"services.{name}" if name in plan.system.services else f"jobs.{name}"


def _place(plan: Plan, name: str) -> str:
    """Where a service is written, without the folders of this machine."""
    file, line = plan.system.at(_path(plan, name))
    return f"{name}, {PurePath(file).name}:{line}" if file else name


def _env(plan: Plan) -> Tree:
    """Every variable, unset: a null here is as if it were not there."""
    return {name: Noted(None, _readers(variable)) for name, variable in sorted(plan.system.variables.items())}


def _readers(variable: Variable) -> str:
    """Who reads a variable: the first few places."""
    places = [re.sub(r"^\S*[/\\](?=[^/\\\s]*:\d)", "", place) for place in variable.places]
    more = f", and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f"-- {', '.join(places[:SHOWN])}{more}".rstrip()


def image(plan: Plan, container: Container) -> str:
    """The image of a container; one that is only built is called as Compose calls it."""
    return written(container.service.image) or f"{plan.chart}-{container.slug}"


def _service(plan: Plan, pod: Pod, container: Container) -> dict[str, Tree]:
    service = container.service
    found: dict[str, Tree] = {"image": image(plan, container)}
    found |= pods.policy(service)
    for key, words in (("entrypoint", service.entrypoint), ("command", service.command)):
        if words and isinstance(words[0], Reworded):
            found[key] = words[0].line
        elif words:
            found[key] = [template(word) for word in words]
    if service.entrypoint == () and service.command:
        found["entrypoint"] = found.pop("command")
    if directory := written(service.working_dir):
        found["workingDir"] = directory
    hidden = {*secret_names(service), *service.environment_pass}
    environment = {
        name: template(value)
        for name, value in sorted(service.environment.items())
        if name not in hidden and value is not None
    }
    optional: dict[str, Tree] = {
        "environment": environment,
        "environmentPass": sorted(service.environment_pass),
        "secretNames": sorted(secret_names(service)),
        "resources": pods.resources(service),
        "securityContext": pods.security(service),
        "shmSize": pods.size(service.shm_size) if service.shm_size is not None else "",
    }
    optional |= dict(probes(service, stage=container.stage, gates=container.gates)) | pods.hooks(service, held=pod.held)
    if container is pod.containers[0]:
        optional |= pods.scheduling(pod)
    grants = (*read_grants(plan.system), *read_grants(service))
    annotations = keep_allowed({**service.annotations, **service.labels}, grants)
    optional["annotations"] = {
        key: template(value) for key, value in sorted(annotations.items()) if QUALIFIED.fullmatch(key)
    }
    labels = keep_allowed(service.deploy.labels, grants)
    optional["workloadAnnotations"] = {
        key: template(value) for key, value in sorted(labels.items()) if QUALIFIED.fullmatch(key)
    }
    found |= {key: value for key, value in optional.items() if value not in ({}, [], "", None)}
    if (pod.kind in ("Deployment", "StatefulSet") or pod.completions) and container is pod.containers[0]:
        replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
        found["replicas"] = 1 if replicas is None else _number(replicas)
    if container is pod.containers[0] and _finds_unready(plan, pod):
        found["publishNotReadyAddresses"] = True
    if container.name not in plan.enclosed and (publish := pods.publish(service)):
        found["publish"] = publish
    return found


def _finds_unready(plan: Plan, pod: Pod) -> bool:
    """Tell whether a pod's name leads to containers that are not ready, too: Compose's always do."""
    named = pod.kind not in JOBS or plan.ports.get(pod.name)
    return bool(named and plan.is_headless(pod)) or any(one.name in plan.restless for one in pod.containers)


def _number(value: int) -> Tree:
    text = template(value)
    return value if "$" not in text else text


def _volume(claim: Claim) -> dict[str, Tree]:
    return {
        "size": claim.size,
        "storageClass": claim.storage_class,
        "accessModes": list(claim.access_modes),
        "existingClaim": claim.existing,
        "subPath": "" if claim.existing else DATA,
        "annotations": dict(claim.annotations),
    }


def _configs(plan: Plan) -> dict[str, Tree]:
    live = {tree.name for tree in plan.trees if tree.live}
    found: dict[str, Tree] = {}
    for name, config in plan.system.configs.items():
        if config.external:
            found[name] = {"existingConfigMap": template(config.name or name), "key": name}
        elif name in live:
            found[name] = {"content": written(config.content)}
    return found


def _secret(plan: Plan, name: str) -> Tree:
    secret = plan.system.secrets[name]
    return {"existingSecret": template(secret.name or name) if secret.external else "", "key": name}


def _rest(plan: Plan) -> dict[str, Tree]:
    common: dict[str, Tree] = {
        "pullPolicy": "IfNotPresent",
        "imagePullSecrets": [],
        "serviceAccountName": "",
        "automountServiceAccountToken": False,
        "podAnnotations": {},
        "podLabels": {},
        "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {},
        "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
        "resources": {},
        "nodeSelector": {},
        "tolerations": [],
        "affinity": {},
        "topologySpreadConstraints": [],
        "priorityClassName": "",
        "extraEnv": [],
        "extraVolumes": [],
        "extraVolumeMounts": [],
        "publish": {"type": "LoadBalancer", "annotations": {}},
    }
    found: dict[str, Tree] = {
        "common": Noted(_noted(common, COMMON), "-- For every service; the same keys of a service go before these."),
        "podSecurity": Noted("baseline", "-- baseline, or restricted: no root, no capabilities, in every container."),
        "dns": _group(
            "dns",
            {"scope": "namespace", "clusterDomain": "cluster.local", "nameservers": []},
            "-- namespace: services have their compose names. release: several releases share a namespace.",
        ),
    }
    if isolated(plan.system):
        policy: dict[str, Tree] = {
            "enabled": True,
            "apiServer": {"cidrs": [], "ports": [443, 6443]},
            "entranceFrom": [],
        }
        found["networkPolicy"] = _group("networkPolicy", policy, "-- One NetworkPolicy per compose network.")
    hosts, enabled = entrance(plan)
    ingress: dict[str, Tree] = {
        "enabled": enabled,
        "className": "",
        "annotations": {},
        "hosts": [{"host": host, "paths": paths} for host, paths in hosts.items()],
        "tls": [],
    }
    route: dict[str, Tree] = {
        "enabled": False,
        "annotations": {},
        "parentRefs": [],
        "hostnames": [host for host in hosts if host] if len(hosts) == 1 else [],
        "paths": [path for paths in hosts.values() for path in paths] if len(hosts) == 1 else [],
    }
    ingress |= said(plan.system).get("ingress") or {}
    kept = keep_allowed(ingress_annotations(plan.system), read_grants(plan.system), CONTROLLERS)
    ingress |= {"annotations": kept} if ingress["annotations"] else {}
    found["ingress"] = _group(
        "ingress", ingress, "-- One Ingress: hosts, paths, and the services and container ports behind them."
    )
    found["httpRoute"] = _group("httpRoute", route, "-- The same with the Gateway API.")
    test: dict[str, Tree] = {"image": BUSYBOX, "pullPolicy": "IfNotPresent", "tries": 30, "resources": _small("16Mi")}
    found["test"] = _group("test", test, "-- The pod of `helm test`.")
    if any(pod.waits for pod in plan.pods):
        wait: dict[str, Tree] = {"image": KUBECTL, "pullPolicy": "IfNotPresent", "resources": _small("64Mi")}
        found["wait"] = _group("wait", wait, "-- Containers that wait for depends_on.")
    if any(pod.fills for pod in plan.pods):
        fill: dict[str, Tree] = {
            "image": BUSYBOX, "pullPolicy": "IfNotPresent", "fromImage": True, "since": SINCE,
            "resources": _small("32Mi"),
        }  # fmt: skip
        found["fill"] = _group("fill", fill, "-- Containers that give new volumes what they begin with.")
    found["nameOverride"] = Noted("", "-- Instead of the chart's name, in labels and selectors.")
    found["fullnameOverride"] = Noted("", "-- Instead of the release's name, which every object's name starts with.")
    found["extraObjects"] = Noted([], "-- Further objects, as they are.")
    found["tycho"] = _group(
        "tycho", {"guid": "", "username": "", "origin": {}}, "-- Who runs this release; set by tycho up."
    )
    return found


def _group(name: str, tree: dict[str, Tree], comment: str) -> Noted:
    """Settings that belong together, each with what it is."""
    return Noted(_noted(tree, SETTINGS[name]), comment)


def _noted(tree: dict[str, Tree], keys: Keys) -> dict[str, Tree]:
    return {key: Noted(value, f"-- {keys[key][0]}") for key, value in tree.items()}


def _small(memory: str) -> Tree:
    """What a container that only asks around may take."""
    return {"requests": {"cpu": "10m", "memory": memory}, "limits": {"cpu": "500m", "memory": memory}}


def entrance(plan: Plan) -> tuple[dict[str, list[Tree]], bool]:
    """Hosts of the Ingress: what services say in `x-tycho: {ingress: …}`, else the first published port."""
    hosts: dict[str, list[Tree]] = {}
    published: list[Tree] = []
    for pod in plan.pods:
        for container in pod.containers:
            port = next((port.target for port in container.service.ports if port.protocol == "tcp"), None)
            about = said(container.service).get("ingress")
            if isinstance(about, Mapping):
                number = about.get("port") or port or 80
                path: Tree = {"path": str(about.get("path") or "/"), "service": container.name, "port": number}
                hosts.setdefault(str(about.get("host") or ""), []).append(path)
            elif port:
                published.append({"path": "/", "service": container.name, "port": port})
    if hosts:
        return hosts, True
    return {"": published[:1]} if published else {}, False
