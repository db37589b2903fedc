"""Two charts written by hand, beside what is compiled from the same files: the same objects, all but the same lines."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from tycho.chart import Chart, emit, release_values
from tycho.compose import Sources, load
from tycho.policy import apply_policies

ROOT = Path(__file__).parents[2]
TARGETS = ROOT / "tests" / "targets"
SYSTEMS = {"nginx": TARGETS / "nginx" / "compose.yaml", "shop": ROOT / "examples" / "shop" / "compose.yaml"}
LINES = {"nginx": 420, "shop": 1200}
APART = re.compile(r"README\.md|tycho-report\.json|files/.*")
MOST = 0.05
ROLLOUT = "tycho.dev/rollout"

EXPLAINED = {  # file: what differs there, and why
    r"Chart\.yaml": (
        r"description: |version: |appVersion: |annotations:|  tycho\.dev/(compose|policies): ",
        "the version and two annotations are digests; text with blanks is quoted, as every reader reads that alike",
    ),
    r"templates/_helpers\.tpl": (
        r"\{\{-? \$name \| quote|\{\{- (\$(chart|own|reserved) := |range \$name|if not \(has |end)|  \"(app\.|helm\.)",
        "a pair a line, and a loop in lines of its own, are nicer, and seven lines more in every chart, however small",
    ),
    r"templates/\w+-deployment\.yaml": (
        r" +\{\{- (\$labels := merge |include \"\w+\.podLabels\" )",
        "a variable for the labels is nicer, and a line more for each workload",
    ),
    r"templates/published\.yaml": (
        r"    (- name: \{\{ \$key|  \{\{- toYaml \(eq |- \{\{ merge \(dict \"name\" )",
        "the name before the rest is nicer, and a line more in every chart",
    ),
    r"values\.schema\.json": (
        r"      (\"builtAs\": \{\"type\": \"string\"\}, )?\"pullPolicy\": ",
        "an image may say what it was built as, which the chart written by hand has no need of",
    ),
    r"templates/db-awaited-service\.yaml": (r"\{\{- list \"\w{8}\"", "a digest of the compiled template"),
}


def compiled(name: str) -> tuple[Chart, dict[str, Any]]:
    path = SYSTEMS[name]
    policy_result = apply_policies(load(Sources.from_disk([str(path)], env={}, cwd=str(path.parent))))
    return emit(policy_result), release_values(policy_result.system)


def written(name: str, made: Chart) -> Chart:
    """The chart written by hand, of the version of the compiled one, and with the files of the project."""
    folder = TARGETS / name / "chart"
    files: dict[str, str | bytes] = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    files |= {path: content for path, content in made.files.items() if path.startswith("files/")}
    page = files["Chart.yaml"]
    assert isinstance(page, str)
    return Chart(
        name, made.version, files | {"Chart.yaml": page.replace("version: 0.1.0", f'version: "{made.version}"')}
    )


def lines(chart: Chart) -> dict[str, list[str]]:
    """The lines of every file that counts."""
    return {
        path: content.splitlines()
        for path, content in chart.files.items()
        if isinstance(content, str) and not APART.fullmatch(path)
    }


def same_rollout(objects: list[Any]) -> list[Any]:
    """Say `…` for what tells one rollout from another, after a look whether Service and pods agree."""
    services = {
        rendered["metadata"]["name"]: rendered["spec"].get("selector", {})
        for rendered in objects
        if rendered["kind"] == "Service"
    }
    for rendered in objects:
        labels = rendered["spec"]["template"]["metadata"]["labels"] if rendered["kind"] == "Deployment" else {}
        if ROLLOUT in labels:
            selector = services[f"{rendered['metadata']['name']}-awaited"]
            assert selector[ROLLOUT] == labels[ROLLOUT]
            selector[ROLLOUT] = labels[ROLLOUT] = "…"
    return sorted(objects, key=lambda rendered: (rendered["kind"], rendered["metadata"]["name"]))


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_same_objects(bench: Any, name: str) -> None:
    made, values = compiled(name)
    rendered = same_rollout(bench.render(made, values))
    assert len(rendered) > 4
    assert same_rollout(bench.render(written(name, made), values)) == rendered


def differing(name: str) -> tuple[int, list[tuple[str, str]]]:
    """How many lines of the compiled chart are others, and which, on either side."""
    made, _ = compiled(name)
    theirs, ours = lines(written(name, made)), lines(made)
    assert theirs.keys() == ours.keys()
    count, differences = 0, []
    for path, text in ours.items():
        for tag, start, end, first, last in SequenceMatcher(None, text, theirs[path], autojunk=False).get_opcodes():
            if tag != "equal":
                count += max(end - start, last - first)
                differences += [(path, line) for line in (*text[start:end], *theirs[path][first:last])]
    return count, differences


def explains(place: str, path: str, line: str) -> bool:
    return bool(re.fullmatch(place, path) and re.match(EXPLAINED[place][0], line))


@pytest.mark.parametrize("name", SYSTEMS)
def test_all_but_the_same_lines(name: str) -> None:
    count, differences = differing(name)
    assert count <= MOST * sum(map(len, lines(compiled(name)[0]).values()))
    assert [pair for pair in differences if not any(explains(place, *pair) for place in EXPLAINED)] == []


def test_nothing_is_explained_that_is_the_same() -> None:
    differences = [pair for name in SYSTEMS for pair in differing(name)[1]]
    assert [place for place in EXPLAINED if not any(explains(place, *pair) for pair in differences)] == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_as_few_lines_as_promised(name: str) -> None:
    assert sum(map(len, lines(compiled(name)[0]).values())) <= LINES[name]


@pytest.mark.parametrize("name", SYSTEMS)
def test_helm_lint(bench: Any, name: str) -> None:
    assert bench.lint([written(name, compiled(name)[0])]) == ""
