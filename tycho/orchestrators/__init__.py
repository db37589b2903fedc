"""Back ends that run compiled systems, found by the entry point group `tycho.orchestrators`.

An orchestrator knows nothing of compose files, HTTP or terminals. Its verbs have the same names as everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol

from tycho.chart import Chart
from tycho.errors import UsageError
from tycho.model import PolicyResult
from tycho.orchestrators.requests import Connection, LogQuery, Program, Streams, parse_since
from tycho.orchestrators.stored import StoredRelease, merge_values
from tycho.release import Check, Event, Identity, Release, Revision
from tycho.text import printable, safe_message

__all__ = [
    "Connection",
    "LogQuery",
    "Orchestrator",
    "Program",
    "StoredRelease",
    "Streams",
    "Target",
    "WaitOptions",
    "Watch",
    "check_registry",
    "digest",
    "get",
    "known",
    "merge_values",
    "parse_since",
]
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
REGISTRY = re.compile(r"oci://(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?(?:/[\w.-]+)*/?", re.ASCII)
Watch = Callable[[Release], None]
"""Called with every new look at a release while a verb waits for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the verbs act, as kubectl and helm say it.

    Args:
        kubeconfig: Path of the file, or "" for kubectl's own way of finding it.
        context: Context in that file, or "" for the current one.
        namespace: A namespace to share, or "" for one of its own per system.
    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""

    def __post_init__(self) -> None:
        """Check what becomes part of addresses and arguments.

        Raises:
            UsageError: This cannot be a namespace or a context.
        """
        if self.namespace and not NAMESPACE.fullmatch(self.namespace):
            raise UsageError(
                f'"{printable(self.namespace)}" cannot be a namespace',
                hint="up to 63 of a-z, 0-9 and -, neither first nor last a -",
            )
        if not self.context.isprintable():
            raise UsageError(f'"{printable(self.context)}" cannot be a context', hint="name one of the kubeconfig")


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """How long a verb may take.

    Args:
        wait: Whether the verb returns only once the system is ready (or gone).
        timeout: Seconds, for the whole verb; default 300.
        watch: Told of progress.
        tell: Told in words what is being done, where that takes a while.
    """

    wait: bool = True
    timeout: float = 300.0
    watch: Watch = field(default=lambda release: None)
    tell: Callable[[str], None] = field(default=lambda line: None)


class Orchestrator(Protocol):
    """Runs compiled systems."""

    def __init__(self, target: Target) -> None: ...

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> Chart:
        """What this back end runs, made from a project with its policies applied; pure."""

    async def up(
        self,
        chart: Chart,
        identity: Identity,
        values: Mapping[str, Any],
        wait_options: WaitOptions,
        *,
        upgrade: bool,
    ) -> Release:
        """Install, or with `upgrade` replace what runs under this identity; `notes` says when nothing had changed."""

    async def list(self, *, name: str = "", username: str = "", services: bool = True) -> Sequence[Release]:
        """Every system of Tycho's in the target, oldest first; `services=False` looks at the releases alone."""

    async def find(self, id: str) -> Sequence[Release]:
        """The systems that an id means and can mean no others: a GUID, `<name>-<guid>`, or a release's name.

        It costs no list of all. For a prefix or a project's name there are none: that takes a list.
        """

    def keep_view(self, namespaces: Sequence[str] = ()) -> AbstractAsyncContextManager[None]:
        """While entered, keep up with what happens, so that looks need not ask; entering never fails.

        Args:
            namespaces: In these alone, where one may not look at others.
        """

    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""

    async def down(
        self, identity: Identity, wait_options: WaitOptions, *, keep_volumes: bool = False, revision: int = 0
    ) -> Release:
        """Remove a system wholly; its last look is returned, `notes` naming the volumes that went or were kept.

        Args:
            identity: Which system.
            wait_options: How long that may take, and who is told.
            keep_volumes: Keep its volumes.
            revision: The running one; PreconditionFailed where it is another by now. 0: whichever it is.
        """

    async def history(self, identity: Identity) -> Sequence[Revision]:
        """The revisions that can be gone back to, oldest first."""

    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """What a revision was made of; 0 is the running one."""

    async def rollback(self, identity: Identity, revision: int, wait_options: WaitOptions) -> Release:
        """Make an earlier revision the running one; 0 is the last good one before this."""

    async def modify(
        self, identity: Identity, values: Mapping[str, Any], wait_options: WaitOptions, *, revision: int
    ) -> Release:
        """Give the running chart other values, as a new revision.

        Args:
            identity: Which system.
            values: All that the release says of its own.
            wait_options: Whether and how long to wait, and who is told.
            revision: The running one, which the values were made of; PreconditionFailed where it is another by now.
        """

    async def push(self, archive: bytes, name: str, registry: str, *, plain_http: bool = False) -> str:
        """Send a packaged chart to `oci://…`; returns `reference@sha256:…`."""

    def logs(self, identity: Identity, query: LogQuery) -> AsyncIterator[str]:
        """Yield lines of the services' logs, prefixed with the pod's name."""

    def events(self, identity: Identity, services: tuple[str, ...], *, follow: bool) -> AsyncIterator[Event]:
        """Yield what the cluster tells of the services' objects, oldest first."""

    async def restart(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Replace the services' pods by new ones; `notes` says which services were left alone, and why."""

    async def exec(self, identity: Identity, service: str, program: Program, streams: Streams) -> int:
        """Run a program in a container of a service; its exit code is returned."""

    async def ports(self, identity: Identity, service: str) -> tuple[int, ...]:
        """List the TCP ports that a running container of a service is known to listen at."""

    async def forward(self, identity: Identity, service: str, port: int, connection: Connection) -> None:
        """Carry the bytes of a connection to a port of a service's container, and back, until either side ends."""

    async def user(self) -> str:
        """Who the back end takes the caller for; "" where that is nobody in particular, as an administrator is."""

    async def ping(self) -> None:
        """One cheap question to what runs the systems; an error when it does not answer."""

    def gauges(self) -> Mapping[str, float]:
        """Numbers that tell how much is at work, by name."""

    async def doctor(self) -> Sequence[Check]:
        """What it needs, whether it is there, and what to do."""

    async def close(self) -> None:
        """Let go of connections."""


def check_registry(registry: str) -> None:
    """Check a registry's address; a login has no place in it.

    Raises:
        UsageError: It is not `oci://host/path`.
    """
    segments = registry.partition("://")[2].split("/")
    if not REGISTRY.fullmatch(registry) or not {".", ".."}.isdisjoint(segments):
        raise UsageError(f'"{safe_message(registry)}" is not a registry', hint="write oci://HOST/PATH")


def digest(chart: Chart, what: str) -> str:
    """A digest that a chart carries in its metadata.

    Args:
        chart: Which.
        what: `compose` or `policies`: of which files.
    """
    found = re.search(rf'^  tycho\.dev/{what}: "([0-9a-f]+)"$', str(chart.files["Chart.yaml"]), re.MULTILINE)
    return found[1] if found else ""


def known() -> list[str]:
    """Names of the orchestrators that are installed."""
    return sorted(point.name for point in entry_points(group="tycho.orchestrators"))


def get(name: str, target: Target) -> Orchestrator:
    """An orchestrator by name.

    Raises:
        UsageError: No such orchestrator; the message lists the known ones.
    """
    for point in entry_points(group="tycho.orchestrators", name=name):
        found: Orchestrator = point.load()(target)
        return found
    raise UsageError(f'unknown backplane "{name}"', hint=f"known: {', '.join(known())}")
