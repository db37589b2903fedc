"""The parts of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tycho.model.interpolated import Bytes, Float, Int, Json, Seconds, Text, Words
from tycho.model.node import Node


class ProjectFile(Node, hidden=["content"]):
    """A file of the project that a mount, config or secret brings along."""

    path: str  # below the mount's target; "" when the target itself is the file
    content: bytes
    mode: int = 0o644
    origin: str = ""  # where it lies, from the project's root on
    release_only: bool = False  # it lies outside the project, or holds variables: no part of a chart


class Port(Node):
    """`ports[]`: one container port, or one published range."""

    target: int
    published: Text | None = None  # a number or, rarely, a range "80-90"
    protocol: str = "tcp"
    mode: str = "ingress"
    host_ip: str | None = None
    name: str | None = None
    app_protocol: Text | None = None


class Mount(Node):
    """`volumes[]` of a service."""

    type: Literal["bind", "volume", "tmpfs", "cluster", "npipe", "image"]
    target: str
    source: Text | None = None
    read_only: bool = False
    consistency: str | None = None
    bind: Mapping[str, Json] | None = None
    volume: Mapping[str, Json] | None = None
    tmpfs: Mapping[str, Json] | None = None
    image: Mapping[str, Json] | None = None
    files: tuple[ProjectFile, ...] | None = None  # what a bind's source held; None: absent, too big, or not looked at
    note: str = ""  # why `files` is None: a reason of `tycho.files`, and in a few words more
    advice: str = ""  # what to write instead, where only the loader knows
    left_out: tuple[tuple[str, str], ...] = ()  # paths below the source that do not travel, and why
    copied: tuple[str, ...] = ()  # links below the source whose target's content travels
    single: bool = False  # whether the source is a file that does not travel
    built: bool = False  # whether the image is built with this folder at the target


class FileRef(Node):
    """`configs[]` and `secrets[]` of a service: a grant of one top-level config or secret."""

    source: str
    target: str | None = None
    uid: str | None = None
    gid: str | None = None
    mode: int | None = None


class EnvFile(Node, hidden=["entries"]):
    """`env_file[]`, and what the file held (None: absent and not required)."""

    path: Text
    required: bool = True
    format: str | None = None
    entries: Mapping[str, str | None] | None = None
    outside: bool = False  # whether it lies outside the project


class Dependency(Node):
    """`depends_on.X`."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = "service_started"
    required: bool = True
    restart: bool = False


class Healthcheck(Node):
    """`healthcheck`."""

    test: Words | None = None  # first word CMD, CMD-SHELL or NONE
    disable: bool = False
    interval: Seconds | None = None
    timeout: Seconds | None = None
    start_period: Seconds | None = None
    start_interval: Seconds | None = None
    retries: int | None = None


class Hook(Node, hidden=["environment"]):
    """`post_start[]`, `pre_stop[]`, `pre_start[]`; the last inherits what its service says of its container."""

    command: Words
    user: str | None = None
    privileged: bool = False
    working_dir: Text | None = None
    environment: Mapping[str, Text | None] = {}
    image: Text | None = None
    per_replica: bool = False
    inherited: Mapping[str, Json] = {}  # `pre_start` may hold any container key
    written: tuple[str, ...] = ()  # the keys that are the hook's own


class Resource(Node):
    """`deploy.resources.limits` and `.reservations`."""

    cpus: Float | None = None
    memory: Bytes | None = None
    pids: Int | None = None
    generic_resources: tuple[Json, ...] = ()
    devices: tuple[Json, ...] = ()


class DeployResources(Node):
    """`deploy.resources`."""

    limits: Resource = Resource()
    reservations: Resource = Resource()


class Rollout(Node):
    """`deploy.update_config` and `deploy.rollback_config`."""

    parallelism: int | None = None
    delay: Seconds | None = None
    failure_action: str | None = None
    monitor: Seconds | None = None
    max_failure_ratio: float | None = None
    order: str | None = None


class RestartPolicy(Node):
    """`deploy.restart_policy`."""

    condition: str | None = None
    delay: Seconds | None = None
    max_attempts: int | None = None
    window: Seconds | None = None


class Placement(Node):
    """`deploy.placement`."""

    constraints: tuple[str, ...] = ()
    preferences: tuple[Mapping[str, str], ...] = ()
    max_replicas_per_node: int | None = None


class Deploy(Node):
    """`deploy`."""

    mode: str | None = None
    endpoint_mode: str | None = None
    replicas: Int | None = None
    labels: Mapping[str, Text] = {}
    resources: DeployResources = DeployResources()
    restart_policy: RestartPolicy = RestartPolicy()
    update_config: Rollout = Rollout()
    rollback_config: Rollout = Rollout()
    placement: Placement = Placement()


class Attachment(Node):
    """`networks.X` of a service."""

    aliases: tuple[str, ...] = ()
    interface_name: str | None = None
    ipv4_address: str | None = None
    ipv6_address: str | None = None
    link_local_ips: tuple[str, ...] = ()
    mac_address: str | None = None
    driver_opts: Mapping[str, Json] = {}
    priority: float | None = None
    gw_priority: float | None = None
    use_service_name_alias: bool | None = None
    x: Mapping[str, Json] = {}
