"""What a chart says of itself: README.md, NOTES.txt, .helmignore."""

from __future__ import annotations

from tycho.chart.artifact import Row
from tycho.chart.plan import Plan
from tycho.chart.pods import publish
from tycho.chart.render import render


def docs(plan: Plan, rows: tuple[Row, ...]) -> dict[str, str]:
    """The files for people."""
    published = [pod for pod in plan.pods if publish(pod.service)]
    variables = sorted(plan.system.variables)
    context = {
        "chart": plan.chart,
        "published": published,
        "variables": variables,
        "plan": plan,
        "rows": rows,
    }
    return {
        "templates/NOTES.txt": render("templates/NOTES.txt", **context),
        "README.md": render("README.md", **context),
        ".helmignore": render("helmignore"),
    }
