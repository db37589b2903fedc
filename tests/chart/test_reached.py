"""Who reaches whom, and what need not be refused: small inputs that showed faults, with neighbours of each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.cases import files, ports, read, rows, service


def test_peers_reach_ports_that_are_not_published(bench: Any) -> None:
    text, given = read("peer-ports-not-published"), files("peer-ports-not-published")
    objects = bench.objects(text, files=given)
    assert ports(objects, "cache") == [6379, 8001]
    assert {5672, 15672} <= set(ports(objects, "queue"))
    assert ports(objects, "store") == [9000, 9001]
    assert service(objects, "app")["clusterIP"] == "None"
    targets = {row.path: row.target for row in bench.chart(text, files=given).report}
    assert targets["services.cache.expose"] == "peers can call it at 6379, 8001"


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ("image: 'registry.example.org:5000/team/redis:${TAG:-7}'", [6379]),
        (f"image: 'postgres@sha256:{'0' * 64}'", [5432]),
        ("image: redis-tools", []),
        ("image: redis:7, x-tycho: {headless: true}", []),
        ("image: x, expose: ['81']", [81]),
    ],
)
def test_ports_that_are_known_of_an_image(bench: Any, keys: str, known: list[int]) -> None:
    spec = service(bench.objects(f"services: {{cache: {{{keys}}}}}"), "cache")
    assert [port["port"] for port in spec.get("ports", ())] == known or spec["clusterIP"] == "None"
    assert (spec.get("clusterIP") == "None") == (not known)


def test_peers_find_each_other_before_they_are_healthy(bench: Any) -> None:
    text = read("quorum-health")
    objects = bench.objects(text, files=files("quorum-health"))
    for name in ("n1", "n2", "n3", "k1", "k2", "vault"):
        assert service(objects, name)["publishNotReadyAddresses"] is True, name


@pytest.mark.parametrize("peers", ["n[1-3]", "n{1...3}", "n{1..3}:9000/data", "http://n[01-03].example"])
def test_a_pattern_names_peers(bench: Any, peers: str) -> None:
    check = "healthcheck: {test: [CMD, ctl]}, expose: ['9000']"
    names = ["n01", "n02"] if "01" in peers else ["n1", "n2"]
    nodes = ", ".join(f"{name}: {{image: x, {check}, command: ['{peers}']}}" for name in names)
    objects = bench.objects(f"services: {{{nodes}}}")
    assert [service(objects, name).get("publishNotReadyAddresses", False) for name in names] == [
        ".example" not in peers
    ] * 2


def test_a_job_reaches_what_it_makes_healthy(bench: Any) -> None:
    text = read("quorum-health")
    healthy = text.replace("depends_on: [vault]", "depends_on: {vault: {condition: service_healthy}}")
    vault_spec = service(bench.objects(healthy, files=files("quorum-health")), "vault")
    assert "publishNotReadyAddresses" not in vault_spec  # it is called once it is healthy


def test_every_user_may_open_every_port(bench: Any) -> None:
    parameter = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
    objects = bench.objects(read("low-port-nonroot"))
    assert objects.pod("rel-web")["securityContext"]["sysctls"] == [parameter]
    own = "services: {web: {image: x, sysctls: {net.ipv4.ip_unprivileged_port_start: 1024}}}"
    assert bench.objects(own).pod("rel-web")["securityContext"]["sysctls"] == [{**parameter, "value": "1024"}]
    off = bench.objects(own.replace(", sysctls: {net.ipv4.ip_unprivileged_port_start: 1024}", ""), "--set-json",
                        "defaults.podSecurityContext.sysctls=[]")  # fmt: skip
    assert not off.pod("rel-web")["securityContext"]["sysctls"]


# What was refused, and need not be.


def test_root_is_a_number(bench: Any) -> None:
    objects = bench.objects(read("user-root"))
    assert objects.container("rel-ci")["securityContext"]["runAsUser"] == 0
    both = "services: {web: {image: x, user: 'root:root', group_add: [root, '7']}}"
    objects = bench.objects(both)
    security = objects.container("rel-web")["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (0, 0)
    assert objects.pod("rel-web")["securityContext"]["supplementalGroups"] == [0, 7]


def test_a_host_gateway_is_left_out(bench: Any) -> None:
    text = read("host-gateway")
    assert bench.objects(text).pod("rel-app")["hostAliases"] == [{"ip": "10.0.0.5", "hostnames": ["db.internal"]}]
    assert rows(bench, text)["services.app.extra_hosts.host.docker.internal"].outcome == "ignored"


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [("", ["serve"]), ("-v --port 80", ["serve", "-v", "--port", "80"]), ("'a b'  \"c\"", ["serve", "a b", "c"])],
)
def test_optional_arguments(bench: Any, extra: str, arguments: list[str]) -> None:
    text = read("optional-arguments")
    assert bench.objects(text, EXTRA_ARGS=extra).container("rel-a")["args"] == arguments
    compiled_without = bench.chart(text)
    set_later = bench.render(compiled_without, {"variables": {"EXTRA_ARGS": extra}})
    assert set_later.container("rel-a")["args"] == arguments


def test_a_whole_command_as_a_default(bench: Any) -> None:
    text = read("optional-arguments-default")
    assert bench.objects(text).container("rel-a")["args"] == ["run", "web", "--port", "80"]
    assert bench.objects(text, CMD="sh -c 'echo $$(date)'").container("rel-a")["args"] == [
        "sh", "-c", "echo $$$$(date)",
    ]  # fmt: skip


def test_an_empty_search_domain(bench: Any) -> None:
    text = read("empty-dns-search")
    assert bench.objects(text).pod("rel-c")["dnsConfig"]["searches"] == ["corp.example.org"]
    reported = rows(bench, text)
    assert reported["services.a.dns_search[0]"].reason == "it is empty"
