"""Build a Helm chart of a project, and the values of its releases.

A chart depends on the compose file and the policies alone, byte for byte. The caller's environment is part of the
values of a release, never of the chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.chart.chart import COMPOSE_FILE, Chart, ReportEntry
from tycho.chart.grants import WAITING_ACCOUNT, Document, find_line, find_ungranted
from tycho.chart.image_references import list_references
from tycho.chart.release_values import find_origin, find_user, release_values, values_yaml, without_origin
from tycho.chart.routes import RouteContext, list_urls, mark_routed
from tycho.chart.start_checks import check_start
from tycho.chart.version import check_version
from tycho.collector import paused

if TYPE_CHECKING:
    from tycho.model import PolicyResult

__all__ = [
    "COMPOSE_FILE",
    "WAITING_ACCOUNT",
    "Chart",
    "Document",
    "ReportEntry",
    "RouteContext",
    "check_start",
    "emit",
    "find_line",
    "find_origin",
    "find_ungranted",
    "find_user",
    "list_references",
    "list_urls",
    "mark_routed",
    "release_values",
    "values_yaml",
    "without_origin",
]


@paused()
def emit(policy_result: PolicyResult, *, version: str = "", strict: bool = False) -> Chart:
    """Compile a project with its policies applied into a chart.

    Args:
        policy_result: The system after the policies.
        version: The chart's version, SemVer 2; made of its content by default.
        strict: Whether a key whose meaning would change is an error.

    Raises:
        ComposeError: Something cannot run as asked; with every problem.
        ReportError: `strict`, and a key is approximated or ignored.
        PolicyError: A policy's template cannot be rendered.
        PolicyDenied: It asks for rights that no policy granted.
        UsageError: The version is none.
    """
    from tycho.chart import baseline, checks, docs, finalize, policy_templates  # Jinja: only for those who compile
    from tycho.chart.assemble import assemble_layout
    from tycho.chart.composefile import write_compose_file
    from tycho.chart.schema import chart_schema
    from tycho.chart.templates import ChartTemplates, list_contents
    from tycho.chart.values import chart_values
    from tycho.chart.yaml_writer import dump

    if version:
        check_version(version)
    checks.check_project(policy_result)
    layout = assemble_layout(policy_result.system)
    rows = checks.list_report(layout)
    values = chart_values(layout)
    baseline.check_baseline(layout)
    if strict:
        checks.raise_if_changed(rows, (*policy_result.system.warnings, *policy_result.warnings))
    templates = ChartTemplates(layout)
    files = {
        "values.yaml": dump(values),
        "values.schema.json": chart_schema(layout, values),
        **templates.list_files(docs.collect_notes(layout)),
        **list_contents(layout),
        COMPOSE_FILE: write_compose_file(layout, policy_result, rows),
        **policy_templates.render_policy_templates(layout, policy_result.emits, templates),
        **templates.list_helpers(),
        **docs.write_pages(layout, [row for row in rows if not row.local]),
    }
    return finalize.finalize_chart(layout, policy_result, files, rows, version, values)
