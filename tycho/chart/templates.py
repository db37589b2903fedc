"""The files of a chart below `templates/`, and those of the project that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tycho.chart.objects import OBJECTS
from tycho.chart.plan import Claim, Plan, Tree
from tycho.chart.render import render
from tycho.chart.workload import Container, Pod
from tycho.errors import ComposeError, Problem

RENAME = "rename the one whose name is another's with -published, -env or -alias added"
HELPERS = ("_helpers", "_names", "_expand", "_words", "_environment", "_pod", "_container", "_fill", "_wait", "_ports")


def list_templates(plan: Plan) -> dict[str, str]:
    """Every file below `templates/`."""
    parts = [(container.name, pod.slug) for pod in plan.pods for container in pod.containers]
    found = {
        f"templates/{name}.tpl": render(f"templates/{name}.tpl", chart=plan.chart, parts=parts) for name in HELPERS
    }
    made_for: dict[str, str] = {}  # file -> the part of the compose file that it is made for
    problems = []
    for kind, when in OBJECTS:
        for file, context in when(plan):
            path = f"templates/{file}-{kind}.yaml" if file.endswith("/wait") else f"templates/{file}.yaml"
            part = _find_part(plan, context)
            if path in made_for:
                names = " and ".join(dict.fromkeys((made_for[path], part)))
                problems.append(Problem(*plan.system.at(part), part, f"{names} would have one object, {file}", RENAME))
            made_for[path] = part
            found[path] = render(f"templates/{kind}.yaml", chart=plan.chart, **context)
    if problems:
        raise ComposeError("1 problem" if len(problems) == 1 else f"{len(problems)} problems", problems=problems)
    return found


def _find_part(plan: Plan, context: Mapping[str, Any]) -> str:
    """Find the part of the compose file that a template is rendered for; "" where it is for all of it."""
    match context:
        case {"container": Container(name=name)} | {"pod": Pod(name=name)}:
            return f"{'services' if name in plan.system.services else 'jobs'}.{name}"
        case {"tree": Tree(place=place)}:
            return place
        case {"claim": Claim(name=name)}:
            return f"volumes.{name}"
        case {"name": str(name)}:
            return f"secrets.{name}"
        case {"alias": _, "services": [name, *_]}:
            return f"services.{name}"
        case _:
            return ""


def list_contents(plan: Plan) -> dict[str, str | bytes]:
    """Files of the project that the chart carries."""
    return {
        f"files/{tree.slug}/{name}": content
        for tree in plan.trees
        if not tree.live
        for name, content in tree.files.items()
    }
