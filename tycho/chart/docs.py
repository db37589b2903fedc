"""What a chart says of itself: README.md, NOTES.txt, .helmignore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tycho.chart.artifact import Row
from tycho.chart.names import label
from tycho.chart.plan import Plan
from tycho.chart.pods import publish
from tycho.chart.render import render
from tycho.chart.schema import OVERRIDES, SERVICE
from tycho.chart.yaml import Noted, Tree

PICTURE = 60  # services that a picture can hold
SUMMARY = 200  # rows of the report that a page can hold


def docs(plan: Plan, rows: Sequence[Row], values: dict[str, Tree]) -> dict[str, str]:
    """The files for people."""
    changed = [row for row in rows if row.fate != "translated"]
    context: dict[str, object] = {
        "chart": plan.chart,
        "plan": plan,
        "published": [pod for pod in plan.pods if publish(pod.service)],
        "variables": sorted(plan.system.variables),
        "picture": list(_picture(plan)) if len(plan.pods) <= PICTURE else [],
        "settings": [
            (key, note.comment.removeprefix("-- ")) for key, note in values.items() if isinstance(note, Noted)
        ],
        "service_keys": [(key, what) for key, (what, _) in SERVICE.items() if key not in OVERRIDES],
        "common_keys": [(key, what) for key, (what, _) in OVERRIDES.items()],
        "changed": changed[:SUMMARY],
        "more": len(changed) - SUMMARY,
        "kept": len(rows) - len(changed),
    }
    return {
        "templates/NOTES.txt": render("templates/NOTES.txt", **context),
        "README.md": render("README.md", **context),
        ".helmignore": render("helmignore"),
    }


def _picture(plan: Plan) -> Iterator[str]:
    """The system as the lines of a Mermaid flowchart."""
    for pod in plan.pods:
        names = ", ".join(container.name for container in pod.containers)
        yield f'{_node(pod.name)}["{names}"]'
    for pod in plan.pods:
        if publish(pod.service):
            yield f"outside((outside)) --> {_node(pod.name)}"
        homes = {container.name: one.name for one in plan.pods for container in one.containers}
        for container in pod.containers:
            for name in container.service.depends_on:
                if homes.get(name, pod.name) != pod.name:
                    yield f"{_node(pod.name)} --> {_node(homes[name])}"
        for volume in pod.volumes:
            if volume.kind == "claim":
                yield f'{_node(pod.name)} --- v_{label(volume.source).replace("-", "_")}[("{volume.source}")]'


def _node(name: str) -> str:
    return f"s_{label(name).replace('-', '_')}"
