"""The history of a release: each revision's own time, as Helm tells it, and what it changed."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK
from tycho.compose import Sources
from tycho.lifecycle import Lifecycle
from tycho.orchestrators.helm.changes import list_changes
from tycho.release import Revision

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]

WEB: dict[str, Any] = {
    "image": "nginx:${TAG:-1}",
    "environment": {"LEVEL": "${LEVEL:-info}", "DB_PASSWORD": "${PW:-a}"},
}
CACHE = {"image": "redis:7"}
PAGE = {"image": "nginx:1"}  # always there: in a shared namespace the pods of one alone need no names
STEPS: list[tuple[dict[str, str], dict[str, Any], tuple[str, ...]]] = [
    ({}, {"page": PAGE, "web": WEB}, ()),
    ({"TAG": "2"}, {"page": PAGE, "web": WEB}, ("web: image nginx:1 → nginx:2",)),
    ({"TAG": "2", "LEVEL": "debug"}, {"page": PAGE, "web": WEB}, ("web: environment.LEVEL info → debug",)),
    ({"TAG": "2", "LEVEL": "debug", "PW": "b"}, {"page": PAGE, "web": WEB}, ("web: environment.DB_PASSWORD changed",)),
    ({"TAG": "2"}, {"page": PAGE, "web": WEB},
     ("web: environment.LEVEL debug → info", "web: environment.DB_PASSWORD changed")),
    ({"TAG": "2"}, {"page": PAGE, "web": WEB, "cache": CACHE}, ("cache: added",)),
    ({"TAG": "3"}, {"page": PAGE, "web": WEB, "cache": {"image": "redis:8"}},
     ("web: image nginx:2 → nginx:3", "cache: image redis:7 → redis:8")),
    ({"TAG": "3"}, {"page": PAGE, "web": WEB}, ("cache: removed",)),
    ({"TAG": "3"}, {"page": PAGE, "web": {**WEB, "command": ["sleep", "9"]}}, ("web: command sleep 9",)),
]  # fmt: skip


def test_times_are_helm_s_and_changes_are_named(tell: Tell, shared: str, kubeconfig: Path, helm: Path) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        for env, services, _ in STEPS:
            sources = Sources.from_document({"services": services}, env=env, name="ten")
            release = await lifecycle.up(lifecycle.compile(sources), wait_options=QUICK)
        for revision in (2, 6):
            await lifecycle.rollback("ten", revision, wait_options=QUICK)
        ours = await lifecycle.history("ten")
        argv = [helm, "history", release.identity.release, "-n", shared, "--kubeconfig", kubeconfig, "-o", "json"]
        theirs = json.loads((await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True)).stdout)
        check(ours, theirs)

    tell(story, shared)


def check(ours: list[Revision], theirs: list[dict[str, Any]]) -> None:
    """Compare with what Helm tells: it keeps ten revisions."""
    assert [entry.revision for entry in ours] == [entry["revision"] for entry in theirs] == list(range(2, 12))
    for mine, helms in zip(ours, theirs, strict=True):
        assert mine.updated
        assert mine.updated.tzinfo
        assert abs((mine.updated - datetime.fromisoformat(helms["updated"])).total_seconds()) < 1
        assert mine.description == helms["description"]
    times = [entry.updated for entry in ours]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    changes = {entry.revision: entry.changes for entry in ours[1:]}
    assert changes == {
        **{number: expected for number, (_, _, expected) in enumerate(STEPS, 1) if number > 2},
        10: ("web: image nginx:3 → nginx:2", "web: command sleep 9 removed"),
        11: ("cache: added",),
    }


def test_values_are_never_told() -> None:
    def secret(value: str) -> dict[str, Any]:
        return {"kind": "Secret", "metadata": {"name": "s"}, "data": {"KEY": value}}

    variable = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "KEY"}}}
    pod = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i", "env": [variable]}]}}}}
    workload = {"kind": "Deployment", "metadata": {"name": "w", "labels": {"app.kubernetes.io/component": "w"}}, **pod}
    assert list_changes([secret("planted-1"), workload], [secret("planted-2"), workload]) == ("w: variable KEY",)
    assert list_changes([secret("planted-1"), workload], [secret("planted-1"), workload]) == ()
