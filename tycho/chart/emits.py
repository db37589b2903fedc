"""Objects that policies add: templates of the operator's, rendered as the shipped ones are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import TemplateError

from tycho.chart.plan import Plan
from tycho.chart.render import environment
from tycho.errors import PolicyError
from tycho.model import EmitTemplate


def emitted(plan: Plan, emits: Sequence[EmitTemplate]) -> dict[str, str]:
    """Files of `templates/` that policies ask for: one for each matching service, or one for the system.

    A template is told `chart`, `system`, `plan`, and with a service `pod` and `container`.

    Raises:
        PolicyError: A template is broken.
    """
    pods = {container.name: (pod, container) for pod in plan.pods for container in pod.containers}
    found: dict[str, str] = {}
    for emit in emits:
        path = Path(emit.template)
        for service in emit.services or ("",):
            context: dict[str, object] = {"chart": plan.chart, "system": plan.system, "plan": plan}
            if service:
                context["pod"], context["container"] = pods[service]
            stem = path.name.removesuffix(".j2").removesuffix(".yaml")
            name = f"{pods[service][1].slug}-{stem}" if service else stem
            try:
                found[f"templates/{name}.yaml"] = environment(path.parent).get_template(path.name).render(context)
            except (TemplateError, ValueError) as error:
                raise PolicyError(f"{emit.policy}: {path.name}: {error}") from error
    return found
