"""A service: one frozen type with every key that Compose gives it."""

from __future__ import annotations

from collections.abc import Mapping

from tycho.model.interpolated import Bytes, Float, Int, Json, Seconds, Text, Words
from tycho.model.node import Node
from tycho.model.parts import Attachment, Dependency, Deploy, EnvFile, FileRef, Healthcheck, Hook, Mount, Port


class Service(Node, hidden=["environment"]):
    """`services.X` (and, with `triggers`, `jobs.X`): see the Compose Specification for each key."""

    # what runs
    image: Text | None = None
    build: Mapping[str, Json] | None = None
    provider: Mapping[str, Json] | None = None
    pull_policy: str | None = None
    pull_refresh_after: str | None = None
    platform: str | None = None
    runtime: str | None = None
    entrypoint: Words | None = None
    command: Words | None = None
    working_dir: Text | None = None
    user: str | None = None
    group_add: tuple[str, ...] = ()
    environment: Mapping[str, Text | None] = {}
    environment_pass: tuple[str, ...] = ()  # entries written without a value: the caller's, or absent (None above)
    environment_secret: tuple[str, ...] = ()  # entries that the release alone holds: known when a chart is made
    env_file: tuple[EnvFile, ...] = ()
    label_file: tuple[str, ...] = ()
    labels: Mapping[str, Text] = {}
    annotations: Mapping[str, Text] = {}
    init: bool | None = None
    tty: bool = False
    stdin_open: bool = False
    attach: bool | None = None
    profiles: tuple[str, ...] = ()
    # how it lives
    restart: str | None = None
    scale: Int | None = None
    deploy: Deploy = Deploy()
    healthcheck: Healthcheck | None = None
    depends_on: Mapping[str, Dependency] = {}
    post_start: tuple[Hook, ...] = ()
    pre_start: tuple[Hook, ...] = ()
    pre_stop: tuple[Hook, ...] = ()
    stop_grace_period: Seconds | None = None
    stop_signal: str | None = None
    triggers: Mapping[str, Json] | None = None  # of a top-level job
    develop: Mapping[str, Json] | None = None
    # whom it talks to
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    networks: Mapping[str, Attachment] = {}
    network_mode: str | None = None
    hostname: str | None = None
    domainname: Text | None = None
    container_name: str | None = None
    links: tuple[str, ...] = ()
    external_links: tuple[str, ...] = ()
    dns: Words = ()
    dns_opt: Words = ()
    dns_search: Words = ()
    extra_hosts: Mapping[str, tuple[str, ...]] = {}
    mac_address: str | None = None
    models: Mapping[str, Json] = {}
    # what it sees
    volumes: tuple[Mount, ...] = ()
    volumes_from: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    configs: tuple[FileRef, ...] = ()
    secrets: tuple[FileRef, ...] = ()
    devices: tuple[Json, ...] = ()
    device_cgroup_rules: tuple[str, ...] = ()
    gpus: tuple[Json, ...] = ()
    # what it may
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    privileged: bool = False
    read_only: bool = False
    security_opt: tuple[str, ...] = ()
    sysctls: Mapping[str, Text] = {}
    ulimits: Mapping[str, Json] = {}
    umask: Json = None
    userns_mode: str | None = None
    pid: str | None = None
    ipc: str | None = None
    uts: str | None = None
    cgroup: str | None = None
    cgroup_parent: str | None = None
    isolation: str | None = None
    credential_spec: Mapping[str, Json] | None = None
    use_api_socket: bool | None = None
    # how much of it
    cpus: Float | None = None
    mem_limit: Bytes | None = None
    mem_reservation: Bytes | None = None
    mem_swappiness: Json = None
    memswap_limit: Json = None
    pids_limit: Int | None = None
    shm_size: Bytes | None = None
    cpu_count: Json = None
    cpu_percent: Json = None
    cpu_period: Json = None
    cpu_quota: Json = None
    cpu_rt_period: Json = None
    cpu_rt_runtime: Json = None
    cpu_shares: Json = None
    cpuset: str | None = None
    blkio_config: Mapping[str, Json] | None = None
    oom_kill_disable: bool | None = None
    oom_score_adj: Json = None
    storage_opt: Mapping[str, Json] | None = None
    logging: Mapping[str, Json] | None = None
    x: Mapping[str, Json] = {}  # extensions, with their `x-`
