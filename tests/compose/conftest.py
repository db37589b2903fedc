"""A folder for a project's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.compose import oracle
from tycho.compose import Sources, load
from tycho.errors import ComposeError, Problem
from tycho.model import Project

Load = Callable[..., Project]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Load `compose.yaml`, and side files by name."""

    def run(text: str, files: Mapping[str, str] | None = None, *names: str, **options: Any) -> Project:
        oracle.write(tmp_path, {"compose.yaml": text, **(files or {})})
        env = {"HOME": str(tmp_path), **options.pop("env", {})}
        return load(Sources.from_disk(names or ["compose.yaml"], env=env, cwd=str(tmp_path), **options))

    return run


@pytest.fixture
def problems(loaded: Load) -> Callable[..., list[Problem]]:
    """The problems of a file that has some."""

    def run(text: str, files: Mapping[str, str] | None = None, *names: str, **options: Any) -> list[Problem]:
        with pytest.raises(ComposeError) as raised:
            loaded(text, files, *names, **options)
        return list(raised.value.problems)

    return run
