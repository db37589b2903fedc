"""Every documented value has its effect through the real Helm, and every typo fails by the schema."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from tycho.chart.schema import COMMON, OVERRIDES, SERVICE, SETTINGS, VOLUME

SYSTEM = """
services:
  web:
    image: nginx:1
    ports: ["8080:80"]
    environment: {MODE: fast, URL: "${URL-x}", LOG: }
    env_file: web.env
    secrets: [token]
    shm_size: 1m
    labels: {team: a}
    deploy: {replicas: 2, labels: {owner: b}}
    volumes: ["data:/data"]
    pre_start: [{command: [before], per_replica: true}]
    depends_on: {db: {condition: service_healthy}}
  db: {image: postgres, healthcheck: {test: "true"}}
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
OWN = {"app.kubernetes.io/name": "demo", "app.kubernetes.io/instance": "rel", "app.kubernetes.io/component": "web"}
PROBE = {"exec": {"command": ["a", "$$b"]}, "periodSeconds": 5}
PROBED = {"exec": {"command": ["a", "$b"]}, "periodSeconds": 5}
ENTRY = {"name": "X", "value": "1"}
REF = {"secretKeyRef": {"name": "rel-web-env", "key": "PASSWORD"}}

# key -> the value given, and where it is found again, as what
Effect = tuple[Any, str, Any]
BOTH: Mapping[str, Effect] = {
    "sysctls": ({"kernel.shm_rmid_forced": "9"}, f"{POD}.securityContext.sysctls.0.value", "9"),
    "pullPolicy": ("Always", f"{MAIN}.imagePullPolicy", "Always"),
    "imagePullSecrets": ([{"name": "s"}], f"{POD}.imagePullSecrets", [{"name": "s"}]),
    "serviceAccountName": ("robot", f"{POD}.serviceAccountName", "robot"),
    "automountServiceAccountToken": (True, f"{POD}.automountServiceAccountToken", True),
    "podAnnotations": ({"n": "1"}, f"{META}.annotations.n", "1"),
    "podLabels": ({"n": "1"}, f"{META}.labels.n", "1"),
    "podSecurityContext": ({"fsGroup": 7}, f"{POD}.securityContext.fsGroup", 7),
    "securityContext": ({"runAsUser": 9}, f"{MAIN}.securityContext.runAsUser", 9),
    "resources": (
        {"limits": {"cpu": 2, "memory": "1k"}, "requests": {"ephemeral-storage": "1m"}},
        f"{MAIN}.resources",
        {"limits": {"cpu": "2", "memory": "1Ki"}, "requests": {"ephemeral-storage": "1Mi"}},
    ),
    "nodeSelector": ({"disk": "ssd"}, f"{POD}.nodeSelector", {"disk": "ssd"}),
    "tolerations": ([{"operator": "Exists"}], f"{POD}.tolerations", [{"operator": "Exists"}]),
    "affinity": (AFFINITY, f"{POD}.affinity.nodeAffinity", AFFINITY["nodeAffinity"]),
    "topologySpreadConstraints": (
        [SPREAD], f"{POD}.topologySpreadConstraints", [{**SPREAD, "labelSelector": {"matchLabels": OWN}}],
    ),
    "priorityClassName": ("high", f"{POD}.priorityClassName", "high"),
    "extraEnv": ([ENTRY], f"{MAIN}.env.-1", ENTRY),
    "extraVolumes": ([{"name": "v", "emptyDir": {}}], f"{POD}.volumes.-1", {"name": "v", "emptyDir": {}}),
    "extraVolumeMounts": ([{"name": "v", "mountPath": "/v"}], f"{MAIN}.volumeMounts.-1.mountPath", "/v"),
}  # fmt: skip
SERVICES: Mapping[str, Effect] = {
    **BOTH,
    "image": ("other:2", f"{MAIN}.image", "other:2"),
    "replicas": (3, "Deployment rel-web spec.replicas", 3),
    "entrypoint": (["run"], f"{MAIN}.command", ["run"]),
    "command": (["a", "b"], f"{MAIN}.args", ["a", "b"]),
    "workingDir": ("/w", f"{MAIN}.workingDir", "/w"),
    "environment": ({"MORE": "yes"}, f"{MAIN}.env.name=MORE", {"name": "MORE", "value": "yes"}),
    "environmentPass": (["LOG"], "Secret rel-web-env data.LOG", "cA=="),
    "secretNames": (["PASSWORD"], f"{MAIN}.env.name=PASSWORD", {"name": "PASSWORD", "valueFrom": REF}),
    "secretEnvironment": ({"PASSWORD": "p"}, "Secret rel-web-env data.PASSWORD", "cA=="),
    "envFile": ({"FILED": "p"}, "Secret rel-web-env-file data.FILED", "cA=="),
    "shmSize": ("2m", f"{POD}.volumes.name=shm.emptyDir.sizeLimit", "2Mi"),
    "startupProbe": (PROBE, f"{MAIN}.startupProbe", PROBED),
    "readinessProbe": (PROBE, f"{MAIN}.readinessProbe", PROBED),
    "livenessProbe": (PROBE, f"{MAIN}.livenessProbe", PROBED),
    "preStart": ([{"command": ["other"]}], f"{POD}.initContainers.-1.args", ["other"]),
    "postStart": (["warm"], f"{MAIN}.lifecycle.postStart.exec.command", ["warm"]),
    "preStop": (["drain"], f"{MAIN}.lifecycle.preStop.exec.command", ["drain"]),
    "annotations": ({"team": "z"}, f"{META}.annotations.team", "z"),
    "workloadAnnotations": ({"owner": "z"}, "Deployment rel-web metadata.annotations.owner", "z"),
    "hostname": ("h", f"{POD}.hostname", "h"),
    "hostAliases": ([{"ip": "10.0.0.1", "hostnames": ["h"]}], f"{POD}.hostAliases.0.ip", "10.0.0.1"),
    "dnsConfig": ({"searches": ["x.example"]}, f"{POD}.dnsConfig.searches", ["x.example"]),
    "runtimeClassName": ("gvisor", f"{POD}.runtimeClassName", "gvisor"),
    "onePerNode": (True, f"{POD}.affinity.podAntiAffinity.{REQUIRED}.0.labelSelector.matchLabels", OWN),
    "hostNetwork": (True, f"{POD}.hostNetwork", True),
    "hostPID": (True, f"{POD}.hostPID", True),
    "hostIPC": (True, f"{POD}.hostIPC", True),
    "shareProcessNamespace": (True, f"{POD}.shareProcessNamespace", True),
    "publishNotReadyAddresses": (True, "Service web spec.publishNotReadyAddresses", True),
    "publish": (
        {"type": "NodePort", "annotations": {"a": "b"}, "ports": {"tcp-80": {"nodePort": 30080}}},
        f"{PUBLISHED} spec.ports.0.nodePort",
        30080,
    ),
}  # fmt: skip
COMMONS: Mapping[str, Effect] = {
    **BOTH,
    "publish": ({"type": "ClusterIP", "annotations": {"a": "b"}}, f"{PUBLISHED} spec.type", "ClusterIP"),
}
ALONE: Mapping[str, Effect] = {
    "services.web.drainSeconds": (7, f"{MAIN}.lifecycle.preStop.sleep.seconds", 7),
    "services.web.publish.clients": (["10.0.0.0/8"], f"{PUBLISHED} spec.loadBalancerSourceRanges", ["10.0.0.0/8"]),
    "services.web.publish.port": (81, f"{PUBLISHED} spec.ports.0.targetPort", 81),
    "services.web.publish.annotations": ({"a": "b"}, f"{PUBLISHED} metadata.annotations.a", "b"),
    "common.publish.annotations": ({"a": "b"}, f"{PUBLISHED} metadata.annotations.a", "b"),
    "volumes.data.size": ("5g", f"{CLAIM} spec.resources.requests.storage", "5Gi"),
    "volumes.data.storageClass": ("fast", f"{CLAIM} spec.storageClassName", "fast"),
    "volumes.data.accessModes": (["ReadWriteMany"], f"{CLAIM} spec.accessModes.0", "ReadWriteMany"),
    "volumes.data.annotations": ({"a": "$$b"}, f"{CLAIM} metadata.annotations.a", "$b"),
    "volumes.data.existingClaim": ("mine", f"{POD}.volumes.name=data.persistentVolumeClaim.claimName", "mine"),
    "volumes.data.subPath": ("x", f"{MAIN}.volumeMounts.name=data.subPath", "x"),
    "secrets.token.existingSecret": ("mine", f"{POD}.volumes.name=secret-token.secret.secretName", "mine"),
    "secrets.token.value": ("cA==", "Secret rel-token data.token", "cA=="),
    "podSecurity": ("restricted", f"{MAIN}.securityContext.runAsNonRoot", True),
    "dns.scope": ("release", f"{POD}.subdomain", "rel"),
    "wait.image": ("kubectl:2", f"{POD}.initContainers.0.image", "kubectl:2"),
    "wait.pullPolicy": ("Always", f"{POD}.initContainers.0.imagePullPolicy", "Always"),
    "wait.resources": ({"limits": {"cpu": "1"}}, f"{POD}.initContainers.0.resources.limits.cpu", "1"),
    "fill.image": ("box:2", f"{POD}.initContainers.name=fill-web.image", "box:2"),
    "fill.pullPolicy": ("Always", f"{POD}.initContainers.name=fill-web.imagePullPolicy", "Always"),
    "fill.resources": ({"limits": {"cpu": "1"}}, f"{POD}.initContainers.name=fill-web.resources.limits.cpu", "1"),
    "fill.fromImage": (False, f"{POD}.initContainers.2.name", "web-pre-start-0"),
    "fill.since": ("1.99", f"{POD}.initContainers.2.name", "web-pre-start-0"),
    "test.image": ("box:2", "Pod rel-test spec.containers.0.image", "box:2"),
    "test.pullPolicy": ("Always", "Pod rel-test spec.containers.0.imagePullPolicy", "Always"),
    "test.resources": ({"limits": {"cpu": "1"}}, "Pod rel-test spec.containers.0.resources.limits.cpu", "1"),
    "tycho.guid": ("abc", "Deployment rel-web metadata.labels.tycho-guid", "abc"),
    "tycho.username": ("ann", "Deployment rel-web metadata.labels.username", "ann"),
    "tycho.origin": (
        {"host": "h"}, "Deployment rel-web metadata.annotations.tycho!dev/origin", '{"host":"h"}',
    ),
}  # fmt: skip
ELSEWHERE = {
    *(f"ingress.{key}" for key in SETTINGS["ingress"]), *(f"httpRoute.{key}" for key in SETTINGS["httpRoute"]),
    *(f"networkPolicy.{key}" for key in SETTINGS["networkPolicy"]), "dns.clusterDomain", "dns.nameservers",
    "test.tries",
}  # fmt: skip
"""Tested with what they belong to: test_values.py, test_reach.py, and below."""


def nested(path: str, value: Any) -> dict[str, Any]:
    for part in reversed(path.split(".")):
        value = {part: value}
    found: dict[str, Any] = value
    return found


def at(objects: Any, where: str) -> Any:
    """A field of a rendered object; `key=name` finds an entry of a list, and `!` stands for a dot in a key."""
    kind, name, path = where.split(" ", 2)
    found = objects.one(kind, name)
    for part in path.split("."):
        _, _, named = part.partition("=")
        if named:
            found = next(one for one in found if one["name"] == named)
        else:
            found = found[int(part)] if isinstance(found, list) else found.get(part.replace("!", "."))
    return found


@pytest.fixture(scope="module")
def chart(bench: Any) -> Any:
    return bench.chart(SYSTEM, {"web.env": "FILED=x\n"})


@pytest.fixture(scope="module")
def rendered(bench: Any, chart: Any) -> dict[str, Any]:
    """With every key of a service at once, and with every common one."""
    own = {"env": {"LOG": "p"}, "services": {"web": {key: given for key, (given, _, _) in SERVICES.items()}}}
    common = {"common": {key: given for key, (given, _, _) in COMMONS.items()}}
    return {"services.web": bench.render(chart, own), "common": bench.render(chart, common)}


EFFECTS = {
    f"{level}.{key}": (level, where, expected)
    for level, table in (("services.web", SERVICES), ("common", COMMONS))
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
    assert set(SERVICES) | {"drainSeconds"} == set(SERVICE)
    assert set(BOTH) == set(OVERRIDES)
    assert set(COMMONS) == set(COMMON)
    groups = {f"{group}.{key}" for group, keys in SETTINGS.items() for key in keys}
    assert groups - set(ALONE) - ELSEWHERE == set()
    assert {f"volumes.data.{key}" for key in VOLUME} <= set(ALONE)


def test_a_service_goes_before_common_and_lists_add_up(bench: Any, chart: Any) -> None:
    values = {
        "common": {
            "podLabels": {"team": "a", "x": "1"}, "podAnnotations": {"n": "1", "team": "all"}, "extraEnv": [ENTRY],
            "nodeSelector": {"disk": "hdd"}, "automountServiceAccountToken": True, "priorityClassName": "low",
            "tolerations": [{"key": "a"}],
        },
        "services": {
            "web": {
                "podLabels": {"x": "2"}, "extraEnv": [{"name": "Y"}], "nodeSelector": {"disk": "ssd"},
                "automountServiceAccountToken": False, "priorityClassName": "high", "tolerations": [{"key": "b"}],
            }
        },
    }  # fmt: skip
    objects = bench.render(chart, values)
    metadata, pod = at(objects, META), objects.pod("rel-web")
    assert (metadata["labels"]["team"], metadata["labels"]["x"], metadata["annotations"]["n"]) == ("a", "2", "1")
    assert metadata["annotations"]["team"] == "all"  # before the compose file's own label of that name
    assert [one["name"] for one in pod["containers"][0]["env"]][-2:] == ["X", "Y"]
    assert (pod["nodeSelector"], pod["priorityClassName"]) == ({"disk": "ssd"}, "high")
    assert pod["automountServiceAccountToken"] is False
    assert pod["tolerations"] == [{"key": "a"}, {"key": "b"}]
    other = objects.pod("rel-db")
    assert (other["nodeSelector"], other["automountServiceAccountToken"]) == ({"disk": "hdd"}, True)


def test_a_probe_is_taken_away_by_null(bench: Any, chart: Any) -> None:
    values = {"services": {"db": {"readinessProbe": None}}}
    assert "readinessProbe" not in bench.render(chart, values).container("rel-db")


def test_the_names_of_a_shared_namespace(bench: Any, chart: Any) -> None:
    dns = {"scope": "release", "clusterDomain": "corp.local", "nameservers": ["10.0.0.9"]}
    config = bench.render(chart, {"dns": dns}).pod("rel-web")["dnsConfig"]
    assert config["nameservers"] == ["10.0.0.9"]
    assert config["searches"][0].endswith(".svc.corp.local")
    assert config["searches"][-1] == "corp.local"


def test_how_long_a_test_waits(bench: Any, chart: Any) -> None:
    assert "-lt 77 ]" in at(bench.render(chart, {"test": {"tries": 77}}), "Pod rel-test spec.containers.0.command.2")


def test_labels_of_all_services_of_a_pod(bench: Any) -> None:
    text = """
      services:
        web: {image: x, labels: {a: "1", both: web}}
        side: {image: x, network_mode: "service:web", labels: {b: "2", both: side}, deploy: {labels: {c: "3"}}}
    """
    deployment = bench.objects(text).one("Deployment")
    found = deployment["spec"]["template"]["metadata"]["annotations"]
    assert (found["a"], found["b"], found["both"]) == ("1", "2", "web")
    assert deployment["metadata"]["annotations"]["c"] == "3"


def test_a_secret_given_on_the_command_line(bench: Any, chart: Any) -> None:
    value = base64.b64encode(b"s3cret").decode()
    objects = bench.render(chart, {}, "--set-string", f"secrets.token.value={value}")
    assert objects.secret("rel-token") == {"token": "s3cret"}


def test_of_two_variables_of_a_name_the_nearest_is_taken(bench: Any, chart: Any) -> None:
    """The API server refuses a name that is there twice."""
    values = {
        "common": {"extraEnv": [{"name": "MODE", "value": "common"}, {"name": "X", "value": "common"}]},
        "services": {"web": {"extraEnv": [{"name": "X", "value": "own"}]}},
    }
    env = [(one["name"], one.get("value")) for one in bench.render(chart, values).container("rel-web")["env"]]
    assert env == [("URL", None), ("MODE", "common"), ("X", "own")]
