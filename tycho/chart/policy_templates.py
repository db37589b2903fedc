"""Render the templates that policies add to a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError

from tycho.chart.actions import reference
from tycho.chart.hidden import without_entries
from tycho.chart.layout import ChartLayout
from tycho.chart.names import label
from tycho.chart.render import render_policy
from tycho.chart.services import all_services
from tycho.chart.templates import ChartTemplates
from tycho.errors import PolicyError, Problem
from tycho.model import EmitTemplate, Project


def render_policy_templates(
    layout: ChartLayout, emits: Sequence[EmitTemplate], templates: ChartTemplates
) -> dict[str, str]:
    """Render the files that policies emit, in a folder of their own: one for each selected service, or one for all.

    A template is told `chart` and `system`, of a service `name`, `slug` and `service`, and how the chart writes
    names of objects (`object_name`), places in values (`ref`) and its helpers (`h`).

    Raises:
        PolicyError: A template is broken; with its line.
    """
    system = without_entries(layout.system)
    services = all_services(system)
    shared = {"h": templates.helpers, "object_name": templates.names, "ref": reference}
    files: dict[str, str] = {}
    for emit in emits:
        stem = Path(emit.policy).stem
        for name in emit.services:
            service_context = {"name": name, "slug": label(name), "service": services[name]}
            files[f"templates/policies/{label(name)}-{stem}.yaml"] = _render(
                layout, system, emit, {**shared, **service_context}
            )
        if not emit.services:
            files[f"templates/policies/{stem}.yaml"] = _render(layout, system, emit, shared)
    return files


def _render(layout: ChartLayout, system: Project, emit: EmitTemplate, context: dict[str, object]) -> str:
    try:
        return render_policy(emit.text.decode(), chart=layout.chart, system=system, **context)
    except (TemplateError, ValueError) as error:
        line, frame = getattr(error, "lineno", 0), error.__traceback__
        while frame and not isinstance(error, TemplateSyntaxError):
            line = frame.tb_lineno if frame.tb_frame.f_code.co_filename == "<template>" else line
            frame = frame.tb_next
        problem = Problem(emit.template, line, "", str(error))
    raise PolicyError(f"the template of the policy {emit.policy} is broken", problems=[problem])
