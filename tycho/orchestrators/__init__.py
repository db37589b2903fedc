"""Back ends that run compiled systems, found by the entry point group `tycho.orchestrators`.

An orchestrator knows nothing of compose files, HTTP or terminals. Its verbs have the same names as everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from tycho.errors import UsageError
from tycho.orchestrators.instance import NAMESPACE, NO_LABELS, Artifact, Instance, Target, WaitOptions, Watch
from tycho.orchestrators.lookup import check_options, find_class, get, get_compiler, known
from tycho.orchestrators.requests import Connection, ExecRequest, LogRequest, Streams, parse_since
from tycho.text import safe_message

if TYPE_CHECKING:  # what the verbs are about: who only compiles has none of them
    from tycho.comparison import Comparison
    from tycho.model import PolicyResult
    from tycho.modification import Modification, Modified
    from tycho.release import Check, Drift, Event, Identity, Release, Revision
    from tycho.stored import StoredRelease

__all__ = [
    "NAMESPACE",
    "NO_LABELS",
    "Artifact",
    "Connection",
    "ExecRequest",
    "Instance",
    "LogRequest",
    "Orchestrator",
    "Streams",
    "Target",
    "WaitOptions",
    "Watch",
    "check_options",
    "check_registry",
    "find_class",
    "get",
    "get_compiler",
    "known",
    "parse_since",
]
REGISTRY = re.compile(r"oci://(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?(?:/[\w.-]+)*/?", re.ASCII)


class Orchestrator(Protocol):
    """Runs compiled systems.

    Attributes:
        takes_cluster_options: Whether it runs systems on a cluster, which a context and a namespace name.
        builds_in_place: Whether images that are built on this machine are where it runs them.
        not_supported: Methods that raise NotSupported, whatever they are asked.
    """

    takes_cluster_options: ClassVar[bool]
    builds_in_place: ClassVar[bool]
    not_supported: ClassVar[frozenset[str]]

    def __init__(self, target: Target) -> None: ...

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> Artifact:
        """Make what this back end runs of a project with its policies applied; pure."""

    async def up(self, artifact: Artifact, instance: Instance) -> Release:
        """Start an instance of an artifact, or replace what runs under its identity.

        The release's `notes` say when nothing had changed.
        """

    async def diff(self, artifact: Artifact, instance: Instance) -> Comparison:
        """Tell what `up` would change; changes nothing."""

    async def drift(self, identity: Identity) -> Sequence[Drift]:
        """List the fields of live objects that are not what the running revision says; changes nothing."""

    async def diff_revision(self, identity: Identity, revision: int = 0) -> Comparison:
        """Tell what going back to a revision would change; 0 is the last good one before this."""

    async def is_start_of(self, artifact: Artifact, instance: Instance) -> bool:
        """Return whether the system that runs under an identity was started from this artifact and instance."""

    async def built_images(self, identity: Identity) -> Mapping[str, Mapping[str, Any]]:
        """Return the images that services run which were built for them: these are kept where no others are built."""

    async def list(
        self, *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS, services: bool = True
    ) -> Sequence[Release]:
        """Every system of Tycho's in the target, oldest first.

        Args:
            name: Of this project alone.
            username: This user's alone.
            labels: Those alone of which a service has these labels.
            services: Whether to look at the services too, or at the releases alone.
        """

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

    def follow(
        self, identity: Identity | None = None, *, labels: Mapping[str, str] = NO_LABELS
    ) -> AsyncIterator[Sequence[Release]]:
        """Yield looks at one system, or at all of the target, when something may have changed; the first at once.

        Args:
            identity: Which system; None for all.
            labels: Of all, those alone of which a service has these labels.
        """

    async def wait(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Wait until services of a system are ready; all of them where none is named."""

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

    async def chart(self, identity: Identity, revision: int = 0) -> Mapping[str, bytes]:
        """The files of the chart that a revision was made of, by path; 0 is the running one."""

    async def rollback(self, identity: Identity, revision: int, wait_options: WaitOptions) -> Release:
        """Make an earlier revision the running one; 0 is the last good one before this."""

    async def modify(
        self,
        release: Release,
        modification: Modification,
        wait_options: WaitOptions,
        *,
        approve: Callable[[StoredRelease], None],
        dry_run: bool = False,
    ) -> Modified:
        """Change labels, resources, replicas, images or variables of what runs, as a new revision.

        Args:
            release: The system as the caller has seen it; PreconditionFailed where it has another revision by now.
            modification: What to change.
            wait_options: Whether and how long to wait, and who is told.
            approve: Asked with the release as it is, before anything is changed; raises where a policy refuses.
            dry_run: Change nothing.
        """

    async def pause(self, identity: Identity, wait_options: WaitOptions, *, revision: int = 0) -> Release:
        """Have nothing of a system run; its volumes, names and addresses stay.

        Args:
            identity: Which system.
            wait_options: How long that may take, and who is told.
            revision: The running one; PreconditionFailed where it is another by now. 0: whichever it is.
        """

    async def resume(self, identity: Identity, wait_options: WaitOptions, *, revision: int = 0) -> Release:
        """Have a paused system run again; `notes` say so where it was not paused."""

    async def stop(
        self, identity: Identity, services: Sequence[str], wait_options: WaitOptions, *, revision: int = 0
    ) -> Release:
        """Have services not run, until `start` or the next `up`; their number of replicas is kept."""

    async def start(
        self, identity: Identity, services: Sequence[str], wait_options: WaitOptions, *, revision: int = 0
    ) -> Release:
        """Have services that were stopped run again, with the replicas that they had."""

    async def push(self, artifact: Artifact, registry: str, *, plain_http: bool = False) -> str:
        """Send an artifact to `oci://…`; returns `reference@sha256:…`."""

    def logs(self, identity: Identity, query: LogRequest) -> AsyncIterator[str]:
        """Yield lines of the services' logs, prefixed with the pod's name."""

    def events(self, identity: Identity, services: tuple[str, ...], *, follow: bool) -> AsyncIterator[Event]:
        """Yield what the cluster tells of the services' objects, oldest first."""

    async def restart(self, identity: Identity, services: tuple[str, ...], wait_options: WaitOptions) -> Release:
        """Replace the services' pods by new ones; `notes` says which services were left alone, and why."""

    async def exec(self, identity: Identity, service: str, program: ExecRequest, streams: Streams) -> int:
        """Run a program in a container of a service; its exit code is returned."""

    async def ports(self, identity: Identity, service: str) -> tuple[int, ...]:
        """List the TCP ports that a running container of a service is known to listen at."""

    async def forward(self, identity: Identity, service: str, port: int, connection: Connection) -> None:
        """Carry the bytes of a connection to a port of a service's container, and back, until either side ends."""

    def now(self) -> datetime:
        """Return the moment, by the clock of what runs the systems."""

    async def touch(self, identity: Identity, moment: datetime | None = None) -> None:
        """Note that a system is used, or was at a moment; where its time does not depend on that, nothing is noted."""

    async def warn(self, identity: Identity, message: str, moment: datetime) -> bool:
        """Write an event which says that a system's end is near, and note when; false where somebody did."""

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
