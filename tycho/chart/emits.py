"""Objects that policies add: templates of the operator's, with what a template may know of a service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError

from tycho.chart.hidden import without_entries
from tycho.chart.names import label
from tycho.chart.plan import Plan
from tycho.chart.render import render_policy
from tycho.chart.wiring import everything
from tycho.errors import PolicyError, Problem
from tycho.model import EmitTemplate, System


def emitted(plan: Plan, emits: Sequence[EmitTemplate]) -> dict[str, str]:
    """Files that policies ask for, in a folder of their own: one for each matching service, or one for the system.

    A template is told `chart` and `system`, and of a service `name`, `slug` and `service`.

    Raises:
        PolicyError: A template is broken; with its line.
    """
    system = without_entries(plan.system)
    services = everything(system)
    found: dict[str, str] = {}
    for emit in emits:
        stem = Path(emit.policy).stem
        for name in emit.services:
            about = {"name": name, "slug": label(name), "service": services[name]}
            found[f"templates/policies/{label(name)}-{stem}.yaml"] = _rendered(plan, system, emit, about)
        if not emit.services:
            found[f"templates/policies/{stem}.yaml"] = _rendered(plan, system, emit, {})
    return found


def _rendered(plan: Plan, system: System, emit: EmitTemplate, about: dict[str, object]) -> str:
    try:
        return render_policy(emit.text.decode(), chart=plan.chart, system=system, **about)
    except (TemplateError, ValueError) as error:
        line, frame = getattr(error, "lineno", 0), error.__traceback__
        while frame and not isinstance(error, TemplateSyntaxError):
            line = frame.tb_lineno if frame.tb_frame.f_code.co_filename == "<template>" else line
            frame = frame.tb_next
        problem = Problem(emit.template, line, "", str(error))
    raise PolicyError(f"the template of the policy {emit.policy} is broken", problems=[problem])
