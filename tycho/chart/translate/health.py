"""`healthcheck`, or `x-tycho.readinessProbe` in its place: how Kubernetes is told whether a container is ready."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tycho.chart.expressions import to_command
from tycho.chart.translate.key_rule import KeyRule, Rows, Table, approximated, ignored, translated
from tycho.chart.translate.key_use import KeyUse, container
from tycho.chart.workload_kind import tycho_extension
from tycho.chart.yaml_writer import YamlValue
from tycho.model import Healthcheck, Json, Service

ACTIONS: Mapping[str, Mapping[str, type]] = {
    "exec": {"command": list},
    "httpGet": {"path": str, "port": int, "scheme": str, "httpHeaders": list},
    "tcpSocket": {"port": int},
    "grpc": {"port": int, "service": str},
}
"""What a probe may do. None of them names a host: a probe asks its own pod."""
LEAST = {
    "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1, "successThreshold": 1, "initialDelaySeconds": 0
}  # fmt: skip
"""A probe's numbers, and the least that each may be."""
INTERVAL, TIMEOUT, RETRIES, START_INTERVAL = 30, 30, 3, 5
"""Docker's defaults, for what is not said and for 0 (moby, daemon/health.go)."""
KEY, LIVENESS = "readinessProbe", "livenessProbe"  # of x-tycho
PROBE = "{httpGet: {path: /ready, port: 8080}, periodSeconds: 5}"


def is_probe(value: Json) -> bool:
    """Tell whether a value is a probe in Kubernetes' words: one action, and times if they are given."""
    if not isinstance(value, Mapping):
        return False
    actions = set(value) - set(LEAST)
    return (
        len(actions) == 1
        and all(name in ACTIONS and _is_action(value[name], ACTIONS[name]) for name in actions)
        and all(_is_whole(value[name], least) for name, least in LEAST.items() if name in value)
    )


def _is_action(value: Json, fields: Mapping[str, type]) -> bool:
    if not isinstance(value, Mapping) or not set(value) <= set(fields):
        return False
    if "command" in fields:
        return is_words(value.get("command")) and bool(value["command"])
    if not _is_whole(value.get("port"), 1, 65535) or not all(map(_is_header, value.get("httpHeaders", ()))):
        return False
    scheme = value.get("scheme", "HTTP")
    return scheme in ("HTTP", "HTTPS") and all(isinstance(value[key], fields[key]) for key in value)


def is_words(value: Json) -> bool:
    """Tell whether a value is a list of texts."""
    return isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value)


def _is_header(value: Json) -> bool:
    return isinstance(value, Mapping) and set(value) == {"name", "value"} and is_words([*value.values()])


def _is_whole(value: Json, least: int, most: int = 2**31 - 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def translate_probes(service: Service, *, stage: str, gates: bool) -> Iterator[tuple[str, YamlValue]]:
    """Translate into readiness: Compose never restarts a container for its health.

    Args:
        service: The service.
        stage: Its container's, see `Container.stage`: one that does its work and ends has no health, and what starts
            after a sidecar waits for its startup probe.
        gates: Whether that is to be so.

    Yields:
        `livenessProbe`, `startupProbe` and `readinessProbe`, as far as there are such, as Kubernetes has them.
    """
    if stage == "init":
        return
    if alive := _read_own(service, LIVENESS):
        yield LIVENESS, alive
    if not (ready := _readiness(service)):
        return
    first = (
        find_start_interval(service.healthcheck) if service.healthcheck and KEY not in tycho_extension(service) else 0
    )
    if gates or (first and stage != "sidecar"):
        # It ends with the first success; until then it may fail for ever, for nothing is restarted for its health.
        yield "startupProbe", ready | {"failureThreshold": 2147483647} | ({"periodSeconds": first} if first else {})
    yield "readinessProbe", ready


def _readiness(service: Service) -> dict[str, YamlValue]:
    check = service.healthcheck
    if own := _read_own(service, KEY):
        return own
    command = _command(check) if check else []
    if check is None or not command:
        return {}
    return {
        "exec": {"command": command},
        "periodSeconds": _seconds(check.interval or INTERVAL),
        "timeoutSeconds": _seconds(check.timeout or TIMEOUT),
        "failureThreshold": check.retries or RETRIES,
    }


def _read_own(service: Service, word: str) -> dict[str, YamlValue]:
    """Read a probe that `x-tycho` says; {} where it says none."""
    own = tycho_extension(service).get(word)
    if not isinstance(own, Mapping):
        return {}
    action = own.get("exec")
    command = action.get("command") if isinstance(action, Mapping) else None
    if isinstance(command, list | tuple) and is_words(command):
        return {**own, "exec": {"command": _words(*command)}}
    return dict(own)


def find_start_interval(check: Healthcheck) -> int:
    """Return how often a container is asked until its first success.

    Returns:
        Seconds; 0 where it is as often as later: without `start_period`, or if that would not be more often.
    """
    if not check.start_period:
        return 0
    seconds = _seconds(check.start_interval or START_INTERVAL)
    return seconds if seconds < _seconds(check.interval or INTERVAL) else 0


def is_of_image(check: Healthcheck) -> bool:
    """Tell whether Docker would run the image's own check: the file gives times for it, and no test."""
    return not check.disable and check.test is None


def _command(check: Healthcheck) -> list[YamlValue]:
    if check.disable or not check.test:
        return []
    match check.test[0], check.test[1:]:
        case "CMD", words:
            return _words(*words)
        case "CMD-SHELL", words:
            return _words("/bin/sh", "-c", *words)
        case _:
            return []


def _words(*words: str) -> list[YamlValue]:
    """Convert words, in which Kubernetes expands `$(NAME)`; where one reads a variable, all are in Compose's syntax."""
    return list(to_command(words).words)


def _seconds(number: float) -> int:
    return max(1, math.ceil(number))


def assess_seconds(use: KeyUse) -> Rows:
    """Assess a duration: Kubernetes counts seconds."""
    if isinstance(use.value, float) and use.value % 1:
        yield "", approximated("the next whole second", "Kubernetes counts in seconds", "write whole seconds")


def assess_check(use: KeyUse) -> Rows:
    """Assess a key of `healthcheck`: what x-tycho says in Kubernetes' words goes before it."""
    check = use.service.healthcheck
    if KEY in tycho_extension(use.service):
        yield "", translated(f"nothing: x-tycho.{KEY} replaces it")
    elif check and is_of_image(check):
        why = "without `test` it configures the image's healthcheck, which Kubernetes ignores"
        yield "", ignored(why, "write test")
    elif not use.value and not isinstance(use.value, bool):
        yield "", translated("Docker's default: 0 means not set")
    elif use.container.stage == "init":
        yield "", translated("nothing: an init container has no probe")
    elif check and (check.disable or not _command(check)) and use.value != check.disable:
        yield "", translated("nothing: there is no probe")
    elif isinstance(use.value, float) and use.value % 1:
        field = {"interval": "periodSeconds", "timeout": "timeoutSeconds"}.get(_find_key(use), "")
        words = "the next whole second"
        places = (container(f"readinessProbe.{field}"),) if field else (container("startupProbe"),)
        yield "", approximated(words, "Kubernetes counts in seconds", "write whole seconds", *places)


def _find_key(use: KeyUse) -> str:
    check = use.service.healthcheck
    return next((key for key in ("interval", "timeout") if check and getattr(check, key) is use.value), "")


def assess_first(use: KeyUse) -> Rows:
    """Assess a start period: until its first success a container is asked more often in it."""
    check = use.service.healthcheck
    rows = list(assess_check(use))
    if not rows and check and not find_start_interval(check):
        why = "no start_period" if not check.start_period else "start_interval is not shorter than interval"
        rows = [("", translated(f"nothing: {why}"))]
    elif not rows and "startupProbe" not in use.container.probes:
        rows = [("", translated("nothing: the interval is the same"))]
    yield from rows


def _probe(words: str, path: str, but: str = "") -> KeyRule:
    return translated(words, container(path), assess=assess_check, but=but)


WAITED = "tycho up waits until it succeeds; docker compose up waits only with --wait"
KEYS: Table = {
    "healthcheck.test": _probe("readinessProbe.exec (live)", "readinessProbe", but=WAITED),
    "healthcheck.disable": translated("no probe", assess=assess_check),
    "healthcheck.interval": _probe("periodSeconds", "readinessProbe.periodSeconds"),
    "healthcheck.timeout": _probe("timeoutSeconds", "readinessProbe.timeoutSeconds"),
    "healthcheck.retries": _probe("failureThreshold", "readinessProbe.failureThreshold"),
    "healthcheck.start_period": translated(
        "startupProbe without a limit of failures", container("startupProbe"), assess=assess_first
    ),
    "healthcheck.start_interval": translated(
        "periodSeconds of the startupProbe", container("startupProbe.periodSeconds"), assess=assess_first
    ),
}
