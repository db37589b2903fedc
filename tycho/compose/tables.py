"""Which converter reads which key: one table for each section of a compose file.

A new key is one row here, and one field in the model. Source: the Compose Specification's schema.
"""

from __future__ import annotations

from tycho.compose import shapes
from tycho.compose.bind import (
    Context,
    Convert,
    anything,
    count,
    flag,
    live,
    mapping,
    number,
    ratio,
    seconds,
    section,
    size,
    strings,
    text,
    whole,
    words,
)
from tycho.compose.tree import Node

LABELS = mapping(live, absent="")


def listed(convert: Convert = anything) -> Convert:
    """A list whose items are converted one by one."""
    from tycho.compose.bind import each

    return lambda ctx, node, path: each(ctx, node, path, convert)


def _limits(ctx: Context, node: Node, path: str) -> object:
    table = {
        "cpus": number,
        "memory": size,
        "pids": whole,
        "generic_resources": listed(),
        "devices": listed(),
    }
    return section(table, x=False)(ctx, node, path)


ROLLOUT = section({
    "parallelism": count, "delay": seconds, "failure_action": text, "monitor": seconds, "max_failure_ratio": ratio,
    "order": text,
}, x=False)  # fmt: skip

DEPLOY = section({
    "mode": text,
    "endpoint_mode": text,
    "replicas": whole,
    "labels": LABELS,
    "resources": section({"limits": _limits, "reservations": _limits}, x=False),
    "restart_policy": section({"condition": text, "delay": seconds, "max_attempts": count, "window": seconds}, x=False),
    "update_config": ROLLOUT,
    "rollback_config": ROLLOUT,
    "placement": section(
        {"constraints": strings(), "preferences": listed(), "max_replicas_per_node": count}, x=False
    ),
}, x=False)  # fmt: skip

SERVICE: dict[str, Convert] = {
    **dict.fromkeys(("image", "working_dir"), live),
    **dict.fromkeys((
        "cgroup", "cgroup_parent", "container_name", "cpuset", "domainname", "hostname", "ipc", "isolation",
        "mac_address", "network_mode", "pid", "platform", "pull_policy", "pull_refresh_after", "restart", "runtime",
        "stop_signal", "user", "userns_mode", "uts",
    ), text),
    **dict.fromkeys((
        "attach", "init", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty", "use_api_socket",
    ), flag),
    **dict.fromkeys((
        "cap_add", "cap_drop", "device_cgroup_rules", "dns", "dns_opt", "dns_search", "expose", "external_links",
        "group_add", "label_file", "links", "profiles", "security_opt", "tmpfs", "volumes_from",
    ), strings()),
    **dict.fromkeys((
        "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime",
        "cpu_shares", "credential_spec", "develop", "logging", "mem_swappiness", "memswap_limit", "oom_score_adj",
        "provider", "storage_opt", "triggers", "ulimits", "umask",
    ), anything),
    **dict.fromkeys(("mem_limit", "mem_reservation", "shm_size"), size),
    **dict.fromkeys(("labels", "annotations"), LABELS),
    **dict.fromkeys(("post_start", "pre_stop", "pre_start"), listed(shapes.hook)),
    **dict.fromkeys(("configs", "secrets"), shapes.grants),
    **dict.fromkeys(("command", "entrypoint"), words),
    **dict.fromkeys(("scale", "pids_limit"), whole),
    "build": shapes.build,
    "cpus": number,
    "depends_on": shapes.dependencies,
    "deploy": DEPLOY,
    "devices": listed(),
    "env_file": shapes.env_files,
    "environment": mapping(live),
    "extra_hosts": shapes.hosts,
    "gpus": shapes.gpus,
    "healthcheck": shapes.healthcheck,
    "models": shapes.models,
    "networks": shapes.attachments,
    "ports": shapes.ports,
    "stop_grace_period": seconds,
    "sysctls": mapping(live, absent=""),
    "volumes": shapes.volumes,
}  # fmt: skip


def _external(ctx: Context, node: Node, path: str) -> bool:
    return True if isinstance(node.value, dict) else flag(ctx, node, path)


SHARED: dict[str, Convert] = {
    "name": live, "external": _external, "driver": text, "driver_opts": mapping(live, absent=""), "labels": LABELS,
}  # fmt: skip
NETWORK = {
    **SHARED,
    "internal": flag,
    "attachable": flag,
    "enable_ipv4": flag,
    "enable_ipv6": flag,
    "ipam": anything,
}
FILED = {**SHARED, "file": text, "environment": text, "template_driver": text}

SECTIONS: dict[str, dict[str, Convert]] = {
    "services": SERVICE,
    "jobs": SERVICE,
    "networks": NETWORK,
    "volumes": SHARED,
    "configs": {**FILED, "content": live},
    "secrets": FILED,
}
