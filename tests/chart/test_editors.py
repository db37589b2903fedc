"""What editors of values write: null, numbers, Kubernetes' own forms, names with dots, a chart below another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.conftest import Objects

SYSTEM = """
services:
  web:
    image: nginx:1
    ports: ["8080:80"]
    environment: {LEVEL: "${LEVEL:-warn}", PLAIN: "1", TOKEN: abracadabra-1f, PASSED: }
    volumes: ["data:/data"]
    secrets: [token]
    depends_on: {db: {condition: service_healthy}, job: {condition: service_completed_successfully}}
    deploy: {replicas: 2}
  db: {image: "db:1", command: "serve ${ARGUMENTS:-now}", healthcheck: {test: serves}, scale: "${DB:-1}"}
  job: {image: "job:1", restart: "no"}
volumes: {data: {}}
secrets: {token: {environment: TOKEN}}
"""


@pytest.fixture(scope="module")
def chart(bench: Any) -> Any:
    return bench.chart(SYSTEM)


def entries(objects: Objects, name: str = "rel-web") -> dict[str, Any]:
    return {entry["name"]: entry for entry in objects.container(name)["env"]}


def paths(tree: dict[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All keys of values, but those inside of what Kubernetes alone reads."""
    listed: list[tuple[str, ...]] = []
    for name, child in tree.items():
        listed.append((*before, name))
        if isinstance(child, dict) and not name.endswith(("Probe", "Context")):
            listed += paths(child, (*before, name))
    return listed


def test_null_is_understood_or_named(bench: Any, chart: Any) -> None:
    """Whatever is null: the chart renders, without a text for nothing, or the schema says which key is missing."""
    values = yaml.safe_load(chart.files["values.yaml"])
    keys = paths(values)
    assert len(keys) > 60
    wrong = {}
    for path in keys:
        tree: Any = None
        for name in reversed(path):
            tree = {name: tree}
        done = bench.run(chart, tree)
        if done.returncode and f"missing property '{path[-1]}'" not in done.stderr:
            wrong[".".join(path)] = done.stderr
        elif "<nil>" in done.stdout or "u003cnil" in done.stdout:
            wrong[".".join(path)] = "<nil>"
    assert wrong == {}


def test_null_for_one_of_many_services_is_refused(bench: Any) -> None:
    names = [f"s{number}" for number in range(51)]
    many = bench.chart(yaml.safe_dump({"services": {name: {"image": "nginx:1"} for name in names}}))
    assert bench.run(many, {}).returncode == 0
    done = bench.run(many, {"services": {"s7": None}})
    assert "at '/services': minProperties: got 50, want 51" in done.stderr


@pytest.mark.parametrize("name", ["PLAIN", "OTHER"])
def test_null_takes_an_entry_away(bench: Any, chart: Any, name: str) -> None:
    objects = bench.render(chart, {"services": {"web": {"env": {name: None}}}})
    assert name not in entries(objects)


@pytest.mark.parametrize("name", ["PLAIN", "OTHER"])
def test_an_entry_may_be_of_kubernetes_form(bench: Any, chart: Any, name: str) -> None:
    source = {"fieldRef": {"fieldPath": "metadata.name"}}
    objects = bench.render(chart, {"services": {"web": {"env": {name: {"valueFrom": source}}}}})
    assert entries(objects)[name] == {"name": name, "valueFrom": source}


@pytest.mark.parametrize("number", [7, 1_000_000, 20_240_101, 2**53 - 1])
def test_numbers_keep_their_digits(bench: Any, chart: Any, number: int) -> None:
    values = {"services": {"web": {"image": {"tag": number}, "env": {"PLAIN": number, "LEVEL": number}}}}
    objects = bench.render(chart, values)
    assert objects.container("rel-web")["image"] == f"nginx:{number}"
    assert entries(objects)["PLAIN"]["value"] == str(number) == objects.secret("rel-web-env")["LEVEL"]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("services.web.replicas=$N", "/services/web/replicas': got string, want integer"),
        ("services.web.args=a b", "/services/web/args': got string, want array"),
        ("defaults.command=a b", "/defaults/command': got string, want array"),
        ("defaults.imagePullSecrets[0]=key", "/defaults/imagePullSecrets/0': got string, want object"),
        ("services.web.ingress.hosts[0].host=a.b", "/services/web/ingress/hosts/0': got object, want string"),
        ("extraObjects[0]=x", "/extraObjects/0': got string, want object"),
        ("fullnameOverride=My_Shop", "/fullnameOverride': 'My_Shop' does not match pattern"),
    ],
)
def test_what_no_object_can_have_fails(bench: Any, chart: Any, key: str, message: str) -> None:
    done = bench.run(chart, {}, "--set", key)
    assert done.returncode != 0
    assert message in done.stderr


def test_what_is_expanded_may_be_text(bench: Any, chart: Any) -> None:
    values = {"services": {"db": {"replicas": "${DB:-3}", "args": "serve 'a b'", "command": ["run"]}}}
    objects = bench.render(chart, values)
    assert objects.find("Deployment", "rel-db")["spec"]["replicas"] == 3
    assert objects.container("rel-db")["args"] == ["serve", "a b"]


def test_a_release_may_have_dots(bench: Any, chart: Any) -> None:
    objects = bench.render(chart, {}, name="my.shop.v1")
    names = {rendered["metadata"]["name"] for rendered in objects}
    assert "my-shop-v1-web-published" in names
    assert [name for name in names if "." in name] == []


def test_helm_test_runs_where_the_services_do(bench: Any, chart: Any) -> None:
    defaults = {
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
    }
    pod = bench.render(chart, {"defaults": defaults}).find("Pod")["spec"]
    assert {key: pod[key] for key in defaults} == defaults
    pod = bench.render(chart, {"defaults": dict.fromkeys(defaults)}).find("Pod")["spec"]
    assert pod["containers"]
    assert pod.keys().isdisjoint(defaults)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_condition_of_an_umbrella_chart(bench: Any, chart: Any, tmp_path: Path, enabled: bool) -> None:
    chart.write(tmp_path / "charts" / "demo")
    condition = {"name": "demo", "version": "*", "condition": "demo.enabled"}
    page = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [condition]}
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(page))
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"demo": {"enabled": enabled}}))
    done = bench.program("template", "rel", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert bool(done.stdout.strip()) == enabled
