"""Numbers that Kubernetes holds within limits: each is checked before it is written, also behind a variable.

A number that reads a variable is checked twice: for what the variable is worth now, and for what its default makes of
it, for that is what the chart holds. The readers take the same texts as the chart's helpers `int`, `cpus` and `bytes`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from tycho.chart.services import services_by_path
from tycho.chart.workload_kind import extension_mapping, tycho_extension
from tycho.errors import Problem
from tycho.model import ComposeVolume, Expr, Json, Live, Port, Project, Service, template
from tycho.model.expression import Invalid, evaluate
from tycho.model.numbers import LARGEST, is_digits, parse_size, parse_whole, shorten

INT32 = 2**31 - 1
PROCESSORS = 1_000_000
LIMITS = "write a number within these limits"
GRACE = 600  # seconds that a rollout may take beyond `delay`
_CPUS = re.compile(r"([0-9]+)(?:\.([0-9]*))?(m?)|\.([0-9]+)", re.ASCII)
_TMPFS_SIZE = re.compile(r"(?:^|,)size=([^,]*)")

Check = Callable[[str], str]


class Amount(NamedTuple):
    """A number of the file: where it stands, what it is, and what reads it."""

    path: str
    value: Json
    check: Check
    hint: str = LIMITS


def find_invalid_numbers(system: Project) -> Iterator[Problem]:
    """Find every number that no cluster takes.

    Args:
        system: The system after the policies.

    Yields:
        A problem with the number's place and its limits.
    """
    env = {name: variable.value for name, variable in system.variables.items() if variable.value is not None}
    for path, service in services_by_path(system).items():
        yield from _check(system, path, _list_amounts(service), env)
    for name, volume in system.volumes.items():
        yield from _check(system, f"volumes.{name}", _list_volume_amounts(volume), env)


def _check(system: Project, path: str, amounts: Iterator[Amount], env: Mapping[str, str]) -> Iterator[Problem]:
    for amount in amounts:
        for message in dict.fromkeys(_messages(amount, env)):
            yield system.make_problem(f"{path}.{amount.path}", message, amount.hint)


def _messages(amount: Amount, env: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with a number now, and with its default; nothing where there is none."""
    value = amount.value
    if value is None:
        return
    if not isinstance(value, Live):
        if message := amount.check(_write(value)):
            yield message
        return
    texts = []
    for known in (env, {}):
        with suppress(Invalid):  # a variable is demanded
            texts.append(evaluate(template(value), known))  # type: ignore[arg-type]
    for prefix, text in zip(("", "without variables: "), dict.fromkeys(texts), strict=False):
        if message := amount.check(text):
            yield prefix + message


def _write(value: Json) -> str:
    """Write a number without an exponent."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{Decimal(repr(float(value))):f}".removesuffix(".0")
    return str(value)


def within(least: int, most: int) -> Check:
    """Make the check of a whole number; an empty text is none, and fine."""

    def check(text: str) -> str:
        text = text.strip()
        if not text:
            return ""
        try:
            number = parse_whole(text)
        except ValueError as error:
            too_long = is_digits(text.removeprefix("-"))
            return f"{shorten(text)} is not between {least} and {most}" if too_long else str(error)
        return "" if least <= number <= most else f"{number} is not between {least} and {most}"

    return check


def check_size(text: str, least: int = 0) -> str:
    """Check a size in Compose's units."""
    text = text.strip()
    if not text:
        return ""
    try:
        size = parse_size(text.removeprefix("-"))
    except ValueError as error:
        return str(error)
    if text.startswith("-") or not least <= size <= LARGEST:
        return f"{shorten(text)} is not between {least} and {LARGEST} bytes"
    return ""


def check_volume_size(text: str) -> str:
    """Check the size of a volume: a claim asks for one byte at least."""
    return check_size(text, 1)


def check_processors(text: str) -> str:
    """Check a number of processors: a thousandth is the least that Kubernetes counts."""
    text = text.strip()
    match = _CPUS.fullmatch(text.removeprefix("-"))
    if not match:
        return f'"{shorten(text)}" is not a number of processors' if text else ""
    number = Decimal(text.removesuffix("m")) / (1000 if match[3] else 1)
    if number == 0 or Decimal("0.001") <= number <= PROCESSORS:
        return ""
    return f"{shorten(text)} is not between 0.001 and {PROCESSORS} processors"


COUNT, PORT, ID = within(0, INT32), within(1, 65535), within(0, INT32)
MEMORY = 'write a size such as "512m", or 0 for no limit'
CORES = 'write a number such as "0.5", or 0 for no limit'
NUMBER = "a port is a number from 1 to 65535"


SCALARS: Mapping[str, tuple[Check, str]] = {
    **dict.fromkeys(
        ("cpus", "deploy.resources.limits.cpus", "deploy.resources.reservations.cpus"), (check_processors, CORES)
    ),
    **dict.fromkeys(
        ("mem_limit", "mem_reservation", "shm_size", "deploy.resources.limits.memory",
         "deploy.resources.reservations.memory"),
        (check_size, MEMORY),
    ),
    **dict.fromkeys(
        ("scale", "deploy.replicas", "deploy.placement.max_replicas_per_node", "deploy.update_config.parallelism",
         "deploy.restart_policy.max_attempts", "stop_grace_period"),
        (COUNT, LIMITS),
    ),
    "deploy.update_config.delay": (within(0, INT32 - GRACE), LIMITS),
}  # fmt: skip
"""Fields of a service, at their paths, that are numbers: what checks each, and the hint."""
DURATIONS = frozenset({"deploy.update_config.delay", "stop_grace_period"})
_read_scalars = attrgetter(*SCALARS)


def _list_amounts(service: Service) -> Iterator[Amount]:
    """List the numbers of a service that become fields of its objects."""
    for (path, (check, hint)), value in zip(SCALARS.items(), _read_scalars(service), strict=True):
        if value is not None:
            yield Amount(path, _seconds(value) if path in DURATIONS else value, check, hint)
    attempts = (service.restart or "").partition(":")[2]
    if attempts:
        yield Amount("restart", attempts, COUNT)
    if health := service.healthcheck:
        for key in ("interval", "timeout", "start_period", "start_interval"):
            yield Amount(f"healthcheck.{key}", _seconds(getattr(health, key)), COUNT)
        yield Amount("healthcheck.retries", health.retries, COUNT)
    yield from _list_ids(service)
    yield from _list_ports(service)
    yield from _list_mounts(service)
    yield from _list_devices("gpus", service.gpus)
    yield from _list_devices("deploy.resources.reservations.devices", service.deploy.resources.reservations.devices)


def _list_devices(path: str, devices: tuple[Json, ...]) -> Iterator[Amount]:
    for index, device in enumerate(devices):
        count = device.get("count") if isinstance(device, Mapping) else None
        if isinstance(count, int) and count != -1:
            yield Amount(f"{path}[{index}].count", count, COUNT)


def _list_ids(service: Service) -> Iterator[Amount]:
    """List users and groups; names are another matter."""
    for part in (service.user or "").split(":")[:2]:
        if is_digits(part):
            yield Amount("user", part, ID)
    for index, group in enumerate(service.group_add):
        if is_digits(group):
            yield Amount(f"group_add[{index}]", group, ID)
    for index, hook in enumerate(service.pre_start):
        for part in (hook.user or "").split(":")[:2]:
            if is_digits(part):
                yield Amount(f"pre_start[{index}].user", part, ID)


def _list_ports(service: Service) -> Iterator[Amount]:
    for index, port in enumerate(service.ports):
        yield Amount(f"ports[{index}].target", port.target, PORT, NUMBER)
        yield from _list_published(index, port)
    for index, text in enumerate(service.expose):
        for end in text.partition("/")[0].split("-", 1):
            yield Amount(f"expose[{index}]", end, PORT, NUMBER)
    ingress_port = extension_mapping(service, "ingress").get("port")
    yield Amount("x-tycho.ingress.port", ingress_port, PORT, NUMBER)


def _list_published(index: int, port: Port) -> Iterator[Amount]:
    """List the published side: a number, a range, or 0 for any."""
    value = port.published
    if isinstance(value, Expr):
        yield Amount(f"ports[{index}].published", value, PORT, NUMBER)
    elif value is not None:
        for end in value.split("-", 1):
            yield Amount(f"ports[{index}].published", end, within(0, 65535), NUMBER)


def _list_mounts(service: Service) -> Iterator[Amount]:
    for index, mount in enumerate(service.volumes):
        if mount.tmpfs:
            yield Amount(f"volumes[{index}].tmpfs.size", mount.tmpfs.get("size"), check_size, MEMORY)
    for index, text in enumerate(service.tmpfs):
        match = _TMPFS_SIZE.search(text.partition(":")[2])
        if match and "%" not in match[1]:
            yield Amount(f"tmpfs[{index}]", match[1], check_size, MEMORY)
    for key, grants in (("configs", service.configs), ("secrets", service.secrets)):
        for index, grant in enumerate(grants):
            if grant.mode is not None and not 0 <= grant.mode <= 0o7777:
                yield Amount(f"{key}[{index}].mode", grant.mode, _refuse_mode, "write four octal digits, such as 0440")


def _refuse_mode(text: str) -> str:
    return f"{shorten(text)} is not a file mode between 0000 and 7777"


def _list_volume_amounts(volume: ComposeVolume) -> Iterator[Amount]:
    if volume.external or volume.driver_opts.get("type", "").startswith("nfs"):
        return
    if (size := tycho_extension(volume).get("size")) is not None:
        yield Amount("x-tycho.size", size, check_volume_size, 'write a size such as "10g"')
    elif "size" in volume.driver_opts:
        yield Amount("driver_opts.size", volume.driver_opts["size"], check_volume_size, 'write a size such as "10g"')


def _seconds(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(max(0.0, seconds))
