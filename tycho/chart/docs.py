"""What a chart says of itself: README.md, NOTES.txt, .helmignore."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tycho.chart.artifact import Row
from tycho.chart.names import COMPOSE, label
from tycho.chart.objects import tests
from tycho.chart.plan import Plan
from tycho.chart.planner import secret_names
from tycho.chart.pods import publish
from tycho.chart.render import render
from tycho.chart.schema import CONFIG, OVERRIDES, SECRET, SERVICE, VOLUME
from tycho.chart.sharing import users
from tycho.chart.values import image
from tycho.chart.yaml import Noted, Tree
from tycho.text import json_text

PICTURE = 60  # services that a picture can hold
SUMMARY = 200  # rows of a table that a page can hold
DEFAULT = 120  # characters of a default that a table can hold
PARTS = (
    ("service", "services", SERVICE),
    ("volume", "volumes", VOLUME),
    ("config", "configs", CONFIG),
    ("secret", "secrets", SECRET),
)
OWN = frozenset(
    {"env", "services", "volumes", "configs", "secrets", "secretFiles", "common"}
)  # values that have tables of their own


def docs(plan: Plan, rows: Sequence[Row], values: dict[str, Tree]) -> dict[str, str]:
    """The files for people."""
    changed = [row for row in rows if row.fate != "translated"]
    mounts = users(plan.pods)
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
        "secrets": [name for name, secret in plan.system.secrets.items() if not secret.external],
        "files": [(tree.slug, key) for tree in plan.trees for key in tree.secrets],
        "filled": sorted(
            {
                step.claim or step.path
                for pod in plan.pods
                for one in pod.containers
                for step in one.steps
                if step.verb == "content"
            }
        ),
        "passwords": [
            (one.name, name)
            for pod in plan.pods
            for one in pod.containers
            for name in secret_names(one.service)
            if COMPOSE.fullmatch(name)
        ],
        "hidden": [one.variable for one in plan.concealed if one.variable],
        "variables": list(_settings({"env": values["env"]}, "")) if plan.system.variables else [],
        "most": SUMMARY,
        "picture": list(_picture(plan)) if len(plan.pods) <= PICTURE else [],
        "volumes": [
            (claim, ", ".join(pod.name for pod in mounts.get(name, ()))) for name, claim in plan.claims.items()
        ],
        "settings": list(_settings({key: value for key, value in values.items() if key not in OWN}, "")),
        "common": list(_settings({"common": values["common"]}, "")),
        "parts": [
            (title, name, [(key, what) for key, (what, _) in keys.items() if key not in OVERRIDES])
            for title, name, keys in PARTS
            if name in values
        ],
        "changed": changed[:SUMMARY],
        "more": len(changed) - SUMMARY,
        "fates": _fates(rows),
    }
    return {
        "templates/NOTES.txt": render("templates/NOTES.txt", **context),
        "README.md": render("README.md", **context),
        ".helmignore": render("helmignore"),
    }


def _kept(plan: Plan) -> tuple[str, str]:
    """What Helm is told to keep, in words and as kubectl calls it."""
    match bool(plan.claims), any(pod.kind == "Job" for pod in plan.pods):
        case True, True:
            return "Volumes and finished Jobs", "pvc,job"
        case True, False:
            return "Volumes", "pvc"
        case False, True:
            return "Finished Jobs", "job"
        case _:
            return "", ""


def _settings(values: Mapping[str, Tree], path: str) -> Iterator[tuple[str, str, str]]:
    """Key, default ("" where it is long) and meaning of the values that have a comment."""
    for key, note in values.items():
        if not isinstance(note, Noted):
            continue
        if isinstance(note.value, Mapping) and any(isinstance(one, Noted) for one in note.value.values()):
            yield from _settings(note.value, f"{path}{key}.")
        else:
            written = json_text(note.value)
            yield f"{path}{key}", written if len(written) <= DEFAULT else "", note.comment.removeprefix("-- ")


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
        if pod.name not in plan.enclosed and publish(pod.service):
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
