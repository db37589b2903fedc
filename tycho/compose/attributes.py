"""Which converter reads which key: one table for each section of a compose file.

A new key is one row here, and one field in the model. Source: the Compose Specification's schema.
"""

from __future__ import annotations

from typing import Any

from tycho.compose import mounts, short_syntax
from tycho.compose.context import Context, Unusable
from tycho.compose.converters import (
    Convert,
    anything,
    count,
    decided,
    flag,
    kept,
    listed,
    live,
    mapping,
    named,
    number,
    ratio,
    seconds,
    section,
    size,
    text,
    whole,
    words,
)
from tycho.compose.merge import DEPENDENCY
from tycho.compose.ports import ports
from tycho.compose.yaml_nodes import Node
from tycho.model import Expr, Live

LABELS = mapping(live, absent="")
ULIMITS = named(short_syntax.ulimit)
BYTES = decided(size)


def _text(*keys: str) -> dict[str, Convert]:
    return dict.fromkeys(keys, text)


def _list(*keys: str) -> dict[str, Convert]:
    return dict.fromkeys(keys, listed())


def _flags(*keys: str) -> dict[str, Convert]:
    return dict.fromkeys(keys, flag)


def _counts(*keys: str) -> dict[str, Convert]:
    return dict.fromkeys(keys, count)


GENERIC = section({"discrete_resource_spec": section({"kind": text, "value": count})})
LIMITS = section({
    "cpus": number, "memory": size, "pids": whole, "generic_resources": listed(GENERIC),
    "devices": listed(mounts.request),
})  # fmt: skip
ROLLOUT = section({
    "parallelism": count, "delay": seconds, "failure_action": text, "monitor": seconds, "max_failure_ratio": ratio,
    "order": text,
})  # fmt: skip
DEPLOY = section({
    "mode": text,
    "endpoint_mode": text,
    "replicas": whole,
    "labels": LABELS,
    "resources": section({"limits": LIMITS, "reservations": LIMITS}),
    "restart_policy": section({"condition": text, "delay": seconds, "max_attempts": count, "window": seconds}),
    "update_config": ROLLOUT,
    "rollback_config": ROLLOUT,
    "placement": section({
        "constraints": listed(), "preferences": listed(section({"spread": text})), "max_replicas_per_node": count,
    }),
})  # fmt: skip
HEALTHCHECK = section({
    "test": short_syntax.test, "disable": flag, "interval": seconds, "timeout": seconds, "start_period": seconds,
    "start_interval": seconds, "retries": count,
})  # fmt: skip
ATTACHMENT = section({
    **_text("interface_name", "ipv4_address", "ipv6_address", "mac_address"),
    **_list("aliases", "link_local_ips"),
    "driver_opts": short_syntax.options,
    "priority": count,
    "gw_priority": count,
    "use_service_name_alias": flag,
}, x=True)  # fmt: skip


def _attachment(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    # `{}` and nothing at all are two things to Compose's own canonical form
    return {} if node.value is None else ATTACHMENT(ctx, node, path) or {"aliases": ()}


BUILD = section({
    **_text("context", "dockerfile", "dockerfile_inline", "isolation", "network", "target"),
    **_list("entitlements", "cache_from", "cache_to", "no_cache_filter", "tags", "platforms"),
    **_flags("no_cache", "pull", "privileged"),
    "args": short_syntax.arguments,
    "provenance": short_syntax.attestation,
    "sbom": short_syntax.attestation,
    "ssh": short_syntax.keys,
    "labels": short_syntax.options,
    "additional_contexts": short_syntax.contexts,
    "extra_hosts": short_syntax.hosts,
    "secrets": mounts.grants,
    "shm_size": BYTES,
    "ulimits": ULIMITS,
})  # fmt: skip


def _build(ctx: Context, node: Node, path: str) -> dict[str, Any]:
    found = short_syntax.context(ctx, node, path) if isinstance(node.value, str) else BUILD(ctx, node, path)
    if "dockerfile_inline" not in found:
        found.setdefault("dockerfile", "Dockerfile")
    return {"context": ".", **found}


RATES = listed(section({"path": text, "rate": BYTES}))
BLKIO = section({
    "weight": count, "weight_device": listed(section({"path": text, "weight": count})),
    **dict.fromkeys(("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"), RATES),
})  # fmt: skip
WATCH = section({
    **_text("path", "action", "target"), **_list("include", "ignore"), "exec": short_syntax.hook, "initial_sync": flag,
})  # fmt: skip

CONTAINER: dict[str, Convert] = {
    **dict.fromkeys(("image", "working_dir", "domainname"), live),
    **_text(
        "cgroup", "cgroup_parent", "cpuset", "hostname", "ipc", "isolation", "mac_address",
        "network_mode", "pid", "platform", "pull_policy", "pull_refresh_after", "runtime", "stop_signal", "user",
        "userns_mode", "uts",
    ),
    **_flags("init", "oom_kill_disable", "privileged", "read_only", "use_api_socket"),
    **_list(
        "cap_add", "cap_drop", "device_cgroup_rules", "label_file",
        "security_opt", "tmpfs", "volumes_from",
    ),
    **_counts(
        "cpu_count", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "oom_score_adj",
        "umask",
    ),
    **dict.fromkeys(("mem_limit", "mem_reservation", "shm_size"), size),
    **dict.fromkeys(("mem_swappiness", "memswap_limit"), BYTES),
    **dict.fromkeys(("labels", "annotations", "sysctls"), LABELS),
    **dict.fromkeys(("configs", "secrets"), mounts.grants),
    **dict.fromkeys(("command", "entrypoint"), words),
    "blkio_config": BLKIO,
    "cpu_percent": ratio,
    "cpus": number,
    "credential_spec": section(_text("config", "file", "registry")),
    "devices": listed(mounts.device),
    **dict.fromkeys(("dns_opt", "dns_search"), listed(live)),
    "dns": lambda ctx, node, path: [one for one in listed(live)(ctx, node, path) if one or isinstance(one, Live)],
    "env_file": listed(mounts.env_file),
    "environment": mapping(live, trimmed=True),
    "extra_hosts": short_syntax.hosts,
    "gpus": mounts.gpus,
    "group_add": listed(short_syntax.unbroken),
    "logging": section({"driver": text, "options": short_syntax.options}),
    "models": named(short_syntax.model),
    "networks": named(_attachment),
    "pids_limit": whole,
    "stop_grace_period": seconds,
    "storage_opt": short_syntax.options,
    "ulimits": ULIMITS,
    "volumes": mounts.volumes,
}  # fmt: skip
WORKLOAD: dict[str, Convert] = {
    **CONTAINER,
    **_flags("stdin_open", "tty"),
    **_list("profiles"),
    "build": _build,
    "depends_on": named(section({"condition": text, "required": flag, "restart": flag}), DEPENDENCY),
    "expose": listed(short_syntax.unbroken),
    "healthcheck": HEALTHCHECK,
    "ports": ports,
}
SERVICE: dict[str, Convert] = {
    **WORKLOAD,
    **_text("container_name", "restart"),
    **_list("external_links", "links"),
    "attach": flag,
    "deploy": DEPLOY,
    "develop": section({"watch": listed(WATCH)}),
    "post_start": listed(short_syntax.hook),
    "pre_start": listed(section({**CONTAINER, "per_replica": flag, "written": listed()})),
    "pre_stop": listed(short_syntax.hook),
    "provider": section({"type": text, "options": short_syntax.many}),
    "scale": whole,
}
JOB: dict[str, Convert] = {
    **WORKLOAD,
    "triggers": section({"manual": flag, "schedule": listed(short_syntax.schedule)}),
}


SHARED: dict[str, Convert] = {
    "name": live, "external": short_syntax.external, "driver": kept, "driver_opts": mapping(live, absent=""),
    "labels": LABELS,
}  # fmt: skip
POOL = section({**_text("subnet", "gateway", "ip_range"), "aux_addresses": short_syntax.options})
NETWORK: dict[str, Convert] = {
    **SHARED,
    **_flags("internal", "attachable", "enable_ipv4", "enable_ipv6"),
    "ipam": section({"driver": text, "config": listed(POOL), "options": short_syntax.options}),
}
FILED: dict[str, Convert] = {
    **SHARED, "file": kept, "environment": kept, "template_driver": text,
    "driver_opts": mapping(short_syntax.unbroken, absent=""),
}  # fmt: skip


def _resource(table: dict[str, Convert]) -> Convert:
    bound = section(table, x=True)

    def convert(ctx: Context, node: Node, path: str) -> dict[str, Any]:
        found: dict[str, Any] = bound(ctx, node, path)
        legacy = external.get("name") if (external := node.get("external")) else None
        if legacy is not None:
            ctx.warnings.append(legacy.problem(path, "external.name is deprecated. Please set name and external: true"))
            name = live(ctx, legacy, f"{path}.external.name")
            if found.setdefault("name", name) != name:
                raise Unusable("name and external.name conflict; only use name", "external: true")
        return found

    return convert


SECTIONS: dict[str, Convert] = {
    "services": section(SERVICE, x=True),
    "jobs": section(JOB, x=True),
    "networks": _resource(NETWORK),
    "volumes": _resource(SHARED),
    "configs": _resource({**FILED, "content": live}),
    "secrets": _resource(FILED),
}
OBSOLETE = "the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"


def system(ctx: Context, tree: Node) -> dict[str, Any]:
    """All sections of a tree, as the fields of a system."""
    short_syntax.inherit(ctx, tree, CONTAINER)
    fields: dict[str, Any] = {"services": {}, "jobs": {}}
    for key, child in tree.map.items():
        ctx.lines[key] = (child.file, child.line)
        if key.startswith("x-"):
            fields.setdefault("x", {})[key] = anything(ctx, child, key)
        elif key == "name" and isinstance(child.value, Expr) and not ctx.sources.name:
            ctx.reads(child, key, child.value.template, live=False)
        elif key == "models":
            fields[key] = anything(ctx, child, key)
        elif key == "version":
            fields[key] = str(child.value)
            ctx.warnings.append(child.problem(key, OBSOLETE, "take it out"))
        elif key in SECTIONS:
            fields[key] = named(SECTIONS[key])(ctx, child, key)
    return fields
