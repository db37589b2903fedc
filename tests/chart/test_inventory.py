"""Kinds and names of what a chart makes: what is listed is what Helm renders, and what would be one object is told."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.conftest import Bench, Object
from tycho.chart import Chart, emit, release_values
from tycho.chart.assemble import assemble_layout
from tycho.chart.inventory import SCOPES, ChartObject, list_objects
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import TEMPLATES, callable_containers
from tycho.chart.workload_kind import KINDS as WORKLOAD_KINDS
from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyDenied
from tycho.kinds import JOB, KINDS, Maker
from tycho.model import PolicyResult
from tycho.orchestrators.helm.rendering import split
from tycho.policy import apply_policies

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("tests/golden/*/compose.yaml"), *ROOT.glob("examples/*/*compose.yaml"),
                *ROOT.glob("tests/cases/*/compose.yaml")])  # fmt: skip
FULLNAME = "rel"
PORT = {"port": 4000, "targetPort": 4000, "protocol": "TCP"}


def weave_file(path: Path) -> PolicyResult:
    return apply_policies(load(Sources.from_disk([str(path)], env={"TAG": "1"}, cwd=str(path.parent))))


def switch_all_on(layout: ChartLayout, scope: str) -> dict[str, Any]:
    """Values with which every object is made."""
    services: dict[str, dict[str, Any]] = {}
    for container, _ in callable_containers(layout):
        if not container.published:
            services[container.service] = {"service": {"ports": {"tcp-4000": PORT}}}
    for workload in layout.workloads:
        if workload.replicas is not None:
            services.setdefault(workload.name, {})["replicas"] = 2
        for container in workload.containers:
            if container.ingress:
                routes = {"ingress": {"enabled": True}, "httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]}}
                services.setdefault(container.service, {}).update(routes)
    return {"services": services, "dns": {"scope": scope}}


def merge(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return base | {
        key: merge(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in more.items()
    }


def identify(rendered: Object) -> tuple[str, str]:
    """Kind and name; a Job's without the hash of what it does."""
    kind, name = rendered["kind"], rendered["metadata"]["name"]
    return kind, re.sub("-[0-9a-f]{8}$", "", name) if kind == JOB.name else name


def name_object(chart_object: ChartObject, scope: str) -> str:
    if chart_object.bare and scope == "namespace":
        return chart_object.suffix
    name = f"{FULLNAME}-{chart_object.suffix}" if chart_object.suffix else FULLNAME
    limit = 54 if chart_object.kind is JOB else chart_object.kind.longest_name
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9].removesuffix('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def scopes_of(layout: ChartLayout) -> tuple[str, ...]:
    return SCOPES[:1] if any(workload.kind == "StatefulSet" for workload in layout.workloads) else SCOPES


def render(
    bench: Bench, policy_result: PolicyResult, chart: Chart, layout: ChartLayout, scope: str
) -> list[tuple[str, Object]]:
    values = merge(release_values(policy_result.system, scope=scope), switch_all_on(layout, scope))  # type: ignore[arg-type]
    done = bench.run(chart, values, name=FULLNAME)
    assert done.returncode == 0, done.stderr
    return [(path, document) for path, document in split(done.stdout) if not path.startswith("templates/policies/")]


@pytest.fixture(scope="module")
def rendered(bench: Bench) -> list[tuple[str, ChartLayout, str, list[tuple[str, Object]]]]:
    """All that Helm makes of every file, with everything switched on."""
    results = []
    for path in FILES:
        if path.parent.name == "writable-binds":  # its folders are laid out elsewhere
            continue
        try:
            policy_result = weave_file(path)
            chart, layout = emit(policy_result), assemble_layout(policy_result.system)
        except PolicyDenied:  # it shows what is refused
            continue
        results += [
            (path.parent.name, layout, scope, render(bench, policy_result, chart, layout, scope))
            for scope in scopes_of(layout)
        ]
    assert len(results) > len(FILES)
    return results


def test_listed_is_what_helm_renders(rendered: Any) -> None:
    for name, layout, scope, documents in rendered:
        objects = [chart_object for chart_object in list_objects(layout) if scope in chart_object.scopes]
        listed = Counter((chart_object.kind.name, name_object(chart_object, scope)) for chart_object in objects)
        assert listed == Counter(identify(document) for _, document in documents), f"{name}, {scope}"


def test_objects_have_kinds_of_their_template(rendered: Any) -> None:
    for name, layout, _, documents in rendered:
        template_of = {
            f"templates/{manifest.file}.yaml": template
            for template in TEMPLATES
            for manifest in template.list_manifests(layout)
        }
        for path, document in documents:
            kind = KINDS[document["kind"]]
            assert kind in template_of[path].kinds, f"{name}, {path}"
            assert kind.api_version == document["apiVersion"], f"{name}, {path}"
            assert len(document["metadata"]["name"]) <= kind.longest_name, f"{name}, {path}"


def test_every_kind_of_a_template_is_rendered(rendered: Any) -> None:
    """And the kinds that no template has are those that somebody else makes."""
    seen = {document["kind"] for *_, documents in rendered for _, document in documents}
    assert seen == {kind.name for template in TEMPLATES for kind in template.kinds}
    assert seen == {name for name, kind in KINDS.items() if kind.maker is Maker.CHART}
    assert set(WORKLOAD_KINDS) <= seen


def test_every_template_is_one_that_is_shipped() -> None:
    folder = ROOT / "chart_templates" / "templates"
    shipped = {path.relative_to(folder).as_posix().removesuffix(".yaml.j2") for path in folder.rglob("*.yaml.j2")}
    assert sorted(template.name for template in TEMPLATES) == sorted(shipped)


COLLISIONS = yaml.safe_load(Path(__file__).with_name("collisions.yaml").read_text(encoding="utf-8"))
CARRIED = {"s": "x", "e": "A=1", "conf/server.key": "-- planted --", "conf/a.conf": "a"}


@pytest.mark.parametrize("case", COLLISIONS, ids=lambda case: case["at"].split(".")[-1])
def test_one_object_is_refused(bench: Bench, case: dict[str, str]) -> None:
    path = case["at"].split()[1]
    with pytest.raises(ComposeError) as refused:
        bench.chart(case["compose"], CARRIED)
    (problem,) = refused.value.problems
    assert (f"{problem.line} {problem.path}", problem.message) == (case["at"], case["says"])
    assert problem.hint.startswith(f"rename {path}")
    assert Path(problem.file).name == "compose.yaml"


NEIGHBOURS = {
    "a secret that exists already": (
        "{services: {web: {image: a, environment: {A_PASSWORD: x}}}, secrets: {web-env: {external: true}}}"
    ),
    "a file of an alias": "{services: {x-alias: {image: a}, web: {image: a, networks: {default: {aliases: [x]}}}}}",
    "a config and a secret": (
        "{services: {web: {image: a, configs: [one], secrets: [one]}}, configs: {one: {file: s}},"
        " secrets: {one: {file: s}}}"
    ),
    "a job without a port": (
        "{services: {api: {image: a, ports: [80]}}, jobs: {api-published: {image: a, triggers: {manual: true}}}}"
    ),
}


@pytest.mark.parametrize("case", NEIGHBOURS)
def test_names_alike_of_different_objects_are_fine(bench: Bench, case: str) -> None:
    policy_result = bench.policy_result(NEIGHBOURS[case], CARRIED)
    chart, layout = emit(policy_result), assemble_layout(policy_result.system)
    for scope in SCOPES:
        documents = render(bench, policy_result, chart, layout, scope)
        assert [
            key for key, count in Counter(identify(document) for _, document in documents).items() if count > 1
        ] == []


def test_all_are_told_at_once(bench: Bench) -> None:
    """With what else cannot run."""
    with pytest.raises(ComposeError) as refused:
        bench.chart(
            "services:\n  api: {image: a, ports: [80], environment: {A_PASSWORD: x}, secrets: [api-env]}\n"
            "  api-published: {image: a, stop_signal: 9x}\nsecrets:\n  api-env: {file: s}\n", CARRIED,
        )  # fmt: skip
    places = {(problem.path, problem.line) for problem in refused.value.problems}
    assert {("services.api-published", 3), ("secrets.api-env", 5)} <= places, places
