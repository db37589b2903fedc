"""Workloads of a chart by Kubernetes' names: what runs pods, when these start, and how they are replaced."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from tycho.chart.container import Container, ContainerPort, Text
from tycho.chart.mounts import PodVolume
from tycho.chart.yaml_writer import YamlValue

CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
"""What may be waited for, the weakest first."""


class Wait(Struct, frozen=True):
    """A dependency that a pod's init containers hold it back for.

    Args:
        name: The compose service.
        slug: The part of its workload's name.
        kind: Its workload's kind.
        condition: Compose's.
        api: Whether the API server is asked; else the cluster's DNS, for an address that healthy pods alone have.
        counted: Whether its number of pods is a value: nobody waits for a service that has none.
    """

    name: str
    slug: str
    kind: str
    condition: str
    api: bool = True
    counted: bool = False

    @property
    def containers(self) -> tuple[str, ...]:
        """The init containers that wait: for what is to be there, and for what it is to become."""
        verbs = ("await",) if not self.api else ("find",) if self.condition == CONDITIONS[0] else ("find", "await")
        return tuple(f"{verb}-{self.slug}"[:63].rstrip("-") for verb in verbs)


class Strategy(Struct, frozen=True):
    """How pods are replaced: all at once, or so many more or fewer at a time, each ready for `delay` seconds."""

    recreate: bool
    surge: int
    unavailable: int
    delay: int


class Schedule(Struct, frozen=True):
    """When a job runs: cron syntax, time zone, Kubernetes' concurrency policy, or only when asked to."""

    cron: str
    timezone: str
    concurrency: str
    suspended: bool


class DnsConfig(Struct, frozen=True):
    """Kubernetes' dnsConfig, as far as a file says it."""

    nameservers: tuple[Text, ...] = ()
    searches: tuple[Text, ...] = ()
    options: tuple[tuple[Text, Text], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is set."""
        return bool(self.nameservers or self.searches or self.options)


class Checksum(Struct, frozen=True):
    """Data that rolls a pod when it changes.

    Args:
        name: Of the annotation, below `checksum/`.
        kind: env, env-file, secret, config, live-config or secret-files.
        key: The service, secret, config or folder that it is of.
    """

    name: str
    kind: str
    key: str


class Workload(Struct, frozen=True):
    """A Deployment, StatefulSet, DaemonSet, Job or CronJob: a compose service, and those that share its pod.

    Args:
        name: The service's compose name.
        slug: The same as a DNS label.
        order: Its place in the compose file.
        kind: Its kind.
        containers: The service's own first.
        early: Those of them that others start after, in their order.
        waits: The workloads that it waits for before it starts.
        volumes: Everything that its containers mount.
        labels: Extra labels of the pod: networks, aliases, shared volumes.
        checksums: Data that rolls it when it changes.
        single_node: Whether a volume of it can be on one node only, so that a pod ends before the next one starts.
        group: The services that must be on one node with it, "" where there are none.
        claims: The volumes that the group shares.
        replicas: How many pods; None where that is no number of its own.
        may_scale: Whether it has, or may come to have, more than one.
        completions: Whether a job runs in several pods.
        attempts: A job's tries after the first, where they are said.
        persists: Whether a job is tried again until it succeeds, however often it fails.
        backoff_limit: A job's tries after the first, as far as Kubernetes counts them.
        may_run_on: Whether a job is as it should be while it runs.
        single_per_node: Whether two of its pods may not be on one node.
        fs_group: The group that its claims belong to, "" for none.
        awaited: Whether others wait for its health, by its name.
        connected: Whether it has a network.
        publishes_not_ready: Whether its name leads to containers that are not ready, too.
        headless: Whether its name leads to its containers' own addresses.
        ports: Where its peers call it.
    """

    name: str
    slug: str
    order: int
    kind: str
    containers: tuple[Container, ...]
    early: tuple[Container, ...] = ()
    waits: tuple[Wait, ...] = ()
    volumes: tuple[PodVolume, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    checksums: tuple[Checksum, ...] = ()
    single_node: bool = False
    group: str = ""
    claims: tuple[str, ...] = ()
    replicas: int | Text | None = None
    may_scale: bool = False
    completions: bool = False
    strategy: Strategy = Strategy(recreate=False, surge=1, unavailable=0, delay=0)
    schedule: Schedule | None = None
    attempts: int | None = None
    persists: bool = False
    backoff_limit: int = 6
    may_run_on: bool = False
    restart: str = ""
    grace: int = 10
    hostname: str = ""
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    shares_processes: bool = False
    host_aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    dns: DnsConfig = DnsConfig()
    sysctls: Mapping[str, Text] = field(default_factory=dict)
    security_context: Mapping[str, YamlValue] = field(default_factory=dict)
    runtime_class: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: Mapping[str, YamlValue] = field(default_factory=dict)
    tolerations: tuple[YamlValue, ...] = ()
    spread: tuple[Mapping[str, YamlValue], ...] = ()
    single_per_node: bool = False
    fs_group: str = ""
    awaited: bool = False
    connected: bool = True
    headless: bool = False
    publishes_not_ready: bool = False
    ports: tuple[ContainerPort, ...] = ()

    def find_container(self, service: str) -> Container:
        """Return the container that a service of its pod is."""
        for container in self.containers:
            if container.service == service:
                return container
        raise LookupError(service)

    @property
    def fills(self) -> bool:
        """Whether something is done to its volumes before its containers start."""
        return any(container.steps for container in self.containers)

    @property
    def hooks(self) -> bool:
        """Whether containers run before its own."""
        return any(container.hooks for container in self.containers)

    @property
    def asks_api(self) -> bool:
        """Whether a container of it asks the API server."""
        return any(wait.api for wait in self.waits)
