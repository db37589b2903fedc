"""Programs of a test's own, found in its own PATH and cache."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tycho.settings import settings

Script = Callable[[str, str], Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    ours = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    monkeypatch.setenv("GOCACHE", os.environ.get("GOCACHE", str(ours / "go-build")))  # Go's own is for all
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings.cache_clear()
    return tmp_path / "cache/tycho"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Put a program into a PATH that holds nothing else but Go, if there is any."""
    folder = tmp_path / "path"
    folder.mkdir()
    go = shutil.which("go")
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), *([str(Path(go).parent)] if go else [])]))

    def made(name: str, text: str) -> Path:
        path = folder / name
        path.write_text("#!/bin/sh\n" + textwrap.dedent(text))
        path.chmod(0o755)
        return path

    return made
