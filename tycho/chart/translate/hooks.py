"""`pre_start`, `post_start`, `pre_stop`, `stop_grace_period`, `stop_signal`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Command, Expression, HookContainer, Text
from tycho.chart.expressions import to_argument, to_command, to_text
from tycho.chart.translate.health import assess_seconds
from tycho.chart.translate.image import split_image
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, container, pod
from tycho.chart.translate.security import translate_security
from tycho.chart.workload_kind import drain_seconds
from tycho.chart.yaml_writer import YamlValue
from tycho.model import Hook, Service, template
from tycho.model.numbers import parse_id


def translate_lifecycle(service: Service, *, single_node: bool) -> dict[str, Mapping[str, YamlValue]]:
    """Translate hooks of a running container, and the time in which its callers turn to others.

    Args:
        service: The service.
        single_node: Whether a volume of its pod has to be let go before the next pod starts.
    """
    lifecycle: dict[str, Mapping[str, YamlValue]] = {}
    for key, hooks in (("postStart", service.post_start), ("preStop", service.pre_stop)):
        if hooks:
            lifecycle[key] = {"exec": {"command": list(to_command(hooks[0].command, expanded=False).words)}}
    if seconds := drain_seconds(service, single_node=single_node):
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


def _security(hook: Hook) -> dict[str, YamlValue]:
    context = translate_security(Service(user=hook.user, privileged=hook.privileged))
    if hook.privileged:  # the API server refuses it together with what the service itself says
        context["allowPrivilegeEscalation"] = True
    return context


def _own_entries(hook: Hook, service: Service) -> Iterator[tuple[str, Text]]:
    """Yield the variables of a hook that are not its service's: those come from where the service's do."""
    passed = {*hook.inherited.get("environment_pass", ())}
    for name, value in sorted(hook.environment.items()):
        if name in passed:
            if name not in service.environment_pass:
                yield name, Expression(f"${{{name}}}")
        elif value is not None:
            theirs = service.environment.get(name)
            if theirs is None or template(theirs) != template(value):
                yield name, to_argument(value)


def grace_seconds(service: Service, *, single_node: bool) -> int:
    """Count the seconds until SIGKILL, after those of draining; Compose says 10 where the file says nothing."""
    seconds = service.stop_grace_period
    return (10 if seconds is None else max(0, math.ceil(seconds))) + drain_seconds(service, single_node=single_node)


def assess_pre_start(use: KeyUse) -> Rows:
    """Assess containers before the container."""
    for index, hook in enumerate(use.value):
        if own := sorted(set(hook.inherited) & set(hook.written)):
            why = f"{', '.join(own)}: a hook uses the settings of its service"
            yield f"[{index}]", ignored(why, "set it on the service")
        if hook.user and any(part and parse_id(part) is None for part in hook.user.split(":")):
            why = f'"{hook.user}" is a name, and Kubernetes takes numbers'
            yield f"[{index}].user", rejected(why, "write the number")
        if not hook.per_replica:
            why, place = "it runs before every pod", pod(f"initContainers[{use.container.hooks[index].name}]")
            yield f"[{index}]", approximated("init container", why, "make it a service to wait for", place)


def find_pre_start(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the init containers of a service."""
    for hook in use.container.hooks:
        yield from pod(f"initContainers[{hook.name}]")(use)


def assess_hook(use: KeyUse) -> Rows:
    """Assess a hook: one command, as the container's own user and in its own folder."""
    for index, hook in enumerate(use.value):
        further = [key for key in ("user", "privileged", "working_dir", "environment") if getattr(hook, key)]
        if index:
            yield f"[{index}]", rejected("Kubernetes runs one command", "put them into one: sh -c 'first && second'")
        elif further:
            why = "a hook uses the settings of its container"
            yield f"[{index}].{further[0]}", rejected(why, "write it into the command")


def assess_grace(use: KeyUse) -> Rows:
    """Assess the time until SIGKILL: the longest of a pod's services holds for all of them."""
    grace = pod("terminationGracePeriodSeconds")
    for _, key in assess_seconds(use):
        yield "", approximated(key.target, key.reason, key.remedy, grace)


def assess_signal(use: KeyUse) -> Rows:
    """Assess `stop_signal`: SIGTERM is what everybody gets."""
    if str(use.value).upper().removeprefix("SIG") in ("TERM", "15"):
        yield "", translated("what Kubernetes sends")


KEYS: Table = {
    "pre_start": whole(translated("init containers", find_pre_start, assess=assess_pre_start)),
    "post_start": whole(translated("lifecycle.postStart", container("lifecycle.postStart"), assess=assess_hook)),
    "pre_stop": whole(translated("lifecycle.preStop", container("lifecycle.preStop"), assess=assess_hook)),
    "stop_grace_period": translated(
        "terminationGracePeriodSeconds", pod("terminationGracePeriodSeconds"), assess=assess_grace
    ),
    "stop_signal": approximated(
        "", "Kubernetes sends the STOPSIGNAL of the image", "set STOPSIGNAL in the Dockerfile", assess=assess_signal
    ),
}
