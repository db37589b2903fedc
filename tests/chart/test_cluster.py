"""A real API server accepts every object, of every chart at hand, and every change from one chart to the next."""

from __future__ import annotations

import copy
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tycho.chart import Chart, emit, release_values
from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyDenied
from tycho.model import Project
from tycho.policy import apply_policies
from tycho.toolchain import programs

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus" / "kompose"
OURS = sorted([*(ROOT / "tests" / "golden").glob("*/compose.yaml"), *(ROOT / "examples").glob("*/*compose.yaml")])
HOST, NODE = "host paths are not allowed", "it gives the container access to its node"
REFUSED = {  # public files that load and are refused, each for what it asks of the node
    "configmap-file-configs/compose-3.yaml": HOST,
    "host-port-protocol/compose.yaml": NODE,
    "pvc-request-size/compose.yaml": HOST,
    "security-contexts/compose.yaml": NODE,
    "unused/merge-multiple-compose/service-merge-concat-base.yml": HOST,
    "unused/merge-multiple-compose/service-merge-concat-override.yml": HOST,
    "volume-mounts/windows/compose.yaml": HOST,
}
pytestmark = pytest.mark.xdist_group("chart-cluster")


class Server:
    """kubectl, against the test's own cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        self.namespace = f"charts-{os.getpid()}"
        self.kubectl = programs.tool("kubectl", progress=lambda line: None)
        self.env = {"PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent)}

    def run(self, *args: str, stdin: str = "") -> str:
        """What kubectl complains of."""
        done = subprocess.run(
            [self.kubectl, *args], input=stdin, capture_output=True, text=True, env=self.env, check=False, timeout=120
        )
        return done.stderr if done.returncode else ""

    def accepts(self, objects: list[dict[str, Any]]) -> str:
        args = ("--server-side", "--dry-run=server", "--validate=strict", "--filename", "-")
        return self.run("apply", *args, stdin=listed(objects))


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Iterator[Server]:
    made = Server(kubeconfig)
    made.run("create", "namespace", made.namespace)
    yield made
    made.run("delete", "namespace", made.namespace, "--wait=false")


def read(path: Path, **env: str) -> Project:
    return load(Sources.from_disk([str(path)], env={"TAG": "1", **env}, cwd=str(path.parent)))


def test_every_chart_of_ours(bench: Any, server: Server) -> None:
    charts: list[Chart] = []
    objects: list[dict[str, Any]] = []
    for index, path in enumerate(OURS):
        policy_result = apply_policies(read(path))
        charts.append(emit(policy_result))
        for scope in ("namespace", "release") if "stateful" not in str(path) else ("namespace",):
            values = release_values(policy_result.system, scope=scope, guid="0" * 32)  # type: ignore[arg-type]
            rendered = bench.render(charts[-1], values, name=f"r{index}{scope[0]}")
            if scope == "namespace":  # bare names of many systems meet in one namespace here
                for workload in rendered:
                    if workload["kind"] == "Service" and not workload["metadata"]["name"].startswith(f"r{index}"):
                        workload["metadata"]["name"] = f"r{index}-bare-{workload['metadata']['name']}"
            objects += rendered
    assert len(objects) > 200
    assert server.accepts(objects) == ""
    assert bench.lint(charts) == ""


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not beside this checkout")
def test_every_public_file_that_loads(bench: Any, server: Server) -> None:
    refused, accepted, charts = {}, 0, []
    objects: list[dict[str, Any]] = []
    for index, path in enumerate(sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".yml"))):
        try:
            system = read(path)
        except ComposeError:
            continue
        try:
            policy_result = apply_policies(system)
            chart = emit(policy_result)
        except (ComposeError, PolicyDenied) as error:
            refused[path.relative_to(CORPUS).as_posix()] = error.problems
            continue
        rendered = bench.render(chart, release_values(policy_result.system, scope="release"), name=f"c{index}")
        accepted += 1
        charts.append(chart)
        objects += rendered
    assert server.accepts(objects) == ""
    assert bench.lint(charts) == ""
    assert accepted >= 100  # the others are none that Docker Compose reads
    assert refused.keys() == REFUSED.keys(), "a file that was accepted is refused now, or the other way round"
    problems = [(REFUSED[path], problem) for path, reported in refused.items() for problem in reported]
    assert [problem for why, problem in problems if why not in problem.message or not problem.hint] == []


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_the_oldest_and_the_newest_schema(bench: Any, version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for path in OURS:
        policy_result = apply_policies(read(path))
        for rendered in bench.render(emit(policy_result), release_values(policy_result.system)):
            validate.validate(rendered, version, strict=True)


SERVICES = st.fixed_dictionaries(
    {"image": st.sampled_from(["a:1", "a:2"])},
    optional={
        "ports": st.sampled_from([["80:80"], ["127.0.0.1:80:80"], ["81:80", "53:53/udp"], ["90"]]),
        "expose": st.sampled_from([["80"], ["1000-1002"]]),
        "restart": st.sampled_from(["no", "always", "on-failure:2"]),
        "volumes": st.sampled_from([["data:/data"], ["data:/data", "more:/more"], ["/scratch"]]),
        "healthcheck": st.sampled_from([{"test": "true"}, {"test": "true", "start_interval": "1s"}]),
        "environment": st.sampled_from([{"A": "1"}, {"A": "${B}"}, {"DB_PASSWORD": "x"}]),
        "deploy": st.sampled_from([{"mode": "global"}, {"replicas": 3}, {"update_config": {"order": "stop-first"}}]),
        "hostname": st.sampled_from(["one", "two"]),
        "networks": st.sampled_from([["front"], ["front", "back"]]),
    },
)
SYSTEMS = st.dictionaries(st.sampled_from(["web", "db", "job"]), SERVICES, min_size=1)
NUMBERS = itertools.count()


@given(before=SYSTEMS, after=SYSTEMS)
@settings(max_examples=max(8, settings.default.max_examples // 12))
def test_an_upgrade_changes_nothing_that_cannot_change(
    bench: Any, server: Server, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """What one chart made, the next one patches as Helm does it; headless Services and kinds are made anew."""
    release = f"u{next(NUMBERS)}"
    old, new = (rendered(bench, services, release) for services in (before, after))
    apply = ("apply", "--namespace", server.namespace, "--server-side", "--filename", "-")
    assert server.run(*apply, stdin=listed(old)) == ""
    address = {
        rendered["metadata"]["name"]: rendered["spec"].get("clusterIP")
        for rendered in old
        if rendered["kind"] == "Service"
    }
    kept = [
        rendered
        for rendered in new
        if rendered["kind"] != "Service"
        or address.get(rendered["metadata"]["name"], 0) in (0, rendered["spec"].get("clusterIP"))
    ]
    assert server.run(*apply, stdin=listed(kept)) == ""


def listed(objects: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def document(services: dict[str, Any]) -> dict[str, Any]:
    project = {
        "services": copy.deepcopy(services),
        "volumes": {"data": {}, "more": {}},
        "networks": {"front": {}, "back": {"internal": True}},
    }
    for service in project["services"].values():
        if service.get("deploy", {}).get("mode") == "global":
            service.pop("volumes", None)
    return project


def rendered(bench: Any, services: dict[str, Any], release: str) -> list[dict[str, Any]]:
    policy_result = apply_policies(bench.system(yaml.safe_dump(document(services))))
    values = release_values(policy_result.system, scope="release")
    return [
        manifest for manifest in bench.render(emit(policy_result), values, name=release) if manifest["kind"] != "Pod"
    ]


def test_two_releases_side_by_side(bench: Any, server: Server, tmp_path: Path) -> None:
    """The same chart twice in one namespace; each is tested, upgraded to another, and gone again."""
    for case in ("publishing", "networks"):
        system = read(ROOT / "tests" / "golden" / case / "compose.yaml").model_copy(update={"name": "same"})
        (tmp_path / f"{case}.tgz").write_bytes(emit(apply_policies(system)).archive())
    values = tmp_path / "values.yaml"
    values.write_text("dns: {scope: release}\n", encoding="utf-8")
    where = ("--namespace", server.namespace, "--kubeconfig", server.env["KUBECONFIG"])

    def helm(*args: str) -> str:
        done = bench.program(*args, *where)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    for name in ("left", "right"):
        chart = str(tmp_path / "publishing.tgz")
        helm("install", name, chart, "--values", str(values), "--wait=watcher", "--timeout=60s")
    assert "web-published" in helm("get", "notes", "left")
    helm("test", "left", "--timeout=60s")
    helm("upgrade", "right", str(tmp_path / "networks.tgz"), "--values", str(values))
    helm("rollback", "right", "1")
    for name in ("left", "right"):
        helm("uninstall", name)
    left = server.run("get", "service", "left-web", "--namespace", server.namespace)
    assert "not found" in left
