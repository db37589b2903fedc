"""Woven -> Chart: what a system becomes on Kubernetes, as a Helm chart.

Two laws: a chart is a function of the compose file and the policies alone, byte for byte; and what the caller's
environment says goes into the values of the release, never into the chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.chart.artifact import Chart, Row
from tycho.chart.judge import Document, find_line, judge
from tycho.chart.live import release_values, values_yaml, without_origin
from tycho.chart.version import check_version
from tycho.collector import paused

if TYPE_CHECKING:
    from tycho.model import Woven

__all__ = ["Chart", "Document", "Row", "emit", "find_line", "judge", "release_values", "values_yaml", "without_origin"]


@paused()
def emit(woven: Woven, *, version: str = "", strict: bool = False) -> Chart:
    """Compile a woven system into a chart.

    Args:
        woven: The system after the policies.
        version: The chart's version, SemVer 2; made of its content by default.
        strict: Whether a key whose meaning would change is an error.

    Raises:
        ComposeError: Something cannot run as asked; with every problem.
        ReportError: `strict`, and a key is approximated or ignored.
        PolicyError: A policy's template cannot be rendered.
        PolicyDenied: It asks for rights that no policy granted.
        UsageError: The version is none.
    """
    from tycho.chart import (  # Jinja: only for those who compile
        check,
        docs,
        emits,
        floor,
        planner,
        seal,
        templates,
        values,
    )

    if version:
        check_version(version)
    check.before(woven)
    plan = planner.plan(woven.system)
    rows = check.report(plan)
    settings = values.values(plan)
    floor.check_floor(plan, settings)
    if strict:
        check.strictly(rows, (*woven.system.warnings, *woven.warnings))
    files = {
        **values.files(plan, settings),
        **templates.list_templates(plan),
        **templates.list_contents(plan),
        **emits.emitted(plan, woven.emits),
        **docs.docs(plan, [row for row in rows if not row.local], settings),
    }
    return seal.seal(plan, woven, files, rows, version)
