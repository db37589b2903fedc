"""Every scenario uses what it claims to show, and every key is shown somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.behaviour.shown import load_result
from tests.e2e import promises
from tests.e2e.test_breaks import BREAKS, broken

ROOT = promises.HERE.parents[1]
BREAKS_OF_BEHAVIOUR = yaml.safe_load((ROOT / "tests/behaviour/breaks.yaml").read_text())["breaks"]
SCENARIOS = promises.scenarios()
FILES = {path.parent.name: path for path in promises.HERE.glob("scenarios/*/compose.yaml")}


def test_every_scenario_promises_something() -> None:
    assert all(scenario.promise and bool(scenario.keys) != scenario.deep for scenario in SCENARIOS.values())


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_imported(name: str) -> None:
    """Where no node can run, nobody else would notice."""
    assert import_module(f"tests.e2e.scenarios.{name}.verify").verify


def test_every_key_is_judged_once() -> None:
    listed = [key for key, *_ in promises.elsewhere()]
    scenes = {key for scenario in SCENARIOS.values() for key in scenario.keys}
    shown = scenes | load_result()["keys"].keys()
    assert shown <= promises.keys().keys()
    assert sorted(listed) == sorted(set(listed))
    assert set(listed) & shown == set()
    meant = {key for key, outcome in promises.keys().items() if outcome in ("translated", "approximated")}
    assert meant <= shown | set(listed)
    assert set(listed) <= meant


@pytest.mark.parametrize(("key", "by"), [(key, by) for key, _, _, by in promises.elsewhere() if by])
def test_a_test_elsewhere_uses_what_it_shows(key: str, by: str) -> None:
    file, _, function = by.partition("::")
    path = promises.HERE.parents[1] / file
    if path.is_dir():
        documents = [yaml.safe_load((path / "compose.yaml").read_text())]
    else:
        module = ast.parse(path.read_text())
        (test,) = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == function)
        documents = [yaml.safe_load(text) for text in texts(test) if "services:" in text]
    assert key in {used for document in documents for used in keys_of(document)}


def texts(test: ast.FunctionDef) -> Iterator[str]:
    """List the texts that a test holds; not what documents it."""
    for node in ast.walk(test):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def keys_of(document: dict[str, Any]) -> set[str]:
    """List every key that a compose file uses, as the page of promises spells it."""
    used = {path for service in document["services"].values() for path in paths(service)}
    for section in ("networks", "volumes", "configs", "secrets"):
        elements = document.get(section, {}).values()
        used |= {f"{section}.{key}" for element in elements for key in element or ()}
    for job in document.get("jobs", {}).values():
        used |= set(paths(job))
    return used


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_scenario_uses_what_it_shows(name: str) -> None:
    used = keys_of(yaml.safe_load(FILES[name].read_text()))
    assert {key.partition("[")[0] for key in SCENARIOS[name].keys} <= used


def paths(value: object, path: str = "") -> Iterator[str]:
    """Every key below a service, with its parents: `deploy.resources.limits`."""
    for key, below in value.items() if isinstance(value, dict) else ():
        yield path + key
        yield from paths(below, f"{path}{key}.")


def test_every_scenario_can_be_broken(tmp_path: Path) -> None:
    assert sorted(mutation["scenario"] for mutation in BREAKS) == sorted(SCENARIOS)
    for mutation in BREAKS:
        assert broken(tmp_path / mutation["scenario"], mutation).is_dir()


@pytest.mark.parametrize("entry", BREAKS_OF_BEHAVIOUR, ids=lambda entry: f"{entry['system']}: {entry['breaks']}")
def test_every_break_changes_the_program(entry: dict[str, Any]) -> None:
    assert entry["text"] in (ROOT / entry["file"]).read_text()
    assert entry["text"] != entry["instead"]
