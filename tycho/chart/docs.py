"""What a chart says of itself: README.md, NOTES.txt, .helmignore."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from tycho.chart.artifact import Row
from tycho.chart.names import label
from tycho.chart.objects import tests
from tycho.chart.plan import Plan
from tycho.chart.pods import publish
from tycho.chart.render import render
from tycho.chart.schema import OVERRIDES, SERVICE
from tycho.chart.values import image
from tycho.chart.yaml import Noted, Tree

PICTURE = 60  # services that a picture can hold
SUMMARY = 200  # rows of the report that a page can hold
DEFAULT = 60  # characters of a default that a table can hold


def docs(plan: Plan, rows: Sequence[Row], values: dict[str, Tree]) -> dict[str, str]:
    """The files for people."""
    changed = [row for row in rows if row.fate != "translated"]
    context: dict[str, object] = {
        "chart": plan.chart,
        "plan": plan,
        "images": {one.name: image(plan, one) for pod in plan.pods for one in pod.containers},
        "ports": {
            pod.name: [f"{port.number}/{port.protocol.lower()}" for port in plan.ports.get(pod.name, ())]
            for pod in plan.pods
        },
        "callable": [pod for pod in plan.pods if pod.kind not in ("Job", "CronJob")],
        "runs": [pod for pod in plan.pods if pod.kind == "CronJob"],
        "tested": any(tests(plan)),
        "kept": _kept(plan),
        "variables": sorted(plan.system.variables),
        "picture": list(_picture(plan)) if len(plan.pods) <= PICTURE else [],
        "settings": [
            (key, _default(note.value), note.comment.removeprefix("-- "))
            for key, note in values.items()
            if isinstance(note, Noted)
        ],
        "service_keys": [(key, what) for key, (what, _) in SERVICE.items() if key not in OVERRIDES],
        "common_keys": [(key, what) for key, (what, _) in OVERRIDES.items()],
        "changed": changed[:SUMMARY],
        "more": len(changed) - SUMMARY,
        "fates": _fates(rows),
    }
    return {
        "templates/NOTES.txt": render("templates/NOTES.txt", **context),
        "README.md": render("README.md", **context),
        ".helmignore": render("helmignore"),
    }


def _kept(plan: Plan) -> str:
    """What Helm is told to keep."""
    jobs = any(pod.kind == "Job" for pod in plan.pods)
    return " and ".join([*["volumes"] * bool(plan.claims), *["finished Jobs"] * jobs]).capitalize()


def _default(value: Tree) -> str:
    """A default, where a table can hold it."""
    try:
        written = json.dumps(value, ensure_ascii=False)
    except TypeError:  # notes inside
        return "see values.yaml"
    return f"`{written}`" if len(written) <= DEFAULT else "see values.yaml"


def _fates(rows: Sequence[Row]) -> str:
    """How many keys fared how."""
    count = Counter(row.fate for row in rows)
    said = [f"{count[fate]} {fate}" for fate in ("translated", "approximated", "ignored") if count[fate]]
    return f"Of {len(rows)} keys in use: {', '.join(said)}"


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
