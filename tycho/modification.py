"""What of a running system can be changed without its compose file: labels, resources, replicas, images, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct, field

from tycho.chart.reserved import is_allowed
from tycho.comparison.differences import Difference
from tycho.errors import Problem, UsageError
from tycho.model import template
from tycho.release import Release
from tycho.stored import StoredRelease

CPU = re.compile(r"[0-9]{1,9}m|[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)
SIZE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?(k|Ki|[MGTP]i?)?", re.ASCII)
LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
PREFIX = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
VARIABLE = re.compile(r"[^=\x00-\x1f\x7f]{1,1024}")
OURS = ("executor", "tycho-guid", "username")  # labels by which a system and its owner are known
GPU = "nvidia.com/gpu"
POWERS = {"m": Fraction(1, 1000), "k": Fraction(1000)} | {
    f"{unit}{binary}": Fraction((1024 if binary else 1000) ** power)
    for power, unit in enumerate("KMGTP", 1)
    for binary in ("", "i")
}
MOST_REPLICAS = 1000


class ServiceChange(Struct, frozen=True):
    """What is changed of a service; None, "" and an empty mapping leave it as it is.

    Args:
        replicas: How many pods.
        cpu: The most that each container may use, in Kubernetes' words: `500m`, `2`.
        memory: The same in bytes: `256Mi`, `4Gi`.
        gpu: How many devices; 0 takes them away.
        ephemeral_storage: The same on the node's disk.
        image: Of which image.
        env: Variables; None takes one away.
    """

    replicas: int | None = None
    cpu: str = ""
    memory: str = ""
    gpu: int | None = None
    ephemeral_storage: str = ""
    image: str = ""
    env: Mapping[str, str | None] = field(default_factory=dict)


class Modification(Struct, frozen=True):
    """What is changed of a system.

    Args:
        labels: Of all pods; None takes one away.
        common: Of each service.
        services: Of single services, by name; goes before `common`.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    common: ServiceChange = ServiceChange()
    services: Mapping[str, ServiceChange] = field(default_factory=dict)


class Modified(Struct, frozen=True):
    """What became of a `modify`: the system, and what of its values differs."""

    release: Release
    differences: tuple[Difference, ...]


def modify_values(stored: StoredRelease, modification: Modification) -> dict[str, Any]:
    """Return the values of a release with a change made to them.

    Args:
        stored: The release as it is.
        modification: What to change.

    Raises:
        UsageError: With every problem of it.
    """
    known: dict[str, Any] = stored.defaults.get("services") or {}
    problems = list(_check(modification, stored, known))
    if problems:
        raise UsageError(f"{len(problems)} problem{'s' * (len(problems) > 1)} with the change", problems=problems)
    values = dict(stored.values)
    if modification.labels:
        values = _overlay(values, {"defaults": {"podLabels": dict(modification.labels)}})
    merged = stored.merged
    holding_gpu = [name for name in known if _gpu_key(merged, name)]
    for name, defaults in known.items():
        own = modification.services.get(name, ServiceChange())
        has_gpu = not holding_gpu or name in holding_gpu  # devices are for those that use some
        change = _combine(modification.common, own, replicas="replicas" in defaults, gpu=has_gpu)
        fields = _service_fields(change, name, stored, merged)
        labels = (merged["services"][name].get("podLabels") or {}).keys() & modification.labels.keys()
        if labels:  # a service's own label would go before the one of all
            fields["podLabels"] = {key: modification.labels[key] for key in labels}
        if fields:
            values = _overlay(values, {"services": {name: fields}})
    return _prune(values, stored.defaults)


def _combine(shared: ServiceChange, own: ServiceChange, *, replicas: bool, gpu: bool) -> ServiceChange:
    """Return what is changed of a service: its own, and of what is said of all what fits it."""
    chosen: dict[str, Any] = {}
    for name in ServiceChange.__struct_fields__:
        fits = {"replicas": replicas, "gpu": gpu}.get(name, True)
        value = getattr(own, name)
        chosen[name] = getattr(shared, name) if value in (None, "", {}) and fits else value
    return ServiceChange(**chosen)


def _service_fields(
    change: ServiceChange, name: str, stored: StoredRelease, merged: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a change as the values of a service have it."""
    from tycho.chart.translate.image import split_image

    result: dict[str, Any] = {}
    if change.replicas is not None:
        result["replicas"] = change.replicas
    limits = {"cpu": change.cpu, "memory": change.memory, "ephemeral-storage": change.ephemeral_storage}
    new_limits: dict[str, Any] = {key: value for key, value in limits.items() if value}
    if change.gpu is not None:
        new_limits[_gpu_key(merged, name) or GPU] = change.gpu or None
    if new_limits:
        requests = (merged["services"][name].get("resources") or {}).get("requests") or {}
        above = {
            key: limit
            for key, limit in new_limits.items()
            if key in requests and (limit is None or quantity(str(requests[key])) > quantity(str(limit)))
        }
        result["resources"] = {"limits": new_limits} | ({"requests": above} if above else {})
    if change.image:
        image = split_image(change.image)
        result["image"] = {"repository": image.repository, "tag": image.tag, "digest": image.digest or None}
        result["image"]["builtAs"] = None  # it is another one than what was built
    for variable, value in change.env.items():
        place, text = _variable_place(stored, name, variable, value)
        result.setdefault(place, {})[variable] = text
    return result


def _variable_place(stored: StoredRelease, name: str, variable: str, value: str | None) -> tuple[str, str | None]:
    """Return where in a service's values a variable stands, and how it is written there."""
    own = (stored.values.get("services") or {}).get(name) or {}
    if variable in (own.get("secretEnv") or {}):
        return "secretEnv", value if value is None else template(value)
    default = (stored.defaults["services"][name].get("env") or {}).get(variable)
    interpolated = isinstance(default, str) and "${" in default
    return "env", template(value) if interpolated and value is not None else value


def _gpu_key(merged: Mapping[str, Any], name: str) -> str:
    limits = (merged["services"][name].get("resources") or {}).get("limits") or {}
    return next((key for key in limits if key.endswith("/gpu")), "")


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values, and keep null: it takes away what the chart says."""
    return {**below} | {
        key: _overlay(below[key], value)
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        else value
        for key, value in above.items()
    }


def _prune(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out every null that takes nothing away, for the chart has no such key."""
    return {
        key: _prune(value, below if isinstance(below := defaults.get(key), Mapping) else {})
        if isinstance(value, Mapping)
        else value
        for key, value in values.items()
        if value is not None or key in defaults
    }


def quantity(text: str) -> Fraction:
    """Return what a quantity of Kubernetes is worth.

    Example:
        >>> quantity("1500m"), quantity("1Ki")
        (Fraction(3, 2), Fraction(1024, 1))
    """
    number = text.rstrip("mkKMGTPi")
    return Fraction(number) * POWERS.get(text[len(number) :], Fraction(1))


def _check(modification: Modification, stored: StoredRelease, known: Mapping[str, Any]) -> Iterator[Problem]:
    if modification == Modification(services=dict.fromkeys(modification.services, ServiceChange())):
        yield _problem("", "no change is given", "say labels, cpu, memory, gpu, replicas or services")
    for key, value in modification.labels.items():
        yield from _check_label(key, value)
    yield from _check_change("", modification.common)
    if modification.common.replicas is not None and not any("replicas" in service for service in known.values()):
        yield _problem("replicas", "no service has replicas", "jobs and daemons have none")
    for name, change in modification.services.items():
        if name not in known:
            yield _problem(f"services.{name}", "no such service", f"it has: {', '.join(known)}")
            continue
        yield from _check_change(f"services.{name}.", change)
        if change.replicas is not None and "replicas" not in known[name]:
            yield _problem(f"services.{name}.replicas", "it has none", "a job, a daemon or a part of a pod has none")
        for variable in change.env:
            yield from _check_variable(stored, name, variable)
    for name in known:
        replicas = modification.services.get(name, modification.common).replicas
        if (replicas or 0) > 1 and "type: Recreate" in stored.files.get(f"templates/{name}-deployment.yaml", ""):
            hint = "x-tycho: {kind: StatefulSet} gives each pod a volume of its own"
            yield _problem(f"services.{name}.replicas", "its volume can be held by one pod alone", hint)


def _check_label(key: str, value: str | None) -> Iterator[Problem]:
    domain, slash, base = key.rpartition("/")
    fits = LABEL.fullmatch(base) and base and (not slash or PREFIX.fullmatch(domain))
    if not fits:
        yield _problem(f"labels.{key[:80]}", "this is no name of a label", "[domain/]name of letters, digits, - _ .")
    elif key in OURS or not is_allowed(key, value or "", ()):
        yield _problem(f"labels.{key}", "this label is not a caller's to set", "choose another name")
    if value is not None and not LABEL.fullmatch(value):
        yield _problem(f"labels.{key[:80]}", "this is no value of a label", "up to 63 letters, digits, - _ .")


def _check_change(path: str, change: ServiceChange) -> Iterator[Problem]:
    for name, pattern, hint in (
        ("cpu", CPU, "for example 500m, or 2"),
        ("memory", SIZE, "for example 256Mi, or 4Gi"),
        ("ephemeral_storage", SIZE, "for example 2Gi"),
    ):
        text = getattr(change, name)
        if text and not (pattern.fullmatch(text) and quantity(text) > 0):
            shown = "ephemeralStorage" if name == "ephemeral_storage" else name
            yield _problem(f"{path}{shown}", f'"{text[:40]}" is no quantity', hint)
    for name, most in (("replicas", MOST_REPLICAS), ("gpu", MOST_REPLICAS)):
        number = getattr(change, name)
        if number is not None and not 0 <= number <= most:
            yield _problem(f"{path}{name}", f"it is from 0 to {most}", "")
    from tycho.chart.translate.image import is_image

    if change.image and not is_image(change.image):
        yield _problem(f"{path}image", "this is no image", "for example nginx:1.27")
    for variable in change.env:
        if not VARIABLE.fullmatch(variable):
            yield _problem(f"{path}env", "this is no name of a variable", "")


def _check_variable(stored: StoredRelease, name: str, variable: str) -> Iterator[Problem]:
    """Find a variable that the chart takes from the whole system's: what a service says has no effect on it."""
    text = stored.files.get(f"templates/{name}-deployment.yaml", "")
    own = stored.defaults["services"][name].get("env") or {}
    secret = ((stored.values.get("services") or {}).get(name) or {}).get("secretEnv") or {}
    if variable not in own and variable not in secret and f"key: {variable}}}" in text:
        hint = "start it again with another `env`"
        yield _problem(f"services.{name}.env.{variable}", "it comes from the environment of the start", hint)


def _problem(path: str, message: str, hint: str) -> Problem:
    return Problem("", 0, path, message, hint)
