"""What a chart will hold: the views that the templates are written against. Compose's names, Kubernetes' shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tycho.chart import kinds
from tycho.chart.hidden import Concealed
from tycho.model import Service, System

if TYPE_CHECKING:
    from tycho.chart.secretfiles import Secrecy


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a mounted ConfigMap or Secret."""

    key: str
    path: str
    mode: int


@dataclass(frozen=True, slots=True)
class Volume:
    """One entry of a pod's `volumes`.

    Args:
        name: Its name in the pod.
        kind: claim, configMap, secret, secretFiles, projected (of a ConfigMap and of secret files), emptyDir, nfs,
            image or hostPath.
        source: The compose name that values know it by.
        slug: The same as part of an object's name.
        items: The files, where only some are mounted.
        secret_items: Those of them that are secret.
        memory: An emptyDir in memory.
        size: Its limit as Helm's arguments of the `bytes` helper, or "".
        server: Of an nfs volume.
        path: Of an nfs, image or hostPath volume.
    """

    name: str
    kind: str
    source: str = ""
    slug: str = ""
    items: tuple[Item, ...] = ()
    secret_items: tuple[Item, ...] = ()
    memory: bool = False
    size: str = ""
    server: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Mounted:
    """One entry of a container's `volumeMounts`."""

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a container listens at."""

    number: int
    protocol: str = "TCP"
    host: int = 0  # the node's own port, where a policy lets that pass
    guessed: str = field(default="", compare=False)  # how it is known, if the file does not say it: "call", "image"

    @property
    def name(self) -> str:
        """Its name in containers and Services."""
        return f"{self.protocol.lower()}-{self.number}"


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod: one compose service.

    Args:
        name: The service's name.
        slug: The same as a DNS label.
        service: The service.
        ports: What it declares.
        mounts: What it mounts.
        secrets: Its own Secrets: env, env-file.
        stage: "" for an ordinary one; "sidecar" or "init" for one that others of its pod start after: it runs on beside
            them, or has done its work.
        gates: Whether the others wait until it is healthy, too.
    """

    name: str
    slug: str
    service: Service
    ports: tuple[ContainerPort, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    secrets: tuple[str, ...] = ()
    stage: str = ""
    gates: bool = False


WAITS_AGAIN = 6  # tries of a job whose init containers failed while they waited
CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
"""What may be waited for, the weakest first."""


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
        end_awaited: Whether others wait until it has done its work.
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
    end_awaited: bool = False

    @property
    def service(self) -> Service:
        """The service that the pod is named for."""
        return self.containers[0].service

    @property
    def early(self) -> tuple[Container, ...]:
        """The containers that others of the pod start after, each after those that it waits for itself."""
        staged = {container.name: container for container in self.containers if container.stage}
        return tuple(staged[name] for name in kinds.sort_by_dependence({n: c.service for n, c in staged.items()}))

    @property
    def hooks(self) -> bool:
        """Whether containers run before its own."""
        return any(container.service.pre_start for container in self.containers)

    @property
    def restart(self) -> str:
        """The pod's restartPolicy, where it is not the default."""
        if self.kind not in kinds.JOBS:
            return ""
        return "OnFailure" if self.persists else "Never"

    @property
    def persists(self) -> bool:
        """Whether a job is tried again until it succeeds, however often it fails."""
        return self.kind == "Job" and self.attempts is None and kinds.restarts(self.service) in kinds.AGAIN

    @property
    def strategy(self) -> Strategy:
        """How its pods are replaced."""
        update = self.service.deploy.update_config
        step = max(1, update.parallelism or 1)
        first = self.kind == "DaemonSet" or update.order == "stop-first"  # two pods of a node want the same ports
        surge, unavailable = (0, step) if first and update.order != "start-first" else (step, 0)
        return Strategy(self.held, surge, unavailable, math.ceil(update.delay or 0))

    @property
    def may_run_on(self) -> bool:
        """Whether a job is as it should be while it runs: `on-failure` is also said of what never ends."""
        return self.persists and not self.end_awaited

    @property
    def attempts(self) -> int | None:
        """A job's tries after the first, where they are said."""
        return kinds.attempts(self.service)

    @property
    def backoff_limit(self) -> int:
        """A job's tries after the first, as far as Kubernetes counts them."""
        if self.persists:
            return 2**31 - 1
        return WAITS_AGAIN if self.attempts is None else self.attempts

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
    networks: tuple[Network, ...] = ()
    enclosed: frozenset[str] = frozenset()  # services that only internal networks know: they publish nothing
    restless: frozenset[str] = frozenset()  # services whose peers must find them before they are ready
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # alias -> services whose pods it names
    unused: tuple[str, ...] = ()  # paths of what no service uses
    homes: Mapping[str, Pod] = field(default_factory=dict)  # of each service
    concealed: tuple[Concealed, ...] = ()  # what was secret, and is the release's

    def is_headless(self, pod: Pod) -> bool:
        """Tell whether a pod's name leads to its containers' own addresses, and to every port of them, as in Compose.

        So it is where nothing is known of where it listens, and where the file asks for it. Else the name has one
        address that stays: who asks for it once may keep it.
        """
        asked = kinds.said(pod.service).get("headless") or pod.service.deploy.endpoint_mode == "dnsrr"
        return bool(asked) or pod.kind == "StatefulSet" or not self.ports.get(pod.name)
