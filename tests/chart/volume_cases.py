"""What the tests of cases share: a case's chart, its objects, and what stands behind a mount."""

from __future__ import annotations

from pathlib import Path

from tests.chart.conftest import CASES, Bench, Object, Objects
from tycho.chart import Chart, emit, release_values
from tycho.compose import Sources, load
from tycho.model import PolicyResult
from tycho.policy import apply_policies

__all__ = ["CASES", "behind", "opened", "rendered", "rows", "words"]


def opened(folder: Path, file: str = "compose.yaml") -> PolicyResult:
    return apply_policies(load(Sources.from_disk([file], cwd=str(folder), env={}, name="demo")))


def rendered(bench: Bench, policy_result: PolicyResult, *args: str) -> Objects:
    return bench.render(emit(policy_result), release_values(policy_result.system), *args)


def behind(objects: Objects, service: str, path: str, kind: str = "Deployment") -> tuple[Object, Object]:
    """The mount of a service at a path, and the volume behind it."""
    pod = objects.pod(f"rel-{service}", kind)
    (mount,) = (mount for mount in pod["containers"][0]["volumeMounts"] if mount["mountPath"] == path)
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == mount["name"])
    return mount, volume


def words(objects: Objects, service: str, kind: str = "Deployment") -> list[tuple[str, ...]]:
    """What is done to the volumes of a service: verb, volume, base, source, path."""
    for container in objects.pod(f"rel-{service}", kind).get("initContainers", ()):
        if container["name"] == f"fill-{service}":
            args = container["args"][1:]
            return [tuple(args[index : index + 5]) for index in range(0, len(args), 5)]
    return []


def rows(chart: Chart, path: str) -> list[tuple[str, str]]:
    return [(row.outcome, row.target or row.reason) for row in chart.report if row.path == path]
