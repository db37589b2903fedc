"""Every documented value has its effect through the real Helm, and every typo fails by the schema."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from tycho.chart.settings import KEYS, RENAMED, RENAMED_OF_SERVICE, SETTINGS
from tycho.chart.settings import OWN_KEYS as OF_ONE

SYSTEM = """
services:
  web:
    image: nginx:1
    ports: ["8080:80"]
    environment: {MODE: fast, URL: "${URL-x}", LOG: , PASSWORD: hunter22}
    env_file: web.env
    secrets: [token]
    shm_size: 1m
    labels: {team: a}
    deploy: {replicas: 2, labels: {owner: b}}
    volumes: ["data:/data"]
    pre_start: [{command: [before], per_replica: true}]
    depends_on: {db: {condition: service_healthy}, init: {condition: service_completed_successfully}}
  db: {image: postgres, healthcheck: {test: "true"}}
  init: {image: x}
secrets: {token: {environment: TOKEN}}
volumes: {data: {}}
"""
POD = "Deployment rel-web spec.template.spec"
MAIN = f"{POD}.containers.0"
META = "Deployment rel-web spec.template.metadata"
PUBLISHED = "Service rel-web-published"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
CLAIM = "PersistentVolumeClaim rel-data"
AFFINITY = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
PROBE = {"exec": {"command": ["a", "$b"]}, "periodSeconds": 5}
DIGEST = f"sha256:{'0' * 64}"

# key -> the value given, and where it is found again, as what
Effect = tuple[Any, str, Any]
BOTH: Mapping[str, Effect] = {
    "image": ({"pullPolicy": "Always"}, f"{MAIN}.imagePullPolicy", "Always"),
    "imagePullSecrets": ([{"name": "s"}], f"{POD}.imagePullSecrets", [{"name": "s"}]),
    "serviceAccountName": ("robot", f"{POD}.serviceAccountName", "robot"),
    "automountServiceAccountToken": (True, f"{POD}.automountServiceAccountToken", True),
    "podAnnotations": ({"n": "1"}, f"{META}.annotations.n", "1"),
    "podLabels": ({"n": "1"}, f"{META}.labels.n", "1"),
    "workloadAnnotations": ({"n": "1"}, "Deployment rel-web metadata.annotations.n", "1"),
    "podSecurityContext": ({"fsGroup": 7}, f"{POD}.securityContext.fsGroup", 7),
    "securityContext": ({"runAsUser": 9}, f"{MAIN}.securityContext.runAsUser", 9),
    "resources": ({"limits": {"memory": "1Ki"}}, f"{MAIN}.resources", {"limits": {"memory": "1Ki"}}),
    "nodeSelector": ({"disk": "ssd"}, f"{POD}.nodeSelector", {"disk": "ssd"}),
    "tolerations": ([{"operator": "Exists"}], f"{POD}.tolerations", [{"operator": "Exists"}]),
    "affinity": (AFFINITY, f"{POD}.affinity.nodeAffinity", AFFINITY["nodeAffinity"]),
    "topologySpreadConstraints": ([SPREAD], f"{POD}.topologySpreadConstraints", [SPREAD]),
    "priorityClassName": ("high", f"{POD}.priorityClassName", "high"),
    "runtimeClassName": ("gvisor", f"{POD}.runtimeClassName", "gvisor"),
    "hostAliases": ([{"ip": "10.0.0.1", "hostnames": ["h"]}], f"{POD}.hostAliases.0.ip", "10.0.0.1"),
    "command": (["run"], f"{MAIN}.command", ["run"]),
    "args": (["a", "b"], f"{MAIN}.args", ["a", "b"]),
    "workingDir": ("/w", f"{MAIN}.workingDir", "/w"),
    "env": ({"X": "1"}, f"{MAIN}.env.name=X", {"name": "X", "value": "1"}),
    "startupProbe": (PROBE, f"{MAIN}.startupProbe", PROBE),
    "readinessProbe": (PROBE, f"{MAIN}.readinessProbe", PROBE),
    "livenessProbe": (PROBE, f"{MAIN}.livenessProbe", PROBE),
    "lifecycle": ({"preStop": {"sleep": {"seconds": 7}}}, f"{MAIN}.lifecycle.preStop.sleep.seconds", 7),
    "volumes": ([{"name": "v", "emptyDir": {}}], f"{POD}.volumes.-1", {"name": "v", "emptyDir": {}}),
    "volumeMounts": ([{"name": "v", "mountPath": "/v"}], f"{MAIN}.volumeMounts.-1.mountPath", "/v"),
    "service": ({"type": "ClusterIP", "annotations": {"a": "b"}}, f"{PUBLISHED} spec.type", "ClusterIP"),
}  # fmt: skip
SERVICES: Mapping[str, Effect] = {
    **BOTH,
    "image": ({"repository": "other", "tag": "2"}, f"{MAIN}.image", "other:2"),
    "replicas": (3, "Deployment rel-web spec.replicas", 3),
    "stopped": (False, "Deployment rel-web metadata.annotations.tycho!dev/state", "running"),
    "secretEnv": ({"PASSWORD": "p"}, "Secret rel-web-env data.PASSWORD", "cA=="),
    "envFile": ({"FILED": "p"}, "Secret rel-web-env-file data.FILED", "cA=="),
    "service": (
        {"type": "NodePort", "annotations": {"a": "b"}, "ports": {"tcp-80": {"nodePort": 30080}}},
        f"{PUBLISHED} spec.ports.0.nodePort",
        30080,
    ),
    "ingress": ({"enabled": True, "hosts": ["shop.example"]}, "Ingress rel-web spec.rules.0.host", "shop.example"),
    "httpRoute": (
        {"enabled": True, "parentRefs": [{"name": "g"}]}, "HTTPRoute rel-web spec.parentRefs", [{"name": "g"}],
    ),
}  # fmt: skip
ALONE: Mapping[str, Effect] = {
    "services.web.image.digest": (DIGEST, f"{MAIN}.image", f"nginx:1@{DIGEST}"),
    "services.web.service.loadBalancerSourceRanges": (
        ["10.0.0.0/8"], f"{PUBLISHED} spec.loadBalancerSourceRanges", ["10.0.0.0/8"],
    ),
    "services.web.service.annotations": ({"a": "b"}, f"{PUBLISHED} metadata.annotations.a", "b"),
    "defaults.service.annotations": ({"a": "b"}, f"{PUBLISHED} metadata.annotations.a", "b"),
    "services.web.ingress": (
        {"enabled": True, "ingressClassName": "nginx"}, "Ingress rel-web spec.ingressClassName", "nginx",
    ),
    "persistence.data.size": ("5Gi", f"{CLAIM} spec.resources.requests.storage", "5Gi"),
    "persistence.data.storageClass": ("fast", f"{CLAIM} spec.storageClassName", "fast"),
    "persistence.data.accessModes": (["ReadWriteMany"], f"{CLAIM} spec.accessModes.0", "ReadWriteMany"),
    "persistence.data.annotations": ({"a": "b"}, f"{CLAIM} metadata.annotations.a", "b"),
    "persistence.data.existingClaim": ("mine", f"{POD}.volumes.name=data.persistentVolumeClaim.claimName", "mine"),
    "persistence.data.subPath": ("x", f"{MAIN}.volumeMounts.name=data.subPath", "x"),
    "secrets.token.existingSecret": ("mine", f"{POD}.volumes.name=secret-token.secret.secretName", "mine"),
    "secrets.token.key": ("k", f"{POD}.volumes.name=secret-token.secret.items.0.key", "k"),
    "secrets.token.value": ("cA==", "Secret rel-token data.token", "cA=="),
    "paused": (True, "Deployment rel-web spec.replicas", 0),
    "services.web.stopped": (True, "Deployment rel-web spec.replicas", 0),
    "podSecurity": ("restricted", f"{MAIN}.securityContext.runAsNonRoot", True),
    "dns.scope": ("release", f"{POD}.subdomain", "rel"),
    "tools.image": ({"repository": "box", "tag": "2"}, f"{POD}.initContainers.name=await-db.image", "box:2"),
    "tools.resources": (
        {"limits": {"cpu": "1"}}, f"{POD}.initContainers.name=fill-web.resources.limits.cpu", "1",
    ),
    "kubectl.image": ({"repository": "ctl", "tag": "2"}, f"{POD}.initContainers.name=find-init.image", "ctl:2"),
    "kubectl.resources": (
        {"limits": {"cpu": "1"}}, f"{POD}.initContainers.name=find-init.resources.limits.cpu", "1",
    ),
    "kubectl.serviceAccount": ({"create": False, "name": "seer"}, f"{POD}.serviceAccountName", "seer"),
    "fill.fromImage": (False, f"{POD}.initContainers.-1.name", "web-pre-start-0"),
    "fill.since": ("1.99", f"{POD}.initContainers.-1.name", "web-pre-start-0"),
    "test.timeoutSeconds": (77, "Pod rel-test spec.activeDeadlineSeconds", 77),
    "global.imageRegistry": ("mirror.example/hub", f"{MAIN}.image", "mirror.example/hub/nginx:1"),
    "commonLabels": ({"team": "a"}, "Service web metadata.labels.team", "a"),
    "nameOverride": ("short", "Service web spec.selector.app!kubernetes!io/name", "short"),
    "fullnameOverride": ("own", "Deployment own-web metadata.name", "own-web"),
    "extraObjects": (
        [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}], "ConfigMap more kind", "ConfigMap",
    ),
}  # fmt: skip
ELSEWHERE = {"networkPolicy.enabled", "networkPolicy.apiServer", "dns.clusterDomain", "dns.nameservers"}
"""Tested with what they belong to: test_values.py, test_reach.py, and below."""


def nested(path: str, value: Any) -> dict[str, Any]:
    for part in reversed(path.split(".")):
        value = {part: value}
    tree: dict[str, Any] = value
    return tree


def at(objects: Any, where: str) -> Any:
    """A field of a rendered object; `key=name` finds an entry of a list, and `!` stands for a dot in a key."""
    kind, name, path = where.split(" ", 2)
    node = objects.find(kind, name)
    for part in path.split("."):
        _, _, named = part.partition("=")
        if named:
            node = next(element for element in node if element["name"] == named)
        else:
            node = node[int(part)] if isinstance(node, list) else node.get(part.replace("!", "."))
    return node


@pytest.fixture(scope="module")
def chart(bench: Any) -> Any:
    return bench.chart(SYSTEM, {"web.env": "FILED=x\n"})


@pytest.fixture(scope="module")
def rendered(bench: Any, chart: Any) -> dict[str, Any]:
    """With every key of a service at once, and with every common one."""
    own = {"variables": {"LOG": "p"}, "services": {"web": {key: given for key, (given, _, _) in SERVICES.items()}}}
    defaults = {"defaults": {key: given for key, (given, _, _) in BOTH.items()}}
    return {"services.web": bench.render(chart, own), "defaults": bench.render(chart, defaults)}


EFFECTS = {
    f"{level}.{key}": (level, where, expected)
    for level, table in (("services.web", SERVICES), ("defaults", BOTH))
    for key, (_, where, expected) in table.items()
}


@pytest.mark.parametrize(("level", "where", "expected"), EFFECTS.values(), ids=EFFECTS)
def test_every_key_of_a_service_has_its_effect(rendered: Any, level: str, where: str, expected: Any) -> None:
    assert at(rendered[level], where) == expected


@pytest.mark.parametrize("path", ALONE)
def test_every_other_key_has_its_effect(bench: Any, chart: Any, path: str) -> None:
    given, where, expected = ALONE[path]
    assert at(bench.render(chart, nested(path, given)), where) == expected


def test_none_is_forgotten() -> None:
    assert set(SERVICES) == set(KEYS)
    assert set(BOTH) == set(KEYS) - set(OF_ONE)
    groups = {
        f"{group}.{key}" for group, setting in SETTINGS.items() for key in setting.schema.get("properties", {})
    } | {group for group, setting in SETTINGS.items() if setting.schema and "properties" not in setting.schema}
    assert groups - set(ALONE) - ELSEWHERE == {"global"}


def test_a_service_goes_before_defaults(bench: Any, chart: Any) -> None:
    values = {
        "defaults": {
            "podLabels": {"team": "a", "x": "1"}, "podAnnotations": {"n": "1", "team": "all"}, "env": {"X": "1"},
            "nodeSelector": {"disk": "hdd"}, "automountServiceAccountToken": True, "priorityClassName": "low",
            "tolerations": [{"key": "a"}],
        },
        "services": {
            "web": {
                "podLabels": {"x": "2"}, "env": {"Y": "2"}, "nodeSelector": {"disk": "ssd"},
                "automountServiceAccountToken": False, "priorityClassName": "high", "tolerations": [],
            }
        },
    }  # fmt: skip
    objects = bench.render(chart, values)
    metadata, pod = at(objects, META), objects.pod("rel-web")
    assert (metadata["labels"]["team"], metadata["labels"]["x"], metadata["annotations"]["n"]) == ("a", "2", "1")
    assert metadata["annotations"]["team"] == "a"  # the compose file's own label of that name
    assert {"X", "Y", "MODE"} <= {entry["name"] for entry in pod["containers"][0]["env"]}
    assert (pod["nodeSelector"], pod["priorityClassName"]) == ({"disk": "ssd"}, "high")
    assert pod["automountServiceAccountToken"] is False
    assert "tolerations" not in pod
    other = objects.pod("rel-db")
    assert (other["nodeSelector"], other["automountServiceAccountToken"]) == ({"disk": "hdd"}, True)


@pytest.mark.parametrize("name", RENAMED)
def test_a_former_key_is_told_its_new_name(bench: Any, chart: Any, name: str) -> None:
    done = bench.run(chart, {name: {"x": "1"}})
    assert done.returncode != 0
    assert f"renamed: {RENAMED[name]}" in done.stderr


@pytest.mark.parametrize("name", RENAMED_OF_SERVICE)
def test_former_key_names_new_one(bench: Any, chart: Any, name: str) -> None:
    done = bench.run(chart, {"services": {"web": {name: "x"}}})
    assert done.returncode != 0
    assert f"renamed: {RENAMED_OF_SERVICE[name]}" in done.stderr


def test_a_probe_is_taken_away_by_null(bench: Any, chart: Any) -> None:
    values = {"services": {"db": {"readinessProbe": None}}}
    assert "readinessProbe" not in bench.render(chart, values).container("rel-db")


def test_the_names_of_a_shared_namespace(bench: Any, chart: Any) -> None:
    dns = {"scope": "release", "clusterDomain": "corp.local", "nameservers": ["10.0.0.9"]}
    config = bench.render(chart, {"dns": dns}).pod("rel-web")["dnsConfig"]
    assert config["nameservers"] == ["10.0.0.9"]
    assert config["searches"][0].endswith(".svc.corp.local")
    assert config["searches"][-1] == "corp.local"


def test_labels_of_all_services_of_a_pod(bench: Any) -> None:
    text = """
      services:
        web: {image: x, labels: {a: "1", both: web}}
        side: {image: x, network_mode: "service:web", labels: {b: "2", both: side}, deploy: {labels: {c: "3"}}}
    """
    deployment = bench.objects(text).find("Deployment")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert (annotations["a"], annotations["b"], annotations["both"]) == ("1", "2", "web")
    assert deployment["metadata"]["annotations"]["c"] == "3"


def test_a_secret_given_on_the_command_line(bench: Any, chart: Any) -> None:
    value = base64.b64encode(b"s3cret").decode()
    objects = bench.render(chart, {}, "--set-string", f"secrets.token.value={value}")
    assert objects.secret("rel-token") == {"token": "s3cret"}


def test_secret_entry_may_be_overridden(bench: Any, chart: Any) -> None:
    """Whoever edits says it where all entries stand."""
    own = {"services": {"web": {"env": {"PASSWORD": "p", "MODE": {"valueFrom": {"fieldRef": {"fieldPath": "x"}}}}}}}
    objects = bench.render(chart, own)
    assert objects.secret("rel-web-env").items() >= {"PASSWORD": "p"}.items()
    (mode,) = [entry for entry in objects.container("rel-web")["env"] if entry["name"] == "MODE"]
    assert mode == {"name": "MODE", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}
