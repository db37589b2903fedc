"""The small inputs of `tests/cases`, and what tests ask of the charts that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tycho.chart import ReportEntry

CASES = Path(__file__).parents[1] / "cases"
RUNS_ONCE = {"backoffLimit": 6, "restartPolicy": "Never", "ready": None}
PERSISTENT = {"backoffLimit": 2147483647, "restartPolicy": "OnFailure", "ready": "running"}


def read(case: str) -> str:
    return (CASES / case / "compose.yaml").read_text(encoding="utf-8")


def files(case: str) -> dict[str, str]:
    folder = CASES / case
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != "compose.yaml"
    }


def rows(bench: Any, text: str, **files: Any) -> dict[str, ReportEntry]:
    """The report's rows that tell of a difference, by path."""
    return {row.path: row for row in bench.chart(text, **files).report if row.outcome != "translated"}


def held_back(objects: Any, name: str, kind: str = "Deployment") -> list[str]:
    """What the init containers of a workload wait for."""
    return [each["name"] for each in objects.pod(name, kind).get("initContainers", ())]


def job(objects: Any, service: str) -> dict[str, Any]:
    (match,) = [
        each
        for each in objects
        if each["kind"] == "Job" and each["metadata"]["annotations"]["tycho.dev/service"] == service
    ]
    template = match["spec"]["template"]["spec"]
    return {
        "backoffLimit": match["spec"]["backoffLimit"],
        "restartPolicy": template["restartPolicy"],
        "ready": match["metadata"]["annotations"].get("tycho.dev/ready-when"),
    }


def service(objects: Any, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = objects.find("Service", name)["spec"]
    return spec


def ports(objects: Any, name: str) -> list[int]:
    return [port["port"] for port in service(objects, name).get("ports", ())]
