"""Labels and annotations: whose they are, and that no map has a key twice."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.test_cluster import OURS, read
from tycho.chart import emit, release_values
from tycho.chart.reserved import is_acting, is_allowed
from tycho.errors import PolicyDenied
from tycho.model import ServiceMetadata
from tycho.policy import apply_policies

HOSTILE = """
services:
  web:
    image: x
    ports: ["80"]
    volumes: ["data:/data"]
    secrets: [token]
    labels:
      tycho.dev/service: other
      app.kubernetes.io/name: other
      helm.sh/resource-policy: delete
      checksum/secret-token: none
      com.example/kept: "1"
    annotations: {com.example/kept: "2", a.k8s.io/b: c, com.example/too: "3"}
    deploy: {labels: {tycho.dev/order: "9", com.example/kept: "4", a.helm.sh/b: c}}
  once: {image: x, restart: "no", deploy: {labels: {helm.sh/resource-policy: delete}}}
  side: {image: x, network_mode: "service:web", labels: {com.example/kept: "5", tycho.dev/service: side}}
secrets: {token: {environment: TOKEN}}
volumes: {data: {labels: {helm.sh/resource-policy: delete, com.example/kept: "6"}}}
x-tycho:
  ingress:
    annotations: {nginx.ingress.kubernetes.io/rewrite-target: /, a.k8s.io/b: c, cert-manager.io/issuer: x}
"""
GIVEN = {
    "tycho.dev/service": "other", "app.kubernetes.io/component": "other", "checksum/secret-token": "none",
    "helm.sh/resource-policy": "delete", "tycho.dev/order": "9", "com.example/given": "1",
}  # fmt: skip
LABELS = {"executor": "other", "tycho-guid": "0", "username": "other", "tycho.dev/network-back": "true"}
VALUES = {
    "services": {
        "web": {
            "podLabels": {**GIVEN, **LABELS}, "podAnnotations": GIVEN, "ingress": {"enabled": True},
            "workloadAnnotations": GIVEN, "service": {"annotations": GIVEN},
        },
        "once": {"workloadAnnotations": GIVEN},
    },
    "defaults": {"podLabels": {**GIVEN, **LABELS}, "podAnnotations": GIVEN, "service": {"annotations": GIVEN}},
    "persistence": {"data": {"annotations": GIVEN}},
    "commonLabels": {"tycho-guid": "abc", "username": "ann"},
}  # fmt: skip


class Unique(yaml.SafeLoader):
    """YAML in which a key that is there twice is an error, as Kubernetes's strict reading has it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{keys} {node.start_mark}"
        return super().construct_mapping(node, deep)


Unique.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def unique(bench: Any, chart: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    done = bench.run(chart, values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.load_all(done.stdout, Unique) if document]


def test_the_loader_finds_doubles() -> None:
    with pytest.raises(AssertionError):
        yaml.load("a: {b: 1, b: 2}", Unique)  # noqa: S506 - a safe loader


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.parent.name)
def test_no_key_twice_in_ours(bench: Any, path: Path) -> None:
    policy_result = apply_policies(read(path))
    assert unique(bench, emit(policy_result), release_values(policy_result.system, guid="0" * 32, username="ann"))


@pytest.fixture(scope="module")
def hostile(bench: Any) -> Any:
    return bench.chart(HOSTILE)


@pytest.mark.parametrize("values", [{}, VALUES], ids=["file", "values"])
def test_ours_win(bench: Any, hostile: Any, values: dict[str, Any]) -> None:
    objects = {
        (rendered["kind"], rendered["metadata"]["name"]): rendered for rendered in unique(bench, hostile, values)
    }
    web = objects["Deployment", "rel-web"]
    template = web["spec"]["template"]["metadata"]
    assert web["metadata"]["annotations"]["tycho.dev/service"] == "web"
    assert web["metadata"]["annotations"]["tycho.dev/order"] == "0"
    assert template["annotations"]["tycho.dev/service"] == "web"
    assert len(template["annotations"]["checksum/secret-token"]) == 64
    assert template["labels"]["app.kubernetes.io/component"] == "web"
    assert template["labels"]["executor"] == "tycho"
    assert ("tycho.dev/network-back" in template["labels"]) is bool(values)  # whoever installs it may say so
    assert template["annotations"]["com.example/kept"] == "1"
    assert template["annotations"]["com.example/too"] == "3"
    claim = objects["PersistentVolumeClaim", "rel-data"]["metadata"]["annotations"]
    assert claim["helm.sh/resource-policy"] == "keep"
    published = objects["Service", "rel-web-published"]["metadata"]["annotations"]
    assert published["tycho.dev/service"] == "web"
    (job,) = (rendered for (kind, _), rendered in objects.items() if kind == "Job")
    assert job["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    if values:
        assert (template["labels"]["tycho-guid"], template["labels"]["username"]) == ("abc", "ann")
        assert template["labels"]["com.example/given"] == "1"
        assert published["com.example/given"] == claim["com.example/given"] == "1"
        ingress = objects["Ingress", "rel-web"]["metadata"]["annotations"]
        assert ingress == {"nginx.ingress.kubernetes.io/rewrite-target": "/", "cert-manager.io/issuer": "x"}


def test_what_is_left_out_has_a_row(hostile: Any) -> None:
    rows = {row.path: row.outcome for row in hostile.report}
    for path in (
        "services.web.labels.tycho.dev/service", "services.web.labels.helm.sh/resource-policy",
        "services.web.labels.checksum/secret-token", "services.web.annotations.a.k8s.io/b",
        "services.web.deploy.labels.a.helm.sh/b", "services.once.deploy.labels.helm.sh/resource-policy",
        "volumes.data.labels.helm.sh/resource-policy", "x-tycho.ingress.annotations.a.k8s.io/b",
    ):  # fmt: skip
        assert rows[path] == "ignored", path
    assert "services.web.labels.com.example/kept" not in rows


ACTING = (
    "container.apparmor.security.beta.kubernetes.io/web", "seccomp.security.alpha.kubernetes.io/pod",
    "io.kubernetes.cri-o.Devices", "irq-load-balancing.crio.io", "seccomp-profile.kubernetes.cri-o.io/web",
    "k8s.v1.cni.cncf.io/networks", "cdi.k8s.io/gpu", "devices.nri.io/container.web", "run.oci.hooks.stdout",
    "org.systemd.property.MemoryMax", "io.katacontainers.config.hypervisor.path",
    "io.kubernetes.cri.untrusted-workload",
    "nginx.ingress.kubernetes.io/server-snippet", "nginx.org/location-snippets", "haproxy.org/backend-config-snippet",
    "haproxy-ingress.github.io/config-backend", "nginx.ingress.kubernetes.io/modsecurity-snippet",
)  # fmt: skip
PLAIN = (
    "com.example", "com.example/x", "prometheus.io/scrape", "traefik.http.routers.a.rule", "tycho.dev/simulate",
    "kubernetes.io/ingress.class", "mykubernetes.io/x", "cpu-limit", "com.example/dilution",
)  # fmt: skip


@pytest.mark.parametrize("key", ACTING)
def test_what_acts_is_refused(bench: Any, key: str) -> None:
    assert is_acting(key)
    for where in ("labels", "annotations"):
        with pytest.raises(PolicyDenied) as denied:
            bench.chart(f"services: {{web: {{image: x, {where}: {{'{key}': x}}}}}}")
        assert denied.value.problems[0].path == f"services.web.{where}.{key}"


@pytest.mark.parametrize("key", PLAIN)
def test_what_is_plain_passes(key: str) -> None:
    assert is_allowed(key, "x", ())


def test_secrets_of_other_namespaces() -> None:
    key = "nginx.ingress.kubernetes.io/auth-tls-secret"
    domains = ("ingress.kubernetes.io",)
    assert is_allowed(key, "own", (), domains)
    assert not is_allowed(key, "kube-system/ca", (), domains)


def test_ours_cannot_be_granted() -> None:
    assert is_allowed("a.k8s.io/b", "x", ("annotations.*",))
    for key in ("tycho.dev/service", "app.kubernetes.io/name", "helm.sh/hook", "checksum/x"):
        assert not is_allowed(key, "x", ("annotations.*", "*"))


@pytest.mark.parametrize("place", ["podLabels", "podAnnotations", "workloadAnnotations", "service"])
def test_values_of_a_caller(bench: Any, place: str) -> None:
    def given(key: str) -> dict[str, ServiceMetadata]:
        return {
            "web": ServiceMetadata(values={place: {"annotations": {key: "x"}} if place == "service" else {key: "x"}})
        }

    system = bench.system("services: {web: {image: x, ports: ['80']}}")
    assert release_values(system, given("com.example/x"))
    for key in ("tycho.dev/service", "cdi.k8s.io/x", "a.kubernetes.io/b"):
        with pytest.raises(PolicyDenied) as denied:
            release_values(system, given(key))
        assert denied.value.problems[0].hint
    balancer = given("service.beta.kubernetes.io/aws-load-balancer-type")
    if place == "service":
        assert release_values(system, balancer)
        return
    with pytest.raises(PolicyDenied):
        release_values(system, balancer)


def test_a_grant_lets_an_annotation_pass(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "80-a.yaml").write_text('description: A.\nadd: {x-tycho: {grants: ["annotations.*.cni.cncf.io/*"]}}')
    system = bench.system("services: {web: {image: x, annotations: {k8s.v1.cni.cncf.io/networks: net}}}")
    policy_result = apply_policies(system, folders=[tmp_path])
    deployment = bench.render(emit(policy_result), release_values(policy_result.system)).find("Deployment")
    assert deployment["spec"]["template"]["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"] == "net"
