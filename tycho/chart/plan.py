"""What a chart will hold: the views that the templates are written against. Compose's names, Kubernetes' shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tycho.chart import kinds
from tycho.chart.hidden import Concealed
from tycho.chart.mounted import Mounted, Step, Volume
from tycho.model import Service, System
from tycho.model.numbers import is_digits

if TYPE_CHECKING:
    from tycho.chart.outcomes import Outcomes
    from tycho.chart.secretfiles import Secrecy


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a container listens at."""

    number: int
    protocol: str = "TCP"
    host: int = 0  # the node's own port, where a policy lets that pass
    guessed: bool = field(default=False, compare=False)  # others call it; the service itself does not say so

    @property
    def name(self) -> str:
        """Its name in containers and Services."""
        return f"{self.protocol.lower()}-{self.number}"


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod: one compose service."""

    name: str
    slug: str
    service: Service
    ports: tuple[ContainerPort, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    secrets: tuple[str, ...] = ()  # its own Secrets: env, env-file
    steps: tuple[Step, ...] = ()  # what is done to its volumes before it starts


@dataclass(frozen=True, slots=True)
class Wait:
    """A dependency that a pod's init containers hold it back for."""

    name: str
    slug: str
    kind: str
    condition: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A ConfigMap: files of the project, or text that reads variables.

    Args:
        name: What the values know it by, for text; else "".
        slug: Part of its object's name, and its folder in the chart.
        files: Key to content.
        secrets: The same of the files that travel in the release.
        keys: The keys of all files, in their order.
        place: Compose path of what it was made for.
        live: Whether the one entry is text of the values.
    """

    name: str
    slug: str
    files: Mapping[str, bytes]
    place: str
    live: bool = False
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim of the chart.

    Args:
        name: What the values know it by.
        slug: Part of its object's name.
        size: In Compose's units.
        storage_class: "" for the cluster's default.
        access_modes: ReadWriteOnce, …
        existing: The claim to use instead, "" to make one.
        annotations: From its labels, in Compose's syntax.
        owner: The StatefulSet whose pods have a claim each, or "".
    """

    name: str
    slug: str
    size: str = "1Gi"
    storage_class: str = ""
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    existing: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How pods are replaced: all at once, or so many more or fewer at a time, each ready for `delay` seconds."""

    recreate: bool
    surge: int
    unavailable: int
    delay: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job runs: cron syntax, time zone, Kubernetes' concurrency policy, or only when asked to."""

    cron: str
    timezone: str
    concurrency: str
    suspended: bool


@dataclass(frozen=True, slots=True)
class Pod:
    """One workload: a compose service, and those that share its pod.

    Args:
        name: The service's compose name.
        slug: The same as a DNS label.
        order: Its place in the compose file.
        kind: Deployment, StatefulSet, DaemonSet, Job or CronJob.
        containers: The service's own first.
        waits: What its start is held back for.
        volumes: Everything that its containers mount.
        labels: Extra labels of the pod: networks, aliases, shared volumes.
        checksums: Data that rolls it when it changes, as slugs of `data` templates.
        held: Whether a volume of it is held by one node, and let go before the next pod takes it.
        group: The services that must be on one node with it, "" where there are none.
        claims: The volumes that the group shares.
    """

    name: str
    slug: str
    order: int
    kind: str
    containers: tuple[Container, ...]
    waits: tuple[Wait, ...] = ()
    volumes: tuple[Volume, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    checksums: tuple[str, ...] = ()
    held: bool = False
    group: str = ""
    claims: tuple[str, ...] = ()

    @property
    def service(self) -> Service:
        """The service that the pod is named for."""
        return self.containers[0].service

    @property
    def hooks(self) -> bool:
        """Whether containers run before its own."""
        return any(container.service.pre_start for container in self.containers)

    @property
    def fills(self) -> bool:
        """Whether something is done to its volumes before its containers start."""
        return any(container.steps for container in self.containers)

    @property
    def fs_group(self) -> str:
        """The group that its claims belong to: the number of the first user that the file gives one."""
        return next(filter(None, (group_of(container.service) for container in self.containers)), "")

    @property
    def restart(self) -> str:
        """The pod's restartPolicy, where it is not the default."""
        return "Never" if self.kind in ("Job", "CronJob") else ""

    @property
    def strategy(self) -> Strategy:
        """How its pods are replaced."""
        update = self.service.deploy.update_config
        step = max(1, update.parallelism or 1)
        first = self.kind == "DaemonSet" or update.order == "stop-first"  # two pods of a node want the same ports
        surge, unavailable = (0, step) if first and update.order != "start-first" else (step, 0)
        return Strategy(self.held, surge, unavailable, math.ceil(update.delay or 0))

    @property
    def attempts(self) -> int | None:
        """A job's tries, where they are said."""
        return kinds.attempts(self.service)

    @property
    def completions(self) -> bool:
        """Whether a job runs in several pods."""
        return (self.service.deploy.mode or "").endswith("-job") and self.service.deploy.replicas is not None

    @property
    def schedule(self) -> Schedule:
        """When a CronJob runs: its first trigger."""
        triggers = self.service.triggers or {}
        wanted = kinds.said(self.service).get("schedule") or triggers.get("schedule") or ()
        first = wanted if isinstance(wanted, str) else next(iter(wanted), None)
        about = {"cron": first} if isinstance(first, str) else dict(first or {})
        concurrency = {"forbid": "Forbid", "queue": "Forbid"}.get(str(about.get("concurrency")), "Allow")
        cron = str(about.get("cron") or "0 0 1 1 *")
        return Schedule(cron, str(about.get("timezone") or ""), concurrency, suspended="cron" not in about)

    @property
    def grace(self) -> int:
        """Seconds until SIGKILL, after those of draining; Compose says 10 where the file says nothing."""
        services = [container.service for container in self.containers]
        said = [(one.stop_grace_period, kinds.drain(one, held=self.held)) for one in services]
        return max((10 if seconds is None else max(0, math.ceil(seconds))) + more for seconds, more in said)


@dataclass(frozen=True, slots=True)
class Network:
    """A compose network, as a label of pods and a NetworkPolicy."""

    name: str
    slug: str
    internal: bool
    external: bool
    members: tuple[str, ...]

    @property
    def label(self) -> str:
        """The label of the pods that are on it."""
        return f"tycho.dev/{'external-network' if self.external else 'network'}-{self.slug}"


def group_of(service: Service) -> str:
    """Return the group of a service's user, or the user's own number where none is said; "" without numbers."""
    user, _, group = (service.user or "").partition(":")
    number = group or user.lstrip("0")
    return number if is_digits(number) and is_digits(user) and int(user) else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a chart is made of."""

    system: System
    chart: str
    pods: tuple[Pod, ...]
    trees: tuple[Tree, ...]
    claims: Mapping[str, Claim]
    ports: Mapping[str, tuple[ContainerPort, ...]]  # of each service, as its peers call it
    secrecy: Secrecy
    outcomes: Outcomes
    networks: tuple[Network, ...] = ()
    restless: frozenset[str] = frozenset()  # services whose peers must find them before they are ready
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # alias -> services whose pods it names
    unused: tuple[str, ...] = ()  # paths of what no service uses
    homes: Mapping[str, Pod] = field(default_factory=dict)  # of each service
    concealed: tuple[Concealed, ...] = ()  # what was secret, and is the release's

    def list_ports(self, name: str) -> tuple[ContainerPort, ...]:
        """List the ports of a pod's Service, by the pod's name: none, unless a service of it says where it listens.

        A Service cannot get or lose its address, so that must not hang on what others happen to say: their text adds
        ports where there is an address anyway. Without one, every port can be called.
        """
        ports = self.ports.get(name, ())
        return ports if any(not port.guessed for port in ports) else ()
