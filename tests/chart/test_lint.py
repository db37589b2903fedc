"""What linters say of every chart of ours: helm's own, yamllint and yamale with chart-testing's rules, and Helm 3."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yamale
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.chart.test_cluster import OURS, read
from tycho.chart import Chart, emit, release_values, values_yaml
from tycho.policy import apply_policies

RULES = Path(__file__).with_name("lint")
YAML = YamlLintConfig(file=str(RULES / "yamllint.yaml"))
RENDERED = YamlLintConfig(file=str(RULES / "yamllint.yaml"))
RENDERED.rules["commas"]["min-spaces-after"] = 0  # of values, as `toJson` prints them
CHART = yamale.make_schema(RULES / "chart_schema.yaml")
ICON = "[INFO] Chart.yaml: icon is recommended"
DESCRIBED = """
x-tycho:
  chart:
    appVersion: "7.1"
    keywords: [shop]
    home: https://shop.example
    icon: https://shop.example/icon.svg
    sources: [https://git.shop.example/shop]
    maintainers: [{name: Ann, email: ann@shop.example, url: https://shop.example/ann}]
    license: MIT
services:
  web: {image: "nginx:1.27", ports: ["80"]}
"""
SWITCHES = (
    (),
    (
        "--set", "podSecurity=restricted,networkPolicy.enabled=false,commonLabels.team=a,nameOverride=n",
        "--set", "global.imageRegistry=mirror.local:5000,defaults.nodeSelector.disk=ssd,defaults.podAnnotations.a=b",
        "--set", "defaults.service.type=NodePort,defaults.service.loadBalancerSourceRanges={10.0.0.0/8}",
        "--set-json", 'defaults.tolerations=[{"operator":"Exists"}]', "--set-json", 'defaults.env={"Q":"a: \\"b\\" #"}',
        "--set-json", 'extraObjects=[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}]',
    ),
)  # fmt: skip


def compiled(path: Path) -> tuple[Chart, str]:
    """A compose file's chart, and the values of its release."""
    policy_result = apply_policies(read(path))
    return emit(policy_result), values_yaml(release_values(policy_result.system, guid="0" * 32))


def lint(text: str, config: YamlLintConfig = YAML) -> list[str]:
    return [f"{problem.line}: {problem.desc}" for problem in linter.run(text, config)]


def documents(text: str) -> list[str]:
    """What is rendered, without blank lines at the end of a document, which Helm 4 alone adds."""
    return [document.rstrip("\n") for document in text.split("\n---\n")]


def rendered(helm: Path, chart: Path, values: str, *args: str) -> str:
    done = subprocess.run(
        [helm, "template", "rel", chart, "--values", "-", "--kube-version", "1.37.2", *args],
        input=values, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=OURS, ids=lambda path: path.parent.name)
def chart(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """The folder of a chart, and the values of its release."""
    chart, values = compiled(request.param)
    chart.write(tmp_path / chart.name)
    return tmp_path / chart.name, values


def test_helm_lint(bench: Any, chart: tuple[Path, str]) -> None:
    """It says nothing but that an icon is wanting, which is the compose file's to name."""
    done = bench.program("lint", "--strict", str(chart[0]), "--values", "-", stdin=chart[1])
    assert [line for line in done.stdout.splitlines() if line.startswith("[")] == [ICON], done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_yaml_reads_as_written_by_hand(helm: Path, chart: tuple[Path, str]) -> None:
    """Files that are YAML, and what Helm makes of those that become it: no key twice, no stray blanks."""
    folder, values = chart
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in ("Chart.yaml", "values.yaml")}
    texts["the release's values"] = values
    problems = {name: lint(text) for name, text in texts.items()}
    problems["what is rendered"] = lint(rendered(helm, folder, values).rstrip("\n") + "\n", RENDERED)
    assert {name: faults for name, faults in problems.items() if faults} == {}


def test_chart_yaml_has_what_chart_testing_asks_for(chart: tuple[Path, str]) -> None:
    yamale.validate(CHART, yamale.make_data(chart[0] / "Chart.yaml"))


def test_a_chart_that_is_described(bench: Any, tmp_path: Path) -> None:
    chart = bench.chart(DESCRIBED)
    chart.write(tmp_path / chart.name)
    assert lint(chart.files["Chart.yaml"]) == []
    yamale.validate(CHART, yamale.make_data(tmp_path / chart.name / "Chart.yaml"))
    done = bench.program("lint", "--strict", str(tmp_path / chart.name))
    assert not [line for line in done.stdout.splitlines() if line.startswith("[")]


def test_the_rules_find_something() -> None:
    text = "a:  [ 1 ]\nb: yes\nb: {x: 1}# no\n"
    assert len(lint(text)) > 4
    with pytest.raises(yamale.YamaleError, match="version"):
        yamale.validate(CHART, yamale.make_data(content="{apiVersion: v2, name: a}"))


@pytest.mark.parametrize("switches", SWITCHES, ids=["as they are", "switched"])
def test_helm_3_renders_the_same(helm: Path, helm3: Path, chart: tuple[Path, str], switches: tuple[str, ...]) -> None:
    folder, values = chart
    if switches and folder.name != "stateful":  # a StatefulSet needs a namespace of its own
        switches = (*switches, "--set", "dns.scope=release")
    third, fourth = (documents(rendered(program, folder, values, *switches)) for program in (helm3, helm))
    assert third == fourth
