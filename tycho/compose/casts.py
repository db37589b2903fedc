"""Text that stands where a number or a boolean is wanted, read as one right after interpolation.

Source: compose-go's table of casts; what is not in it stays text, and the schema speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose.go_scalars import decimal, integer
from tycho.compose.yaml_nodes import Node
from tycho.errors import Problem
from tycho.model import Expr, ExprFloat, ExprInt
from tycho.model.numbers import parse_whole, shorten

Cast = Callable[[str], int | float | bool]
YES, NO = ("true", "y", "yes", "on"), ("false", "n", "no", "off")


def _int(text: str) -> int:
    return parse_whole(text)


def _float(text: str) -> float:
    try:
        return decimal(text)
    except ValueError:
        raise ValueError(f'"{shorten(text)}" is not a number') from None


def _umask(text: str) -> int:
    try:
        return integer(text)
    except ValueError:
        raise ValueError(f'"{shorten(text)}" is not a mask') from None


def _bool(text: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError(f"invalid boolean: {shorten(text)}")
    return text.lower() in YES


def cast(node: Node, path: str, wanted: Cast, warn: Callable[[Problem], None]) -> Problem | None:
    """Read a node's text as what is wanted; the node changes, and keeps its template.

    Returns:
        What is wrong with the text, if it cannot be read so.
    """
    text: str = node.value
    try:
        value = wanted(text)
    except ValueError as error:
        said = f"error while interpolating {path}: failed to cast to expected type: {error}"
        return node.problem(path, said, "write true or false" if wanted is _bool else "write a number")
    if isinstance(value, bool):
        if text.lower() not in ("true", "false"):
            said = f'"{text}" for boolean is not supported by YAML 1.2, please use `{str(value).lower()}`'
            warn(node.problem(path, said))
        node.template = text.template if isinstance(text, Expr) else ""
        node.value = value
    elif isinstance(text, Expr):
        node.value = ExprFloat(value, text.template) if isinstance(value, float) else ExprInt(value, text.template)
    else:
        node.value = value
    return None


Table = Mapping[str, Any]  # keys to casts or further tables; "*" any key, "[]" any item
_CONTAINER: Table = {
    **dict.fromkeys(("cpu_count", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares",
                     "oom_score_adj", "pids_limit"), _int),
    **dict.fromkeys(("init", "oom_kill_disable", "privileged", "read_only"), _bool),
    "cpu_percent": _float,
    "cpus": _float,
    "networks": {"*": {"use_service_name_alias": _bool}},
    "ulimits": {"*": {"": _int, "hard": _int, "soft": _int}},
    "umask": _umask,
    "volumes": {"[]": {"read_only": _bool, "volume": {"nocopy": _bool}}},
}  # fmt: skip
_WORKLOAD: Table = {
    **_CONTAINER,
    "depends_on": {"*": {"required": _bool, "restart": _bool}},
    "healthcheck": {"retries": _int, "disable": _bool},
    "ports": {"[]": {"target": _int}},
    "stdin_open": _bool,
    "tty": _bool,
}
_ROLLOUT: Table = {"parallelism": _int, "max_failure_ratio": _float}
_SERVICE: Table = {
    **_WORKLOAD,
    "deploy": {
        "replicas": _int,
        "update_config": _ROLLOUT,
        "rollback_config": _ROLLOUT,
        "restart_policy": {"max_attempts": _int},
        "placement": {"max_replicas_per_node": _int},
    },
    "pre_start": {"[]": _CONTAINER},
    "scale": _int,
}
_EXTERNAL: Table = {"*": {"external": _bool}}
_NETWORK: Table = dict.fromkeys(("external", "internal", "attachable", "enable_ipv4", "enable_ipv6"), _bool)
CASTS: Table = {
    "services": {"*": _SERVICE},
    "jobs": {"*": _WORKLOAD},
    "networks": {"*": _NETWORK},
    **dict.fromkeys(("volumes", "secrets", "configs"), _EXTERNAL),
}
