"""The attribute table: every attribute of a compose file, a row each, with what the loader does to its values.

A new attribute is a row here and a field in the model. Loading, merging, unicity, relative paths and
`config --no-interpolate` read this table, and no other. Source: the Compose Specification's schema; compose-go's
tables of casts, merge rules, unicity, transformations and paths.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tycho.compose import merge, mounts, paths, ports, short_syntax, unicity
from tycho.compose.attribute import Attribute
from tycho.compose.attribute_rows import (
    BOOLEAN,
    BYTES,
    COMMAND,
    CORES,
    COUNT,
    DNS,
    DURATION,
    FILE,
    FLAG,
    FLOAT,
    HOSTS,
    INTEGER,
    LABELS,
    LIVE_BYTES,
    LIVE_INTEGER,
    LIVE_TEXT,
    MODE,
    NAMES,
    OPTIONS,
    PLAIN_COUNT,
    TEXT,
    TEXTS,
    VARIABLES,
    Keys,
    conversion,
    entries,
    mapping,
    named,
    row,
    same,
)
from tycho.compose.casts import cast_boolean, cast_integer, cast_umask
from tycho.compose.converters import (
    command,
    fixed_int,
    floating,
    list_of,
    pairs_of,
    source_string,
    string,
    templated_str,
)

ULIMITS = named(
    mapping({"soft": INTEGER, "hard": INTEGER}, short_syntax.ulimit, cast=cast_integer, merge=merge.merge_limits)
)
REFERENCE_KEYS: Keys = {**same(TEXT, "source", "target", "uid", "gid"), "mode": MODE}
REFERENCE = mapping(REFERENCE_KEYS, mounts.convert_reference, long_form=mounts.long_entry(mounts.parse_reference))
REQUEST = mapping(
    {"capabilities": TEXTS, "driver": TEXT, "device_ids": TEXTS, "options": OPTIONS,
     "count": row(short_syntax.device_count)},
    mounts.convert_request, long_form=mounts.long_request,
)  # fmt: skip
LIMITS = mapping({
    "cpus": row(floating), "memory": LIVE_BYTES, "pids": PLAIN_COUNT,
    "generic_resources": entries(mapping({"discrete_resource_spec": mapping({"kind": TEXT, "value": COUNT})})),
    "devices": entries(replace(REQUEST, long_form=None)),
})  # fmt: skip
RESERVATIONS = replace(LIMITS, keys={**LIMITS.keys, "devices": entries(REQUEST)})
UPDATE = mapping({
    "parallelism": INTEGER, "delay": DURATION, "failure_action": TEXT, "monitor": DURATION,
    "max_failure_ratio": FLOAT, "order": TEXT,
})  # fmt: skip
DEPLOY = mapping({
    "mode": TEXT,
    "endpoint_mode": TEXT,
    "replicas": LIVE_INTEGER,
    "labels": LABELS,
    "resources": mapping({"limits": LIMITS, "reservations": RESERVATIONS}),
    "restart_policy": mapping({"condition": TEXT, "delay": DURATION, "max_attempts": INTEGER, "window": DURATION}),
    "update_config": UPDATE,
    "rollback_config": UPDATE,
    "placement": mapping({
        "constraints": TEXTS, "preferences": entries(mapping({"spread": TEXT})), "max_replicas_per_node": INTEGER,
    }),
})  # fmt: skip
HEALTHCHECK = mapping({
    "test": row(short_syntax.healthcheck_test, merge=merge.replace),
    "disable": BOOLEAN,
    **same(DURATION, "interval", "timeout", "start_period", "start_interval"),
    "retries": INTEGER,
})  # fmt: skip
NETWORK_OF_SERVICE = mapping({
    **same(TEXT, "interface_name", "ipv4_address", "ipv6_address", "mac_address"),
    **same(NAMES, "aliases", "link_local_ips"),
    "driver_opts": OPTIONS,
    **same(COUNT, "priority", "gw_priority"),
    "use_service_name_alias": BOOLEAN,
}, short_syntax.service_network, x=True)  # fmt: skip
ATTESTATION = row(short_syntax.attestation, long_form=short_syntax.long_attestation)
BUILD = mapping({
    "context": row(string, paths=paths.build_context),
    **same(TEXT, "dockerfile", "dockerfile_inline", "isolation", "network", "target"),
    **same(TEXTS, "entitlements", "cache_from", "cache_to", "no_cache_filter", "platforms"),
    "tags": NAMES,
    **same(FLAG, "no_cache", "pull", "privileged"),
    "args": replace(VARIABLES, convert=short_syntax.build_arguments, long_form=short_syntax.set_arguments),
    **same(ATTESTATION, "provenance", "sbom"),
    "ssh": row(short_syntax.ssh_keys, paths=paths.named_contexts, long_form=short_syntax.long_pairs(None)),
    "labels": replace(LABELS, convert=short_syntax.string_options),
    "additional_contexts": replace(
        LABELS, convert=short_syntax.additional_contexts, paths=paths.named_contexts,
        long_form=short_syntax.long_pairs(""),
    ),
    "extra_hosts": HOSTS,
    "secrets": entries(REFERENCE),
    "shm_size": BYTES,
    "ulimits": replace(ULIMITS, keys={}),
}, short_syntax.build, merge=merge.merge_builds, paths=paths.build_context,
    long_form=short_syntax.long_build)  # fmt: skip
RATES = entries(mapping({"path": TEXT, "rate": BYTES}))
BLKIO = mapping({
    "weight": COUNT,
    "weight_device": entries(mapping({"path": TEXT, "weight": COUNT})),
    **same(RATES, "device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"),
})  # fmt: skip
HOOK_KEYS: Keys = {
    "command": row(command), "user": TEXT, "privileged": FLAG, "working_dir": LIVE_TEXT,
    "environment": row(pairs_of(templated_str)),
}  # fmt: skip
HOOK = mapping(HOOK_KEYS, short_syntax.lifecycle_hook)
WATCH = mapping({
    "path": row(string, paths=paths.path_itself),
    **same(TEXT, "action", "target"),
    **same(row(list_of(), long_form=short_syntax.long_list), "include", "ignore"),
    "exec": HOOK,
    "initial_sync": FLAG,
})  # fmt: skip
MOUNT = mapping({
    **same(TEXT, "type", "source", "target", "consistency"),
    "read_only": BOOLEAN,
    "bind": mapping({**same(TEXT, "propagation", "recursive", "selinux"), "create_host_path": FLAG}),
    "volume": mapping({"labels": OPTIONS, "nocopy": BOOLEAN, "subpath": TEXT}),
    "tmpfs": mapping({"size": BYTES, "mode": MODE}),
    "image": mapping({"subpath": TEXT}),
}, mounts.convert_mount, paths=paths.source_of_mount, long_form=mounts.long_mount)  # fmt: skip
PORT = mapping({
    **same(TEXT, "name", "mode", "host_ip", "protocol"), "target": INTEGER,
    **same(LIVE_TEXT, "published", "app_protocol"),
})  # fmt: skip
DEVICE = mapping(
    same(TEXT, "source", "target", "permissions"),
    mounts.convert_device,
    long_form=mounts.long_entry(mounts.parse_device),
)
ENV_FILE = mapping(
    {"path": row(source_string), "required": FLAG, "format": TEXT}, mounts.convert_env_file,
    paths=paths.path_or_key("path"), long_form=mounts.long_env_file,
)  # fmt: skip

CONTAINER: Keys = {
    **same(LIVE_TEXT, "image", "working_dir", "domainname"),
    **same(
        TEXT, "cgroup", "cgroup_parent", "cpuset", "hostname", "ipc", "isolation", "mac_address", "network_mode", "pid",
        "platform", "pull_refresh_after", "runtime", "stop_signal", "user", "userns_mode", "uts",
    ),
    "pull_policy": row(string, long_form=short_syntax.long_pull_policy),
    **same(BOOLEAN, "init", "oom_kill_disable", "privileged", "read_only"),
    "use_api_socket": FLAG,
    **same(TEXTS, "device_cgroup_rules", "security_opt", "volumes_from"),
    **same(NAMES, "cap_add", "cap_drop"),
    "tmpfs": replace(NAMES, merge=merge.merge_as_lists),
    "label_file": row(
        list_of(), merge=merge.merge_as_lists, long_form=short_syntax.long_list, paths=paths.path_itself,
        entries=row(string, paths=paths.path_itself),
    ),
    **same(
        INTEGER, "cpu_count", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares",
        "oom_score_adj",
    ),
    "umask": row(fixed_int, cast_umask),
    **same(LIVE_BYTES, "mem_limit", "mem_reservation", "shm_size"),
    **same(BYTES, "mem_swappiness", "memswap_limit"),
    **same(LABELS, "labels", "annotations", "sysctls"),
    "configs": entries(REFERENCE, merge=merge.append_short_syntax, unicity=unicity.reference_target("")),
    "secrets": entries(
        replace(REFERENCE, long_form=mounts.long_secret), merge=merge.append_short_syntax,
        unicity=unicity.reference_target("/run/secrets"),
    ),
    **same(COMMAND, "command", "entrypoint"),
    "blkio_config": BLKIO,
    "cpu_percent": FLOAT,
    "cpus": CORES,
    "credential_spec": mapping(same(TEXT, "config", "file", "registry")),
    "devices": entries(DEVICE, merge=merge.append_short_syntax, unicity=unicity.device_target),
    **same(DNS, "dns_opt", "dns_search"),
    "dns": replace(DNS, convert=short_syntax.name_servers, long_form=short_syntax.set_entries),
    "env_file": entries(
        ENV_FILE, merge=merge.merge_as_lists, unicity=unicity.env_file_path, long_form=short_syntax.long_list,
        paths=paths.path_itself,
    ),
    "environment": VARIABLES,
    "extra_hosts": HOSTS,
    "gpus": row(mounts.convert_gpus(conversion(REQUEST)), long_form=mounts.long_gpus, entries=REQUEST),
    "group_add": row(list_of(short_syntax.integer_or_string)),
    "logging": mapping({"driver": TEXT, "options": OPTIONS}, merge=merge.merge_same_driver),
    "models": named(
        mapping(same(TEXT, "endpoint_var", "model_var"), short_syntax.service_model), merge=merge.merge_names(),
        long_form=short_syntax.long_names(),
    ),
    "networks": named(NETWORK_OF_SERVICE, merge=merge.merge_names(), long_form=short_syntax.long_names()),
    "pids_limit": LIVE_INTEGER,
    "stop_grace_period": DURATION,
    "storage_opt": OPTIONS,
    "ulimits": ULIMITS,
    "volumes": row(
        mounts.convert_volumes(conversion(MOUNT)), merge=merge.append_short_syntax, unicity=unicity.volume_target,
        entries=MOUNT,
    ),
}  # fmt: skip
WORKLOAD: Keys = {
    **CONTAINER,
    **same(BOOLEAN, "stdin_open", "tty"),
    "profiles": NAMES,
    "build": BUILD,
    "depends_on": named(
        mapping({"condition": TEXT, "required": BOOLEAN, "restart": BOOLEAN}), merge.DEPENDENCY,
        merge=merge.merge_names(merge.DEPENDENCY), long_form=short_syntax.long_dependencies,
    ),
    "expose": row(list_of(short_syntax.integer_or_string), unicity=unicity.scalar_text),
    "healthcheck": HEALTHCHECK,
    "ports": row(
        ports.convert_ports(conversion(PORT)), merge=merge.append_short_syntax, unicity=unicity.port_key,
        long_form=ports.long_ports(conversion(PORT)), entries=PORT,
    ),
    "extends": row(keys={"file": FILE}),
}  # fmt: skip
SERVICE = mapping({
    **WORKLOAD,
    **same(TEXT, "container_name", "restart"),
    **same(TEXTS, "external_links", "links"),
    "attach": FLAG,
    "deploy": DEPLOY,
    "develop": mapping({"watch": entries(WATCH)}),
    **same(entries(HOOK), "post_start", "pre_stop"),
    "pre_start": entries(mapping({**CONTAINER, "per_replica": FLAG, "written": TEXTS})),
    "provider": mapping({"type": TEXT, "options": row(short_syntax.provider_options)}),
    "scale": LIVE_INTEGER,
}, x=True)  # fmt: skip
JOB = mapping({
    **WORKLOAD,
    "triggers": mapping({"manual": FLAG, "schedule": row(list_of(short_syntax.schedule))}),
}, x=True)  # fmt: skip

SHARED: Keys = {
    "name": LIVE_TEXT,
    "external": row(short_syntax.external, cast_boolean),
    "driver": row(source_string),
    "driver_opts": row(pairs_of(templated_str, absent="")),
    "labels": LABELS,
}
POOL = mapping({**same(TEXT, "subnet", "gateway", "ip_range"), "aux_addresses": OPTIONS})
NETWORK: Keys = {
    **SHARED,
    **same(BOOLEAN, "internal", "attachable", "enable_ipv4", "enable_ipv6"),
    "ipam": mapping({
        "driver": TEXT, "config": replace(entries(POOL), merge=merge.merge_subnets), "options": OPTIONS,
    }),
}  # fmt: skip
FILED: Keys = {
    **SHARED,
    "file": FILE,
    "environment": row(source_string),
    "template_driver": TEXT,
    "driver_opts": row(pairs_of(short_syntax.integer_or_string, absent="")),
}


def _elements(keys: Keys, **columns: Any) -> Attribute:
    return named(mapping(keys, short_syntax.top_level_element, x=True, **columns))


PROJECT = row(keys={
    "services": named(SERVICE),
    "jobs": named(JOB),
    "networks": _elements(NETWORK),
    "volumes": _elements(SHARED, paths=paths.device_of_volume),
    "configs": _elements({**FILED, "content": LIVE_TEXT}),
    "secrets": _elements(FILED),
})  # fmt: skip
"""The whole table, from the root of a compose file."""
