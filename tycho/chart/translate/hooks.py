"""`pre_start`, `post_start`, `pre_stop`, `stop_grace_period`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tycho.chart.container import Command, Expression, Text
from tycho.chart.container import Hook as HookContainer
from tycho.chart.kinds import drain
from tycho.chart.translate.image import split_image
from tycho.chart.translate.security import translate_security
from tycho.chart.translate.text import to_argument, to_command, to_text
from tycho.chart.yaml import Tree
from tycho.model import Hook, Service, template


def translate_lifecycle(service: Service, *, held: bool) -> dict[str, Mapping[str, Tree]]:
    """Translate hooks of a running container, and the time in which its callers turn to others.

    Args:
        service: The service.
        held: Whether a volume of its pod has to be let go before the next pod starts.
    """
    lifecycle: dict[str, Mapping[str, Tree]] = {}
    for key, hooks in (("postStart", service.post_start), ("preStop", service.pre_stop)):
        if hooks:
            lifecycle[key] = {"exec": {"command": list(to_command(hooks[0].command, expanded=False).words)}}
    if seconds := drain(service, held=held):
        lifecycle["preStop"] = {"sleep": {"seconds": seconds}}
    return lifecycle


def translate_pre_start(name: str, service: Service, command: Command) -> tuple[HookContainer, ...]:
    """Translate `pre_start` into init containers.

    Args:
        name: The container's name.
        service: The service.
        command: The service's entrypoint, which a hook of the same image keeps.
    """
    return tuple(
        HookContainer(
            name=f"{name}-pre-start-{index}",
            image=None if hook.image is None else split_image(to_text(hook.image)),
            command=Command() if hook.image is not None else command,
            args=to_command(hook.command),
            working_dir=to_text(hook.working_dir),
            env=dict(_own_entries(hook, service)),
            security_context=_security(hook),
        )
        for index, hook in enumerate(service.pre_start)
    )


def _security(hook: Hook) -> dict[str, Tree]:
    context = translate_security(Service(user=hook.user, privileged=hook.privileged))
    if hook.privileged:  # the API server refuses it together with what the service itself says
        context["allowPrivilegeEscalation"] = True
    return context


def _own_entries(hook: Hook, service: Service) -> Iterator[tuple[str, Text]]:
    """Yield the variables of a hook that are not its service's: those come from where the service's do."""
    passed = {*hook.rest.get("environment_pass", ())}
    for name, value in sorted(hook.environment.items()):
        if name in passed:
            if name not in service.environment_pass:
                yield name, Expression(f"${{{name}}}")
        elif value is not None:
            theirs = service.environment.get(name)
            if theirs is None or template(theirs) != template(value):
                yield name, to_argument(value)


def grace_seconds(service: Service, *, held: bool) -> int:
    """Count the seconds until SIGKILL, after those of draining; Compose says 10 where the file says nothing."""
    seconds = service.stop_grace_period
    return (10 if seconds is None else max(0, math.ceil(seconds))) + drain(service, held=held)
