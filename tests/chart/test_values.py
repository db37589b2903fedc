"""Values: what users override, what fails on a typo, and numbers that are no way in."""

from __future__ import annotations

from typing import Any

import pytest

SYSTEM = """
services:
  web:
    image: nginx:${TAG:-1}
    ports: ["8080:80"]
    environment: {MODE: fast, USER: "${WHO}"}
    healthcheck: {test: "true"}
    volumes: ["data:/data"]
    deploy: {replicas: "${N-2}", resources: {limits: {cpus: "${CPUS-0.5}", memory: "${MEM-64m}"}}}
volumes: {data: {}}
"""


@pytest.mark.parametrize(
    ("env", "where"),
    [
        ({"N": "2\n  paused: true"}, "services.web.replicas"),
        ({"N": "abc"}, "services.web.replicas"),
        ({"N": "-1"}, "services.web.replicas"),
        ({"CPUS": "1; x"}, "services.web.resources.limits.cpu"),
        ({"MEM": "64m\n    evil: 1"}, "services.web.resources.limits.memory"),
        ({"MEM": "64x"}, "services.web.resources.limits.memory"),
    ],
)
def test_a_number_is_no_way_in(bench: Any, env: dict[str, str], where: str) -> None:
    done = bench.run(bench.chart(SYSTEM), {"variables": env})
    assert done.returncode != 0
    assert where in done.stderr


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("64m", "64Mi"), ("1g", "1Gi"), ("1.5g", "1536Mi"), ("10 MiB", "10Mi"), ("640kb", "640Ki"),
        ("1025", "1025"), ("1048576", "1Mi"), ("0.5k", "512"), ("2G", "2Gi"), ("512Mi", "512Mi"),
        ("1234567b", "1234567"),
    ],
)  # fmt: skip
def test_sizes_are_read_as_compose_reads_them(bench: Any, text: str, quantity: str) -> None:
    container = bench.render(bench.chart(SYSTEM), {"variables": {"MEM": text}}).container("rel-web")
    assert str(container["resources"]["limits"]["memory"]) == quantity


def test_an_empty_number_drops_its_field(bench: Any) -> None:
    objects = bench.render(bench.chart(SYSTEM), {"variables": {"N": "", "CPUS": "", "MEM": ""}})
    assert "replicas" not in objects.find("Deployment", "rel-web")["spec"]
    assert "resources" not in objects.container("rel-web")


def test_zero_replicas_stay_zero(bench: Any) -> None:
    objects = bench.render(bench.chart(SYSTEM), {"variables": {"N": "0"}})
    assert objects.find("Deployment", "rel-web")["spec"]["replicas"] == 0


def test_publishing(bench: Any) -> None:
    values = {
        "services": {
            "web": {
                "service": {"type": "NodePort", "annotations": {"a": "b"}, "loadBalancerSourceRanges": ["10.0.0.0/8"]}
            }
        }
    }
    objects = bench.render(bench.chart(SYSTEM), values)
    service = objects.find("Service", "rel-web-published")
    assert service["spec"]["type"] == "NodePort"
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert service["metadata"]["annotations"]["a"] == "b"
    rule = objects.find("NetworkPolicy", "rel-web-published")["spec"]["ingress"][0]
    assert rule == {"ports": [{"port": 80, "protocol": "TCP"}], "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    off = bench.render(bench.chart(SYSTEM), {"services": {"web": {"service": {"ports": None}}}})
    assert "rel-web-published" not in off.names("Service") | off.names("NetworkPolicy")


def test_ingress_and_http_route(bench: Any) -> None:
    tls = [{"hosts": ["x.example"], "secretName": "t"}]
    common = {"enabled": True, "annotations": {"a": "b"}, "path": "/x"}
    own = {
        "ingress": common | {"ingressClassName": "nginx", "hosts": ["x.example"], "tls": tls},
        "httpRoute": common | {"parentRefs": [{"name": "gate"}], "hostnames": ["x.example"]},
    }
    values = {"services": {"web": own}}
    objects = bench.render(bench.chart(SYSTEM), values)
    ingress, route = objects.find("Ingress", "rel-web"), objects.find("HTTPRoute", "rel-web")
    rule = ingress["spec"]["rules"][0]
    assert (rule["host"], ingress["spec"]["ingressClassName"], ingress["spec"]["tls"]) == ("x.example", "nginx", tls)
    assert rule["http"]["paths"] == [
        {"path": "/x", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    ]
    assert ingress["metadata"]["annotations"] == route["metadata"]["annotations"] == {"a": "b"}
    assert (route["spec"]["hostnames"], route["spec"]["parentRefs"]) == (["x.example"], [{"name": "gate"}])
    assert route["spec"]["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/x"}}],
            "backendRefs": [{"name": "web", "port": 80}],
        }
    ]
    shared = bench.render(bench.chart(SYSTEM), values | {"dns": {"scope": "release"}})
    assert shared.find("HTTPRoute")["spec"]["rules"][0]["backendRefs"] == [{"name": "rel-web", "port": 80}]
    gateless = {"services": {"web": {"httpRoute": {"enabled": True}}}}
    assert "name the Gateway" in bench.run(bench.chart(SYSTEM), gateless).stderr


def test_an_ingress_lets_its_controller_call(bench: Any) -> None:
    """Also where nothing is published, or only to loopback; a list of callers is then no limit."""
    text = """
      services:
        inner: {image: x, x-tycho: {ingress: {host: a.example, port: 9000}}}
        lo: {image: x, ports: ["127.0.0.1:8080:80"]}
    """
    policies = bench.objects(text).names("NetworkPolicy")
    assert "rel-inner-published" in policies
    assert "rel-lo-published" not in policies
    opened = bench.objects(text, "--set", "services.lo.ingress.enabled=true")
    rule = opened.find("NetworkPolicy", "rel-lo-published")["spec"]["ingress"]
    assert {"port": 80, "protocol": "TCP"} in rule[0]["ports"]
    assert "from" not in rule[0]
    assert bench.objects(text).find("NetworkPolicy", "rel-inner-published")["spec"]["ingress"] == [
        {"ports": [{"port": 9000, "protocol": "TCP"}]}
    ]


def test_ingress_from_the_compose_file(bench: Any) -> None:
    text = """
      x-tycho: {ingress: {className: nginx, annotations: {a: b}, tls: [{hosts: [shop.example], secretName: tls}]}}
      services: {web: {image: x, ports: ['80'], x-tycho: {ingress: {host: shop.example, path: /shop}}}}
    """
    ingress = bench.objects(text).find("Ingress")
    rule = ingress["spec"]["rules"][0]
    assert (rule["host"], rule["http"]["paths"][0]["path"]) == ("shop.example", "/shop")
    assert (ingress["spec"]["ingressClassName"], ingress["metadata"]["annotations"]) == ("nginx", {"a": "b"})
    assert ingress["spec"]["tls"][0]["secretName"] == "tls"


def test_names_and_further_objects(bench: Any) -> None:
    values = {
        "fullnameOverride": "other",
        "nameOverride": "store",
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}],
    }
    objects = bench.render(bench.chart(SYSTEM), values)
    assert objects.names("Deployment") == {"other-web"}
    deployment, budget = objects.find("Deployment"), objects.find("PodDisruptionBudget")
    for selector in (deployment["spec"]["selector"], budget["spec"]["selector"]):
        assert selector["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
        assert selector["matchLabels"]["app.kubernetes.io/name"] == "store"
    assert "mine" in objects.names("ConfigMap")


def test_the_restricted_profile(bench: Any) -> None:
    text = "services: {web: {image: x, cap_add: [NET_BIND_SERVICE], user: '1000', command: [a]}}"
    objects = bench.objects(text, "--set", "podSecurity=restricted")
    assert objects.container("rel-web")["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 1000,
    }
    assert objects.pod("rel-web")["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
    }


def test_long_release_names_are_cut_the_same_everywhere(bench: Any) -> None:
    text = """
      services:
        LONG: {image: x, environment: {A: "${B}"}}
        b: {image: x, depends_on: {LONG: {condition: service_healthy}}}
    """.replace("LONG", "a" * 60)
    objects = bench.render(bench.chart(text), {}, name="r" * 53)
    names = {rendered["metadata"]["name"] for rendered in objects}
    assert max(map(len, names)) <= 63
    assert len({workload["metadata"]["name"] for workload in objects if workload["kind"] == "Deployment"}) == 2
    (awaited,) = (name for name in objects.names("Service") if name not in ("a" * 60, "b"))
    pods = {pod["spec"]["template"]["metadata"]["annotations"]["tycho.dev/service"]: pod for pod in objects
            if pod["kind"] == "Deployment"}  # fmt: skip
    waiting = pods["b"]["spec"]["template"]["spec"]["initContainers"][0]
    assert waiting["args"] == [f"{awaited}.default.svc.cluster.local."]
