"""Variables are expanded by the chart while Helm renders, with Compose's results."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compose.strings import TANGLED
from tycho.chart import Chart, emit
from tycho.errors import ComposeError
from tycho.model import Expr, PolicyResult, Project, Service, Variable
from tycho.model.expression import Invalid, evaluate

ENV = {
    "FOO": "first",
    "BAR": "",
    "A": "one",
    "AB": "two",
    "NO": "false",
    "ZERO": "0",
    "HOSTILE": "$FOO ${FOO} $$ {{ .Values }} {} \"'`\n\ue000\ue001 \u2028 é",
    "BRACE": "}",
}
CASES = {
    "$FOO": "first",
    "${FOO}": "first",
    "$FOO-bar": "first-bar",
    "${missing}": "",
    "x${missing}y$missing": "xy",
    "${missing:-d}": "d",
    "${BAR:-d}": "d",
    "${BAR-d}": "",
    "${FOO:+p}": "p",
    "${BAR+p}": "p",
    "${BAR:+p}": "",
    "${missing+p}": "",
    "${BAR?err}": "",
    "${FOO:?err}": "first",
    "${missing:-${FOO} ${FOO}}": "first first",
    "${BAR+$FOO ${FOO:+second}}": "first second",
    "${BAR:-/non:-alphanumeric}": "/non:-alphanumeric",
    '${missing:-{"a":1}}': '{"a":1}',
    '${missing:-{"a":{"b":{}}}}': '{"a":{"b":{}}}',
    "$$FOO": "$FOO",
    "$${foo}": "${foo}",
    "$$$FOO": "$first",
    "$$$$": "$$",
    "a $ string": "a $ string",
    "^R$": "^R$",
    "$}": "$}",
    "$1": "$1",
    "{FOO} ${FOO} {FOO}": "{FOO} first {FOO}",
    "} ${FOO} {": "} first {",
    "$A$AB$A": "onetwoone",
    "${A}${AB}$A.": "onetwoone.",
    "$NO ${NO} $ZERO ${ZERO:-x}": "false false 0 0",
    "${FOO:-${missing:?unused branch}}": "first",
    "${missing:-${missing2:-${missing3:-deep}}}": "deep",
    "${missing:-a$$b}": "a$b",
    "$HOSTILE": ENV["HOSTILE"],
    "${missing:-$HOSTILE}": ENV["HOSTILE"],
    "${HOSTILE:+[${HOSTILE}]}": f"[{ENV['HOSTILE']}]",
    "${BRACE}${BRACE}": "}}",
    "${missing:-$BRACE}": "}",
    "${missing-a\nb}": "a\nb",
    " ${FOO} \t": " first \t",
}

LATER = {"${FOO:-${missing:?unused branch}}"}  # this release of Compose still evaluates what is not used


def chart(templates: list[str]) -> Chart:
    """A chart whose only service has a variable for each template."""
    environment = {f"V{index:05}": Expr("?", text) for index, text in enumerate(templates)}
    variables = {name: Variable(name=name, places=()) for name in [*ENV, "missing", "missing2", "missing3"]}
    service = Service(image="x", environment=environment)
    return emit(PolicyResult(system=Project(name="demo", services={"web": service}, variables=variables)))


def expand(bench: Any, templates: list[str], env: dict[str, Any] | None = None) -> list[str]:
    env_values = bench.render(chart(templates), {"variables": ENV if env is None else env}).env("rel-web")
    return [env_values[f"V{index:05}"] for index in range(len(templates))]


def test_every_form_of_compose(bench: Any) -> None:
    assert dict(zip(CASES, expand(bench, list(CASES)), strict=True)) == CASES


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("${missing?msg}", "required variable missing is missing a value: msg"),
        ("${BAR:?msg ${FOO}}", "required variable BAR is missing a value: msg first"),
        ("${missing:?}", "required variable missing is missing a value"),
        ("${missing:-${BAR:?deep {x}}}", "required variable BAR is missing a value: deep {x}"),
        ("${BAR:?one} ${missing:?two}", "required variable BAR is missing a value: one"),
        ("${", "invalid interpolation format"),
        ("${}", "invalid interpolation format"),
        ("${ FOO}", "invalid interpolation format"),
        ("${FOO!}", "invalid interpolation format"),
        ("${FOO:0:1}", "invalid interpolation format"),
    ],
)
def test_an_error_ends_the_rendering_with_compose_words(bench: Any, template: str, message: str) -> None:
    done = bench.run(chart([template]), {"variables": ENV})
    assert done.returncode != 0
    assert message in done.stderr


def test_set_on_the_command_line(bench: Any) -> None:
    text = "services: {web: {image: 'nginx:${TAG:-1}'}}"
    made = bench.chart(text)
    assert bench.render(made).container("rel-web")["image"] == "nginx:1"
    assert bench.render(made, {}, "--set", "variables.TAG=1.10").container("rel-web")["image"] == "nginx:1.10"
    assert bench.render(made, {"variables": {"TAG": 1234567890}}).container("rel-web")["image"] == "nginx:1234567890"
    assert bench.render(made, {"variables": {"TAG": None}}).container("rel-web")["image"] == "nginx:1"


def test_fraction_that_loses_zero_is_refused(bench: Any) -> None:
    done = bench.run(bench.chart("services: {web: {image: 'nginx:${TAG:-1}'}}"), {"variables": {"TAG": 1.1}})
    assert done.returncode != 0
    assert "/variables/TAG" in done.stderr


def test_docker_compose_reads_the_same(bench: Any, tmp_path: Path) -> None:
    """The real program is asked about the same templates."""
    spec = find_spec("compose")
    assert spec
    assert spec.submodule_search_locations
    program = Path(next(iter(spec.submodule_search_locations))) / "docker-compose"
    templates = [text for text in CASES if "\n" not in text and text not in LATER]
    document = {"services": {"web": {"image": "x", "environment": {f"V{i:05}": t for i, t in enumerate(templates)}}}}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **ENV}
    done = subprocess.run(
        [program, "-f", tmp_path / "compose.yaml", "config", "--format", "json"],
        env=env, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    theirs = yaml.safe_load(done.stdout)["services"]["web"]["environment"]
    ours = expand(bench, templates)
    assert [theirs[f"V{i:05}"].replace("$$", "$") for i in range(len(templates))] == ours


NAMES = st.sampled_from([*ENV, "missing"])
PLAIN = st.text(
    st.sampled_from("ab:-?+/ .\"'é\\")
    | st.characters(codec="utf-8", exclude_characters="$\x7f{}\0\r\n", exclude_categories=["Cs", "Cc"]),
    max_size=4,
)


def forms(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["-", ":-", "+", ":+"])
    braced = st.builds(lambda name, operator, text: f"${{{name}{operator}{text}}}", NAMES, operators, inner)
    return st.lists(braced | inner, min_size=1, max_size=3).map("".join)


TEMPLATES = st.recursive(
    PLAIN | NAMES.map(lambda name: f"${{{name}}}") | st.just("$$") | NAMES.map(lambda name: f"${name} "),
    forms,
    max_leaves=6,
)


@given(templates=st.lists(TEMPLATES, min_size=40, max_size=60))
@settings(max_examples=max(6, settings.default.max_examples // 15))
def test_the_chart_and_the_loader_agree(bench: Any, templates: list[str]) -> None:
    document = yaml.safe_dump(
        {"services": {"web": {"image": "x", "environment": {f"V{i:05}": t for i, t in enumerate(templates)}}}}
    )
    system = bench.system(document, **ENV)
    loaded = system.services["web"].environment
    rendered = expand(bench, templates)
    assert [loaded[f"V{i:05}"] for i in range(len(templates))] == rendered


@given(templates=st.lists(TANGLED, min_size=60, max_size=80))
@settings(max_examples=max(6, settings.default.max_examples // 15))
def test_tangled_braces_agree(bench: Any, templates: list[str]) -> None:
    """Whatever braces and dollar signs a text holds: the chart expands it as the loader does, or refuses it, too."""
    expected, refused = {}, []
    for template in templates:
        try:
            expected[template] = evaluate(template, ENV)
        except Invalid:
            refused.append(template)
    assert dict(zip(expected, expand(bench, list(expected)), strict=True)) == expected
    for template in refused[:1]:
        done = bench.run(chart([template]), {"variables": ENV})
        assert done.returncode != 0
        assert "invalid interpolation format" in done.stderr or "required variable" in done.stderr


LARGE = {
    "a config of JSON": "${A:-x}" + '{"a":1}' * 16_000,
    "braces that open": "${A:-x}" + "{" * 1_000_000,
    "braces that close": "}" * 1_000_000 + "$A",
    "pairs of braces": "${A}" + "{}" * 500_000,
    "one long default": "$A${missing:-" + '{"a":1}' * 9_000 + "}",
    "many variables": "${A} " * 6_000,
    "doubled dollars": "$$" * 9_000 + "$A",
    "deep defaults": "$A${missing:-" * 49 + "x" + "}" * 49,
    "old markers": "\ue000\ue001\ufffd" * 30_000 + "$A",
}


@pytest.mark.parametrize("name", LARGE)
def test_large_texts_are_expanded(bench: Any, name: str) -> None:
    """Work that grows with the square of the text would not end within Helm's time here."""
    template = LARGE[name]
    document = {"services": {"web": {"image": "x", "configs": ["c"]}}, "configs": {"c": {"content": template}}}
    made = bench.chart(yaml.safe_dump(document, allow_unicode=True), A="one")
    (content,) = bench.render(made, {"variables": {"A": "one"}}).find("ConfigMap", "rel-c")["data"].values()
    assert content == evaluate(template, {"A": "one"})


BEYOND = {
    "${missing:-" * 52 + "}" * 52: "defaults nested more than 50 deep",
    "${missing:-" + "a" * 70_000 + "}": "an expression is longer than 64 KiB",
    "${missing:-" + "é" * 40_000 + "}": "an expression is longer than 64 KiB",
    "${A:+" + "${" * 60_000 + "}": "more than 20000 dollar signs and braces to expand",
    "$A" * 30_000: "more than 20000 dollar signs and braces to expand",
    "${missing:-" + "{}" * 12_000 + "}": "more than 20000 dollar signs and braces to expand",
    "${missing:-${missing:-" + "{}" * 6_000 + "}}": "more than 20000 dollar signs and braces to expand",
}


@pytest.mark.parametrize(("template", "message"), BEYOND.items(), ids=map(str, range(len(BEYOND))))
def test_limits_are_the_loaders(bench: Any, template: str, message: str) -> None:
    """What Helm would refuse for its size, compile refuses with the same words and the place."""
    with pytest.raises(ComposeError) as refused:
        bench.system(yaml.safe_dump({"services": {"web": {"image": "x", "labels": {"l": template}}}}))
    assert [(problem.path, problem.message) for problem in refused.value.problems] == [
        ("services.web.labels.l", message)
    ]
    done = bench.run(chart([template]), {"variables": ENV})
    assert done.returncode != 0
    assert message in done.stderr


def test_a_variable_may_not_grow(bench: Any) -> None:
    done = bench.run(chart(["$A" * 5_000]), {"variables": {"A": "x" * 1_000}})
    assert done.returncode != 0
    assert "expands to more than 4 MiB" in done.stderr


@pytest.mark.parametrize("content", [b"\xff3required\xff4", b"a\xffb", b"\xed\xa0\x80", b"\xc0\x80"])
def test_bytes_are_refused_by_name(bench: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "raw").write_bytes(content)
    made = chart(["$A", "${FOO}"])
    done = bench.run(made, {"variables": {"FOO": "x"}}, "--set-file", f"variables.A={tmp_path}/raw")
    assert done.returncode != 0
    assert "variables.A: not UTF-8 text" in done.stderr
    passed = bench.chart("services: {web: {image: x, environment: [A]}}")
    done = bench.run(passed, {}, "--set-file", f"variables.A={tmp_path}/raw")
    assert done.returncode != 0
    assert "variables.A: not UTF-8 text" in done.stderr


def test_every_character_is_only_itself(bench: Any, tmp_path: Path) -> None:
    text = "\ufffd\ue000\ue004\x7f\x80\x85é\U0001f600{}$${"
    (tmp_path / "raw").write_text(text, encoding="utf-8")
    (rendered,) = (
        bench.render(chart(["<${A}>"]), {}, "--set-file", f"variables.A={tmp_path}/raw").env("rel-web").values()
    )
    assert rendered == f"<{text}>"
