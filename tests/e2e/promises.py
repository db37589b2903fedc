"""`python -m tests.e2e.promises`: docs/promises.md, from the scenarios and the table of Compose's keys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import yaml

from tycho.chart.keys import SECTIONS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "promises.md"
REAL = "real containers"
HEAD = """\
# What Compose promises, and what shows it

Made of the scenarios in `tests/e2e/scenarios` by `python -m tests.e2e.promises`. Each of them is a compose file that
really runs: containers on a node with a real kubelet, real DNS and real services, asked from inside and from outside.

## Promises
"""
SCORES = """
## Scorecard

One row for each key of the Compose Specification that has a meaning on Kubernetes; of the other {idle}, the chart's
report says why they are ignored or refused. Of {all} keys, {real} are shown on real containers.

| key | meaning | shown on | by, or why not |
|---|---|---|---|
"""


def scenarios() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The promise of each scenario, and the keys that it shows."""
    found = {}
    for path in sorted(HERE.glob("scenarios/*/verify.py")):
        tree = ast.parse(path.read_text())
        shown = next(
            ast.literal_eval(one.value)
            for one in tree.body
            if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "SHOWS"
        )
        found[path.parent.name] = (ast.get_docstring(tree) or "", shown)
    return found


def keys() -> dict[str, str]:
    """Every key of the table with its fate; those of services without the section's name."""
    sections = {section: table for section, table in SECTIONS.items() if section != "jobs"}
    return {
        name if section in ("", "services") else f"{section}.{name}": key.fate
        for section, table in sections.items()
        for name, key in table.items()
    }


def page() -> str:
    """The whole page."""
    lines = ["| Compose promises | shown by |", "|---|---|"]
    lines += [f"| {promise.replace('|', chr(92) + '|')} | `{name}` |" for name, (promise, _) in scenarios().items()]
    rows, every = list(_scores()), keys()
    real = sum(f"| {REAL} |" in row for row in rows)
    head = SCORES.format(idle=len(every) - len(rows), all=len(rows), real=real)
    return HEAD + "\n" + "\n".join(lines) + "\n" + head + "\n".join(rows) + "\n"


def elsewhere() -> Iterator[tuple[str, str, str, str]]:
    """Each key that no scenario shows: key, how it is shown, why so, and by which test; "" when by none."""
    for one in yaml.safe_load((HERE / "elsewhere.yaml").read_text()):
        for by, listed in one.get("by", {"": one.get("keys")}).items():
            yield from ((key, one["how"], one["why"], by) for key in listed)


def _scores() -> Iterator[str]:
    others = {key: (how, f"`{by}`: {why}" if by else why) for key, how, why, by in elsewhere()}
    for key, fate in keys().items():
        by = [f"`{name}`" for name, (_, shown) in scenarios().items() if key in shown]
        if by or fate in ("translated", "approximated"):
            how, why = (REAL, ", ".join(by)) if by else others[key]
            yield f"| `{key}` | {fate} | {how} | {why} |"


if __name__ == "__main__":
    PAGE.write_text(page())
