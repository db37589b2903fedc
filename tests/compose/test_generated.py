"""Generated text that Docker Compose and we read alike: templates, env files, command lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compose import oracle, schematic, strings

AT_ONCE = 40
SOME = settings(max_examples=max(2, settings.default.max_examples // AT_ONCE), suppress_health_check=list(HealthCheck))
FEWER = settings(SOME, max_examples=max(2, settings.default.max_examples // AT_ONCE // 2))


def several(entry: strings.Made) -> st.SearchStrategy[list[str]]:
    return st.lists(entry, min_size=AT_ONCE, max_size=AT_ONCE, unique=True)


@SOME
@given(several(strings.TEMPLATE))
def test_templates(tmp_path_factory: pytest.TempPathFactory, arbiter: Path | None, templates: Sequence[str]) -> None:
    services = {f"s{i}": {"image": "x", "labels": {"it": template}} for i, template in enumerate(templates)}
    lines = strings.disagreements(tmp_path_factory.mktemp("templates"), services, {}, arbiter)
    assert list(lines) == []


@FEWER
@given(several(strings.DOTENV))
def test_env_files(tmp_path_factory: pytest.TempPathFactory, arbiter: Path | None, texts: Sequence[str]) -> None:
    services = {f"s{i}": {"image": "x", "env_file": f"{i}.env"} for i in range(len(texts))}
    files = {f"{i}.env": text for i, text in enumerate(texts)}
    lines = strings.disagreements(tmp_path_factory.mktemp("env"), services, files, arbiter)
    assert list(lines) == []


@FEWER
@given(several(strings.COMMAND))
def test_command_lines(tmp_path_factory: pytest.TempPathFactory, arbiter: Path | None, lines: Sequence[str]) -> None:
    services = {f"s{i}": {"image": "x", "command": line} for i, line in enumerate(lines)}
    differing = strings.disagreements(tmp_path_factory.mktemp("command"), services, {}, arbiter)
    assert list(differing) == []


@settings(max_examples=max(30, settings.default.max_examples // 4), suppress_health_check=list(HealthCheck))
@given(schematic.document())
def test_what_the_schema_knows(
    tmp_path_factory: pytest.TempPathFactory, arbiter: Path | None, document: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("schema")
    oracle.write(folder, {"compose.yaml": document, "a": "A=1\n", "x/y": ""})
    assert oracle.unsettled(folder, "compose.yaml", env=strings.ENV, newer=arbiter) == []
