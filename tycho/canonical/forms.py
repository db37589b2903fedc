"""How the parts of a service are shown in canonical form: what has no row is shown as it is.

Source: the JSON forms of compose-go's `types` package.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from tycho.model import Attachment, Deploy, RestartPolicy, Reworded, Rollout
from tycho.model.numbers import write_duration

MAPPING, LIST = (dict, Mapping), (list, tuple)  # what is asked of every value, fastest so
Tree = dict[str, Any]
Show = Callable[[Any], Any]


class ExpressionText(str):
    """Text in Compose's syntax, in the place of any value that reads a variable."""

    __slots__ = ()


def full(part: Mapping[str, Any]) -> Tree:
    """What is not empty."""
    return {key: value for key, value in part.items() if value or (value is False and key in ALWAYS)}


def single(value: float | ExpressionText) -> float | ExpressionText:
    """A number with no more digits than 32 bits hold, as Go shows one; an expression as it is."""
    if isinstance(value, ExpressionText):
        return value
    packed = struct.pack("f", value)
    for digits in range(1, 10):
        shown = float(f"{value:.{digits}g}")
        if struct.pack("f", shown) == packed:
            return int(shown) if shown.is_integer() else shown
    return value


def octal(value: int | None) -> str | None:
    """A file mode."""
    return None if value is None else f"0{value:o}"


def size(value: int | ExpressionText | None) -> str | None:
    """Bytes, as text; an expression as it is."""
    return value if isinstance(value, ExpressionText) else str(int(value)) if value else None


def limit(value: int | Mapping[str, int]) -> Any:
    """One of `ulimits`."""
    return full(value) if isinstance(value, Mapping) else value or {}


def grant(part: Any, default: str = "") -> Tree:
    """One of `configs` or `secrets`; a secret without a target has its default."""
    reference = part if isinstance(part, Mapping) else part.model_dump(exclude_none=True)
    fields = {**({"target": f"{default}/{reference['source']}"} if default else {}), **reference}
    return {**full({key: fields[key] for key in fields if key != "mode"}),
            **({"mode": octal(fields["mode"])} if "mode" in fields else {})}  # fmt: skip


def _rollout(part: Rollout) -> Tree:
    return {
        **_counted(part.parallelism, "parallelism"),
        **full({
            "delay": write_duration(part.delay) if part.delay else None,
            "failure_action": part.failure_action,
            "monitor": write_duration(part.monitor) if part.monitor else None,
            "max_failure_ratio": single(part.max_failure_ratio) if part.max_failure_ratio else None,
            "order": part.order,
        }),
    }  # fmt: skip


def _restart(part: RestartPolicy) -> Tree:
    times = {key: write_duration(value) for key in ("delay", "window") if (value := getattr(part, key)) is not None}
    return {**full({"condition": part.condition}), **_counted(part.max_attempts, "max_attempts"), **times}


def _counted(value: int | None, key: str) -> Tree:
    return {} if value is None else {key: value}


def _resource(part: Any) -> Tree:
    return full({
        "cpus": single(part.cpus) if part.cpus else None,
        "memory": size(part.memory),
        "pids": part.pids,
        "devices": [full(device) for device in part.devices],
        "generic_resources": [
            {"discrete_resource_spec": {"kind": "", "value": 0, **device["discrete_resource_spec"]}}
            for device in part.generic_resources
        ],
    })  # fmt: skip


def _deploy(part: Deploy) -> Tree:
    fields: Tree = {"resources": {}, "placement": full(part.placement.model_dump(exclude_unset=True))}
    for key in ("mode", "endpoint_mode", "labels"):
        fields |= full({key: getattr(part, key)})
    if part.replicas is not None:
        fields["replicas"] = part.replicas
    for key, show in (("update_config", _rollout), ("rollback_config", _rollout), ("restart_policy", _restart)):
        if key in part.model_fields_set:
            fields[key] = show(getattr(part, key))
    for key in ("limits", "reservations"):
        if key in part.resources.model_fields_set:
            fields["resources"][key] = _resource(getattr(part.resources, key))
    return fields


def _healthcheck(part: Any) -> Tree:
    fields = {key: getattr(part, key) for key in type(part).model_fields if key in part.model_fields_set}
    return {
        key: write_duration(value) if isinstance(value, float) else value
        for key, value in fields.items()
        if value or (value == 0 and key != "disable" and value is not False)
    }


def _attachment(part: Attachment) -> Tree | None:
    if not part.model_fields_set:
        return None
    fields = part.model_dump(exclude_unset=True, exclude={"x"})
    shown = full({key: int(value) if isinstance(value, float) else value for key, value in fields.items()})
    if part.use_service_name_alias is not None:
        shown["use_service_name_alias"] = part.use_service_name_alias
    return shown


def _blkio(part: Mapping[str, Any]) -> Tree:
    fields: Tree = {"weight": part.get("weight")}
    for key in sorted(part.keys() - {"weight"}):
        fields[key] = [
            {"Path": entry.get("path", ""), **({"Rate": str(entry.get("rate") or 0)} if key != "weight_device" else
                                            {"Weight": entry.get("weight", 0)})}
            for entry in part[key]
        ]  # fmt: skip
    return full(fields)


def hosts(part: Mapping[str, Any]) -> list[str]:
    """`extra_hosts`."""
    return sorted(f"{host}={address}" for host, addresses in part.items() for address in addresses)


def words(part: tuple[str, ...] | ExpressionText | None) -> list[str] | ExpressionText | None:
    """A command: the words that Compose itself would find; a line that has none yet as it is."""
    if isinstance(part, ExpressionText):
        return part
    if part and isinstance(part[0], Reworded):
        return list(part[0].words)
    return None if part is None else list(part)


def hook(part: Any) -> Tree:
    """`post_start[]`, `pre_stop[]`, and `exec` of a watch."""
    fields = part if isinstance(part, Mapping) else part.model_dump(exclude_unset=True)
    return {**full(fields), "command": list(fields.get("command") or ()) or None}


def _plain(*keys: str) -> Show:
    return lambda parts: [full({key: getattr(entry, key) for key in keys}) for entry in parts]


SERVICE: dict[str, Show] = {
    **dict.fromkeys(("mem_limit", "mem_reservation", "memswap_limit", "mem_swappiness", "shm_size"), size),
    **dict.fromkeys(("cpus", "cpu_percent"), lambda value: single(value) if value else None),
    **dict.fromkeys(("post_start", "pre_stop"), lambda parts: [hook(entry) for entry in parts]),
    "blkio_config": _blkio,
    "configs": lambda parts: [grant(entry) for entry in parts],
    "credential_spec": full,
    "devices": lambda parts: [full(entry) for entry in parts],
    "depends_on": lambda parts: {
        name: {**full({"condition": entry.condition, "restart": entry.restart}), "required": entry.required}
        for name, entry in parts.items()
    },
    "deploy": _deploy,
    "dns": lambda value: [entry for entry in value if entry],
    "extra_hosts": hosts,
    "gpus": lambda parts: [full(entry) for entry in parts],
    "healthcheck": _healthcheck,
    "logging": full,
    "networks": lambda parts: {name: _attachment(entry) for name, entry in parts.items()},
    "ports": _plain("name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"),
    "provider": full,
    "secrets": lambda parts: [grant(entry, "/run/secrets") for entry in parts],
    "stop_grace_period": lambda value: None if value is None else write_duration(value),
    "triggers": full,
    "ulimits": lambda parts: {name: limit(value) for name, value in parts.items()},
}
HIDDEN = frozenset({"env_file", "environment", "environment_pass", "environment_secret", "label_file", "x"})
ALWAYS = frozenset({
    "attach", "blkio_config", "build", "credential_spec", "deploy", "develop", "healthcheck", "init", "logging",
    "manual", "provider", "scale", "stop_grace_period", "triggers", "umask", "create_host_path",
})  # fmt: skip
