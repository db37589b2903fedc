"""What docs/promises.md says, from the scenarios and the table of Compose's keys; `bin/task golden` writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.behaviour.project import Json
from tests.behaviour.shown import load_result
from tycho.chart.translate.tables import SECTIONS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "promises.md"
HEAD = """\
# What Compose promises, and what shows it

Made by `bin/task golden`, of the scenarios in `tests/e2e/scenarios` and of what `tests/behaviour` found.
Each scenario is a compose file that really runs: containers on a node with a real kubelet, real DNS and real services,
asked from inside and from outside.

## Promises
"""
DEEP = """
What takes longer is run by `bin/task deep` alone, and no key below counts as shown by it:

| Tycho promises | shown by |
|---|---|"""
SCORES = """
## Scorecard

{systems} compose files were started by Docker Compose on a real engine and by `tycho up` on a real node, with the same
images, and what programs inside and callers outside observe was compared (`bin/task behaviour`). For each key of the
Compose Specification: the kinds of observation that show it, and how many were equal; reported (a row of the compile
report says that they differ); or documented (a line of docs/behaviour.md says so). Of all {all} keys, {judged} were
compared so. The last column names the scenarios above that use the key too, or says how else it is shown.

| key | meaning | compared | also |
|---|---|---|---|
"""
KINDS = """
## Kinds of observation

| kind | equal | reported | documented |
|---|---|---|---|
"""
WORDS = {"equal": "equal", "reported": "reported", "excepted": "documented"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario says of itself.

    Args:
        promise: What it shows, in a sentence.
        keys: The keys of Compose that it shows.
        deep: Whether `bin/task deep` alone runs it: no key counts as shown by it.
    """

    promise: str
    keys: tuple[str, ...]
    deep: bool


def scenarios() -> dict[str, Scenario]:
    """What each scenario says of itself."""
    described = {}
    for path in sorted(HERE.glob("scenarios/*/verify.py")):
        tree = ast.parse(path.read_text())
        constants = {
            name: ast.literal_eval(statement.value)
            for statement in tree.body
            if isinstance(statement, ast.Assign) and (name := ast.unparse(statement.targets[0])) in ("SHOWS", "DEEP")
        }
        described[path.parent.name] = Scenario(
            ast.get_docstring(tree) or "", constants["SHOWS"], constants.get("DEEP", False)
        )
    return described


def keys() -> dict[str, str]:
    """Every key of the table with its outcome; those of services without the section's name."""
    sections = {section: table for section, table in SECTIONS.items() if section != "jobs"}
    return {
        name if section in ("", "services") else f"{section}.{name}": key.outcome
        for section, table in sections.items()
        for name, key in table.items()
    }


def page() -> str:
    """The whole page."""
    lines = ["| Compose promises | shown by |", "|---|---|"]
    lines += _promises(deep=False)
    lines += [DEEP, *_promises(deep=True)]
    result = load_result()
    rows = list(_scores(result))
    judged = sum(key in result["keys"] for key in keys())
    head = SCORES.format(systems=len(result["systems"]), all=len(keys()), judged=judged)
    scores = head + "\n".join(rows) + "\n" + KINDS + "\n".join(_kinds(result))
    return HEAD + "\n" + "\n".join(lines) + "\n" + scores + "\n"


def _promises(*, deep: bool) -> list[str]:
    return [
        f"| {scenario.promise.replace('|', chr(92) + '|')} | `{name}` |"
        for name, scenario in scenarios().items()
        if scenario.deep == deep
    ]


def elsewhere() -> Iterator[tuple[str, str, str, str]]:
    """Each key that no scenario shows: key, how it is shown, why so, and by which test; "" when by none."""
    for row in yaml.safe_load((HERE / "elsewhere.yaml").read_text()):
        for by, listed in row.get("by", {"": row.get("keys")}).items():
            yield from ((key, row["how"], row["why"], by) for key in listed)


def _scores(result: Json) -> Iterator[str]:
    """Yield a line for each key."""
    others = {key: f"{how}: {why}{f' (`{by}`)' if by else ''}" for key, how, why, by in elsewhere()}
    for key, outcome in keys().items():
        kinds = result["keys"].get(key, {}).get("kinds", {})
        compared = "; ".join(f"{kind}: {_counts(counts)}" for kind, counts in kinds.items())
        also = [f"`{name}`" for name, scenario in scenarios().items() if key in scenario.keys and not scenario.deep]
        yield f"| `{key}` | {outcome} | {compared or '-'} | {', '.join(also) or others.get(key, '-')} |"


def _counts(counts: Json) -> str:
    return ", ".join(f"{counts[outcome]} {word}" for outcome, word in WORDS.items() if outcome in counts)


def _kinds(result: Json) -> Iterator[str]:
    for kind, counts in result["kinds"].items():
        yield f"| {kind} | " + " | ".join(str(counts.get(outcome, 0)) for outcome in WORDS) + " |"
