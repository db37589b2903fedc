"""What helm is told of a revision, by what it understands."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tycho.orchestrators.helm.recovery import list_options
from tycho.ownership import DESCRIPTION
from tycho.settings import settings

KEPT = ["--history-max", "10"]
DESCRIBED = ["--description", "rollback by ada"]
QUICK = ["--disable-openapi-validation"]
OPTIONS = {
    ("4.2.4", "rollback"): KEPT,
    ("4.2.4", "upgrade"): KEPT + DESCRIBED + QUICK,
    ("4.2.4", "install"): DESCRIBED + QUICK,
}
OPTIONS |= {
    ("4.3.0", "rollback"): KEPT + DESCRIBED,
    ("4.4.0", "install"): DESCRIBED,
    ("4.4.0", "upgrade"): KEPT + DESCRIBED,
}


@pytest.mark.parametrize(("version", "verb"), OPTIONS)
def test_who_asked_is_said_where_helm_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, verb: str
) -> None:
    helm = tmp_path / "helm"
    helm.write_text(f"#!/bin/sh\necho v{version}\n")
    helm.chmod(0o755)
    monkeypatch.setenv("TYCHO_HELM", str(helm))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings.cache_clear()

    async def listed() -> list[str]:
        DESCRIPTION.set("rollback by ada")
        return await list_options(verb)

    assert asyncio.run(listed()) == OPTIONS[version, verb]
