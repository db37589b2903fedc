"""Compose files in the first Tycho's dialect: each starts on a real API server as its file says, or is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.orchestrators.conftest import QUICK, Kubectl, kubectl, shared, tell
from tycho.compose import Sources
from tycho.errors import TychoError
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions

__all__ = ["kubectl", "shared", "tell"]  # fixtures

pytestmark = pytest.mark.xdist_group("cluster")
SPECS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(Path(__file__).parent.glob("specs/*.yaml"))}
GENERAL_KEYS = {"title", "compose", "env", "wait", "rows", "refused"}
CLAIMS = ("stdnfs", "deepgtex")
NO_WAIT = WaitOptions(wait=False, timeout=90)


def names(outcome: str) -> list[str]:
    return [name for name, spec in SPECS.items() if ("refused" in spec) == (outcome == "refused")]


def sources(spec: Mapping[str, Any]) -> Sources:
    return Sources.from_document(spec["compose"], env=spec.get("env", {}), name="portal")


def find(tree: Any, path: str) -> Any:
    """What stands at a path such as `containers[0].env`; None where nothing does."""
    for step in re.findall(r"[^.\[\]]+(?:\.com/gpu)?", path):
        if isinstance(tree, list):
            tree = tree[int(step)] if int(step) < len(tree) else None
        else:
            tree = (tree or {}).get(step)
    return tree


@pytest.fixture
def space(shared: str, kubectl: Kubectl) -> str:
    """A namespace in which there are claims."""
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    for name in CLAIMS:
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}
        kubectl("apply", "-n", shared, "-f", "-", input=json.dumps(claim))
    return shared


def test_there_are_thirty() -> None:
    assert len(SPECS) >= 30


@pytest.mark.parametrize("name", names("started"))
def test_starts(tell: Any, space: str, kubectl: Kubectl, name: str) -> None:
    spec = SPECS[name]

    async def story(lifecycle: Lifecycle) -> None:
        compiled = lifecycle.compile(sources(spec))
        rows = {(row.path, row.outcome) for row in compiled.artifact.report}
        assert set(spec["rows"].items()) <= rows
        await lifecycle.up(compiled, wait_options=QUICK if spec.get("wait", True) else NO_WAIT)
        listed = json.loads(kubectl("get", "deployments,statefulsets", "-n", space, "-o", "json"))["items"]
        live = {workload["metadata"]["annotations"]["tycho.dev/service"]: workload for workload in listed}
        for service in spec.keys() - GENERAL_KEYS:
            pod = {**live[service]["spec"]["template"]["spec"], "metadata": live[service]["metadata"]}
            for path, expected in spec[service].items():
                value = find(pod, path)
                if isinstance(expected, dict) and isinstance(value, dict):
                    value = {key: value.get(key) for key in expected} if expected else value
                assert value == expected, path

    tell(story, space)


@pytest.mark.parametrize("name", names("refused"))
def test_is_refused(tell: Any, space: str, kubectl: Kubectl, name: str) -> None:
    spec, refused = SPECS[name], SPECS[name]["refused"]

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(TychoError) as caught:
            await lifecycle.up(lifecycle.compile(sources(spec)), wait_options=QUICK)
        error: Any = caught.value
        if "path" in refused:
            (error,) = [problem for problem in caught.value.problems if problem.path == refused["path"]]
            assert error.line == refused["line"]
        assert refused["message"] in error.message
        assert refused["hint"] in error.hint

    tell(story, space)
    assert kubectl("get", "deployments,leases", "-n", space, "-o", "name") == ""
