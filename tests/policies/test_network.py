"""Who may call whom: the rendered network policies, judged by cyclonus against what Compose promises."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policies.applying import folder
from tycho import Sources, apply_policies, emit, load
from tycho.chart import release_values
from tycho.model import ServiceMetadata

Json = dict[str, Any]

SHOP = """
services:
  web: {image: nginx, ports: ["8080:80"], networks: [front]}
  api: {image: api, expose: ["3000"], networks: [front, back], depends_on: {db: {condition: service_healthy}}}
  db: {image: postgres, networks: [back], healthcheck: {test: pg_isready}}
  report: {image: report, networks: [back], depends_on: {init: {condition: service_completed_successfully}}}
  init: {image: init, networks: [back]}
  local: {image: admin, ports: ["127.0.0.1:9000:9000"], networks: [front]}
  alone: {image: batch, network_mode: none}
networks: {front: {}, back: {internal: true}}
"""


@dataclass(frozen=True)
class Rendered:
    """The objects of a release, by kind."""

    objects: list[Json]

    def kind(self, kind: str) -> list[Json]:
        return [rendered for rendered in self.objects if rendered["kind"] == kind]

    def pod(self, service: str, release: str = "") -> Json:
        """One pod of a service, as cyclonus knows it."""
        for rendered in self.objects:
            if (
                rendered["metadata"].get("annotations", {}).get("tycho.dev/service") == service
                and "template" in rendered["spec"]
            ):
                labels = dict(rendered["spec"]["template"]["metadata"]["labels"])
                if release:
                    labels["app.kubernetes.io/instance"] = release
                return inside(labels)
        raise KeyError(service)


def inside(labels: Mapping[str, str], namespace: str = "ns") -> Json:
    peer = {"PodLabels": dict(labels), "NamespaceLabels": {"kubernetes.io/metadata.name": namespace}}
    return {"Internal": peer | {"Namespace": namespace}, "IP": "10.244.0.9"}


def outside(address: str) -> Json:
    return {"IP": address}


def render(
    helm: Path,
    at: Path,
    compose: str,
    *,
    folders: tuple[Path, ...] = (),
    metadata: Mapping[str, ServiceMetadata] | None = None,
    **values: Any,
) -> Rendered:
    """Compile, and let the real helm render."""
    system = load(Sources.from_document(compose, env={}, name="shop"))
    policy_result = apply_policies(system, folders=folders, metadata=metadata)
    emit(policy_result).write(at / "chart")
    release = release_values(policy_result.system, metadata or {}) | values
    done = subprocess.run(
        [helm, "template", "r", at / "chart", "--namespace", "ns", "--values", "-"],
        input=json.dumps(release).encode(),
        capture_output=True,
        check=True,
    )
    return Rendered([document for document in yaml.safe_load_all(done.stdout) if document])


def allowed(
    cyclonus: Path, at: Path, rendered: Rendered, calls: list[tuple[Json, Json, int]], protocol: str = "TCP"
) -> list[bool]:
    """cyclonus' answer for each call: source, destination, port."""
    policies = at / "policies"
    policies.mkdir()
    for number, policy in enumerate(rendered.kind("NetworkPolicy")):
        # without a namespace cyclonus lets everything pass, and of a file it reads one document
        placed = policy | {"metadata": policy["metadata"] | {"namespace": "ns"}}
        (policies / f"{number}.yaml").write_text(yaml.safe_dump(placed))
    traffic = [
        {"Source": a, "Destination": b, "Protocol": protocol, "ResolvedPort": port, "ResolvedPortName": ""}
        for a, b, port in calls
    ]
    (at / "traffic.json").write_text(json.dumps(traffic))
    arguments = [str(cyclonus), "analyze", "--mode", "query-traffic"]
    arguments += ["--policy-path", str(policies), "--traffic-path", str(at / "traffic.json")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    answers = re.findall(r"IS ALLOWED\?\s*\|\s*(TRUE|FALSE)", done.stdout)
    assert len(answers) == len(calls), done.stdout + done.stderr
    return [answer == "TRUE" for answer in answers]


MATRIX = [
    ("web", "api", 3000, True),
    ("api", "web", 80, True),
    ("api", "db", 5432, True),
    ("db", "api", 3000, True),
    ("web", "db", 5432, False),
    ("db", "web", 80, False),  # the port is published, but an internal network has no way out
    ("report", "db", 5432, True),
    ("report", "web", 80, False),
    ("local", "db", 5432, False),
    ("web", "local", 9000, True),
    ("world", "web", 80, True),
    ("world", "web", 443, False),
    ("world", "api", 3000, False),
    ("world", "db", 5432, False),
    ("world", "local", 9000, False),  # bound to loopback
    ("stranger", "local", 9000, False),
    ("stranger", "web", 80, True),
    ("stranger", "api", 3000, False),
    ("stranger", "db", 5432, False),
    ("twin", "api", 3000, False),
    ("twin", "db", 5432, False),
    ("neighbour", "db", 5432, False),
    ("web", "world", 443, True),
    ("api", "world", 443, True),
    ("db", "world", 443, False),
    ("report", "world", 443, False),
    ("report", "control", 6443, True),
    ("db", "control", 6443, False),
    ("db", "names", 53, True),
    ("alone", "web", 80, False),
    ("alone", "world", 443, False),
    ("alone", "names", 53, False),
    ("web", "alone", 80, False),
]


def test_neighbours_published_ports_and_nothing_else(tmp_path: Path, helm: Path, cyclonus: Path) -> None:
    api = {"networkPolicy": {"apiServer": {"cidrs": ["10.96.0.1/32"], "ports": [443, 6443]}}}
    rendered = render(helm, tmp_path, SHOP, **api)
    known = {name: rendered.pod(name) for name in ("web", "api", "db", "report", "local", "alone")} | {
        "world": outside("203.0.113.7"),
        "control": outside("10.96.0.1"),
        "names": inside({"k8s-app": "kube-dns"}, "kube-system"),
        "stranger": inside({"app": "other"}, "elsewhere"),
        "neighbour": inside({"app": "other"}),
        "twin": rendered.pod("api", release="other"),
    }
    results = allowed(cyclonus, tmp_path, rendered, [(known[a], known[b], port) for a, b, port, _ in MATRIX])
    assert [row for row, was in zip(MATRIX, results, strict=True) if was != row[3]] == []


def test_clients_narrow_a_published_port(tmp_path: Path, helm: Path, cyclonus: Path) -> None:
    metadata = {"web": ServiceMetadata(port=80, clients=("198.51.100.0/24",))}
    rendered = render(helm, tmp_path, SHOP, metadata=metadata)
    web = rendered.pod("web")
    calls = [
        (outside("198.51.100.9"), web, 80),
        (outside("203.0.113.7"), web, 80),
        (rendered.pod("api"), web, 80),
    ]
    assert allowed(cyclonus, tmp_path, rendered, calls) == [True, False, True]


def test_names_are_resolved_over_udp(tmp_path: Path, helm: Path, cyclonus: Path) -> None:
    rendered = render(helm, tmp_path, SHOP)
    names = inside({"k8s-app": "kube-dns"}, "kube-system")
    calls = [(rendered.pod(name), names, port) for name in ("db", "alone") for port in (53, 5353, 54)]
    assert allowed(cyclonus, tmp_path, rendered, calls, "UDP") == [True, True, False, False, False, False]


@st.composite
def systems(draw: st.DrawFn) -> Json:
    """Services on some networks, some internal, with a published port or none."""
    nets = draw(st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1, max_size=3, unique=True))
    services = {}
    for name in draw(st.lists(st.sampled_from("abcde"), min_size=2, max_size=4, unique=True)):
        on = draw(st.lists(st.sampled_from(nets), max_size=2, unique=True))
        ports = draw(st.sampled_from([[], ["8000"], ["127.0.0.1::8000"]]))
        services[name] = {"image": "i", "ports": ports, "expose": ["7000"]} | ({"networks": on} if on else {})
    return {"services": services, "networks": {net: {"internal": draw(st.booleans())} for net in nets}}


def promised(system: Json, a: str, b: str, port: int) -> bool:
    """What Compose's networks, and ports published to everybody, come to."""

    def nets(name: str) -> set[str]:
        return set(system["services"][name].get("networks", ["default"]))

    def leaves(name: str) -> bool:
        return not all(system["networks"].get(net, {}).get("internal", False) for net in nets(name))

    # A real Docker engine publishes no port of a container that is on internal networks alone.
    published = port == 8000 and system["services"].get(b, {}).get("ports") == ["8000"] and leaves(b)
    if a == "world":
        return published
    if b == "world":
        return leaves(a)
    together = bool(nets(a) & nets(b))
    return together or (leaves(a) and published)


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(system=systems())
def test_any_networks_keep_their_promises(
    system: Json, tmp_path_factory: pytest.TempPathFactory, helm: Path, cyclonus: Path
) -> None:
    at = tmp_path_factory.mktemp("system")
    rendered = render(helm, at, json.dumps(system))
    known = {name: rendered.pod(name) for name in system["services"]} | {"world": outside("203.0.113.7")}
    calls = [(a, b, port) for a in known for b in known for port in (7000, 8000) if a != b]
    results = allowed(cyclonus, at, rendered, [(known[a], known[b], port) for a, b, port in calls])
    assert {call: was for call, was in zip(calls, results, strict=True) if was != promised(system, *call)} == {}


SMALL = "services: {web: {image: nginx, ports: ['80']}, db: {image: postgres}}"


def test_the_policy_is_what_makes_them(tmp_path: Path, helm: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "30-network.yaml").write_bytes(b"")
    assert render(helm, tmp_path / "with", SMALL).kind("NetworkPolicy")
    assert not render(helm, tmp_path / "without", SMALL, folders=(ours,)).kind("NetworkPolicy")


@pytest.mark.parametrize("switch", ["file", "values"])
def test_network_policies_can_be_turned_off(switch: str, tmp_path: Path, helm: Path) -> None:
    compose = SMALL + "\nx-tycho: {networkPolicy: false}" if switch == "file" else SMALL
    values = {} if switch == "file" else {"networkPolicy": {"enabled": False}}
    assert not render(helm, tmp_path, compose, **values).kind("NetworkPolicy")


def test_an_operator_may_have_the_last_word(tmp_path: Path, helm: Path) -> None:
    text = "description: Always.\nsystem: {patch: {x-tycho: {networkPolicy: true}}}"
    ours = folder(tmp_path / "ours", {"40-always.yaml": text})
    assert render(helm, tmp_path, SMALL + "\nx-tycho: {networkPolicy: false}", folders=(ours,)).kind("NetworkPolicy")
