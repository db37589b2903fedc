"""Pages that are made of what they tell of: every key of the language, every demand of a judge that is not met."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e import promises
from tests.schema_keys import DEFINITIONS, SPEC, covered, keys
from tycho import orchestrators
from tycho.chart.translate.key_rule import KeyRule, Table
from tycho.chart.translate.tables import SECTIONS
from tycho.errors import TychoError
from tycho.orchestrators import Orchestrator

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/compose.md"
MADE = "<!-- From here on `bin/task golden` writes. -->\n"
HEAD = ("| key | result | becomes | why, and what to do |", "|---|---|---|---|")


def page() -> str:
    """What the code says."""
    listed = yaml.safe_load((ROOT / "tests/compose/differences.yaml").read_text())
    lines = ["", "## Where Tycho differs on purpose", ""]
    lines += [f"- {difference['what']}: {difference['reason']}." for difference in listed]
    lines += ["", "## Every key", "", *HEAD, *_rows(SECTIONS[""], top())]
    for section, definition in DEFINITIONS.items():
        lines += ["", f"### {section}", ""]
        if section == "jobs":
            lines += ["The keys of a service, and these:", ""]
        schema_keys = dict.fromkeys(keys(SPEC["$defs"][definition]))
        known = dict.fromkeys(keys(SPEC["$defs"]["service"])) if section == "jobs" else {}
        lines += [*HEAD, *_rows(SECTIONS[section], [key for key in schema_keys if key not in known])]
    return "\n".join(lines) + "\n"


def top() -> list[str]:
    """The keys outside of the sections, and those below them."""
    include = keys(SPEC["properties"]["include"], "include")
    return sorted({*SPEC["properties"], *include, *keys(SPEC["$defs"]["model"], "models.*")})


def _rows(table: Table, names: list[str]) -> Iterator[str]:
    for name in names:
        if name in table:
            yield _row(name, table[name])
        elif name in SECTIONS:
            yield f"| `{name}` | | its keys, [below](#{name}) | |"
        elif above := next((path for path in _above(name) if path in table and table[path].whole), ""):
            yield f"| `{name}` | {table[above].outcome} | with `{above}` | |"
        else:
            yield f"| `{name}` | | its keys, one by one | |"


def _above(name: str) -> Iterator[str]:
    while name:
        name = name.rpartition(".")[0].removesuffix("[]")
        yield name


def _row(name: str, key: KeyRule) -> str:
    why = "; ".join(part for part in (key.reason, key.remedy) if part)
    depends = ", by its value" if key.assess else ""
    return " | ".join((f"| `{name}`", key.outcome + depends, _cell(key.target), f"{_cell(why)} |"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def hardening() -> str:
    """What kube-score would have otherwise."""
    reasons = yaml.safe_load((ROOT / "tests/chart/hardening.yaml").read_text(encoding="utf-8"))
    rows = (f"| `{check}` | {reason} |" for check, reason in sorted(reasons.items()))
    return "\n".join(["", "| kube-score's check | why the defaults do not meet it |", "|---|---|", *rows]) + "\n"


def catalogue() -> str:
    """Every error, below the one that it is a kind of."""
    lines = ["", "| error | exit code | HTTP status | a kind of |", "|---|---|---|---|"]
    lines += [
        f"| [`{kind.__name__}`](#{kind.__name__}) | {kind.exit_code} | {kind.http_status} |"
        f" {'' if kind is TychoError else f'`{kind.__bases__[0].__name__}`'} |"
        for kind in _kinds(TychoError)
    ]
    for kind in _kinds(TychoError):
        text = " ".join((kind.__doc__ or "").split())
        lines += ["", f'## <a id="{kind.__name__}"></a>{kind.__name__}', "", text]
    return "\n".join(lines) + "\n"


def verbs() -> str:
    """The verbs of each orchestrator."""
    names = orchestrators.known()
    classes = {name: orchestrators.find_class(name) for name in names}
    methods = [name for name, member in vars(Orchestrator).items() if callable(member) and not name.startswith("_")]
    lines = ["", f"| verb | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for method in methods:
        cells = ("`NotSupported`" if method in classes[name].not_supported else "yes" for name in names)
        lines.append(f"| `{method}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _kinds(kind: type[TychoError]) -> Iterator[type[TychoError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == TychoError.__module__:
            yield from _kinds(below)


@pytest.mark.parametrize(
    ("path", "made"),
    [
        (PAGE, page),
        (ROOT / "docs/chart.md", hardening),
        (ROOT / "docs/errors.md", catalogue),
        (ROOT / "docs/orchestrators.md", verbs),
    ],
    ids=["compose", "chart", "errors", "orchestrators"],
)
def test_the_page_says_what_the_code_does(path: Path, made: Callable[[], str]) -> None:
    written, marker, table = path.read_text(encoding="utf-8").partition(MADE)
    assert marker
    if os.environ.get("TYCHO_GOLDEN"):
        table = made()
        path.write_text(written + marker + table, encoding="utf-8")
    assert table == made()


def test_the_page_of_promises_says_what_is_shown() -> None:
    """Of the scenarios, and of what Docker Compose and Tycho did side by side."""
    if os.environ.get("TYCHO_GOLDEN"):
        promises.PAGE.write_text(promises.page(), encoding="utf-8")
    assert promises.PAGE.read_text(encoding="utf-8") == promises.page()


def test_the_page_names_every_key() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Every key")[2]
    assert [key for key in top() if f"| `{key}` |" not in table] == []
    for section, definition in DEFINITIONS.items():
        part = table.partition(f"### {'services' if section == 'jobs' else section}\n")[2]
        for key in keys(SPEC["$defs"][definition]):
            assert f"| `{key}` |" in part, f"{section}: {key}"
            assert covered(key, SECTIONS[section])
