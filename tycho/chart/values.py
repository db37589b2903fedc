"""values.yaml: what every live position of the compose file says, in Compose's syntax, and what a user may override."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tycho.chart import pods
from tycho.chart.kinds import said
from tycho.chart.names import QUALIFIED
from tycho.chart.plan import Claim, Container, Plan, Pod
from tycho.chart.planner import secret_names
from tycho.chart.schema import schema
from tycho.chart.yaml import Noted, Tree, dump
from tycho.model import Service, template

KUBECTL = "registry.k8s.io/kubectl:v1.37.2"
BUSYBOX = "docker.io/library/busybox:1.36"


def files(plan: Plan) -> dict[str, str]:
    """values.yaml and its schema."""
    return {"values.yaml": dump(values(plan)), "values.schema.json": schema(plan)}


def values(plan: Plan) -> dict[str, Tree]:
    """The chart's values, in the order of values.yaml."""
    found: dict[str, Tree] = {
        "env": Noted(_env(plan), "-- Variables that the values below read, as a shell would hold them; see README.md."),
        "services": Noted(
            {
                container.name: Noted(
                    _service(pod, container), f"-- {plan.system.at(_path(plan, container.name))[0] or 'policies'}: {container.name}"
                )
                for pod in plan.pods
                for container in pod.containers
            },
            "-- One entry per compose service; `${VAR}` is read from env, `$$` is a dollar sign.",
        ),
    }
    if plan.claims:
        found["volumes"] = Noted(
            {claim.name: _volume(claim) for claim in plan.claims}, "-- One claim per volume; sizes in Compose's units."
        )
    if plan.system.configs:
        found["configs"] = Noted(_configs(plan), "-- Configs that read variables, or exist already.")
    if plan.system.secrets:
        found["secrets"] = Noted(
            {name: _secret(plan, name) for name in plan.system.secrets},
            "-- Secrets: give `value` (base64) with the release, or name a Secret that exists. Never commit one here.",
        )
    return found | _rest(plan)


def _path(plan: Plan, name: str) -> str:
    return f"services.{name}" if name in plan.system.services else f"jobs.{name}"


def _env(plan: Plan) -> Tree:
    return {}


def _service(pod: Pod, container: Container) -> dict[str, Tree]:
    service = container.service
    found: dict[str, Tree] = {"image": template(service.image or f"{container.slug}")}
    found |= pods.policy(service)
    for key, words in (("entrypoint", service.entrypoint), ("command", service.command)):
        if words:
            found[key] = [template(word) for word in words]
    if service.entrypoint == () and service.command:
        found["entrypoint"] = found.pop("command")
    if service.working_dir:
        found["workingDir"] = template(service.working_dir)
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
        "shmSize": template(service.shm_size) if service.shm_size else "",
    }
    optional |= dict(pods.probes(service))
    if container is pod.containers[0]:
        optional |= pods.scheduling(pod)
    annotations = {**service.annotations, **service.labels}
    optional["annotations"] = {key: template(value) for key, value in sorted(annotations.items()) if QUALIFIED.fullmatch(key)}
    optional["workloadAnnotations"] = {
        key: template(value) for key, value in sorted(service.deploy.labels.items()) if QUALIFIED.fullmatch(key)
    }
    found |= {key: value for key, value in optional.items() if value not in ({}, [], "", None)}
    if pod.kind in ("Deployment", "StatefulSet") and container is pod.containers[0]:
        replicas = service.deploy.replicas if service.deploy.replicas is not None else service.scale
        found["replicas"] = 1 if replicas is None else _number(replicas)
    if publish := pods.publish(service):
        found["publish"] = publish
    return found


def _number(value: int) -> Tree:
    text = template(value)
    return value if "$" not in text else text


def _volume(claim: Claim) -> dict[str, Tree]:
    return {
        "size": claim.size,
        "storageClass": claim.storage_class,
        "accessModes": list(claim.access_modes),
        "existingClaim": claim.existing,
    }


def _configs(plan: Plan) -> dict[str, Tree]:
    live = {tree.name for tree in plan.trees if tree.live}
    found: dict[str, Tree] = {}
    for name, config in plan.system.configs.items():
        if config.external:
            found[name] = {"existingConfigMap": template(config.name or name), "key": name}
        elif name in live:
            found[name] = {"content": template(config.content or "")}
    return found


def _secret(plan: Plan, name: str) -> Tree:
    secret = plan.system.secrets[name]
    return {"existingSecret": template(secret.name or name) if secret.external else "", "key": name}


def _rest(plan: Plan) -> dict[str, Tree]:
    common: dict[str, Tree] = {
        "pullPolicy": "IfNotPresent",
        "imagePullSecrets": [],
        "serviceAccountName": "",
        "podAnnotations": {},
        "podLabels": {},
        "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {},
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
        "common": Noted(common, "-- For every service; the same keys under services.X go before these."),
        "podSecurity": Noted("baseline", "-- baseline, or restricted: no root, no capabilities, in every container."),
        "dns": Noted(
            {"scope": "namespace", "clusterDomain": "cluster.local", "nameservers": []},
            "-- namespace: services have their compose names. release: several releases share a namespace.",
        ),
    }
    if any(pod.waits for pod in plan.pods):
        found["wait"] = Noted(
            {"image": KUBECTL, "pullPolicy": "IfNotPresent", "resources": {}}, "-- Containers that wait for depends_on."
        )
    found["fullnameOverride"] = Noted("", "-- Instead of the release's name.")
    found["extraObjects"] = Noted([], "-- Further objects, as they are.")
    found["tycho"] = Noted({"guid": "", "username": ""}, "-- Who runs this release; set by tycho up.")
    return found
