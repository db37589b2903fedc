"""A workload of a chart: its pod, the containers of that, and when they start. Compose's names, Kubernetes' shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tycho.chart import kinds
from tycho.chart.mounted import Mounted, Step, Volume
from tycho.model import Service
from tycho.model.numbers import is_digits

WAITS_AGAIN = 6  # tries of a job whose init containers failed while they waited
CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
"""What may be waited for, the weakest first."""


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
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """A dependency that a pod's init containers hold it back for."""

    name: str
    slug: str
    kind: str
    condition: str


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


def group_of(service: Service) -> str:
    """Return the group of a service's user, or the user's own number where none is said; "" without numbers."""
    user, _, group = (service.user or "").partition(":")
    number = group or user.lstrip("0")
    return number if is_digits(number) and is_digits(user) and int(user) else ""
