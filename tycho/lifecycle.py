"""The verbs, over one orchestrator: what the CLI, the API and a Python program all call.

    compose text -> load -> weave -> orchestrator.compile -> chart
    chart + values(env, metadata) -> orchestrator.up -> release

A system is named by its GUID, a unique prefix of it, its release's name, or its project's name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tycho.chart import Chart, release_values
from tycho.compose import load, select_services
from tycho.errors import TychoError, UsageError
from tycho.masking import masked, secret_values, system_secrets
from tycho.model import ServiceMetadata, System, Woven
from tycho.operations import Operations
from tycho.orchestrators import Orchestrator, Patience, Target, check_registry
from tycho.policy import Step, explain, weave
from tycho.release import Identity, Release, Revision, choose_only, find_release, find_same

if TYPE_CHECKING:
    from tycho.compose import Sources

GUID = re.compile(r"[0-9a-f]{32}")
Metadata = Mapping[str, ServiceMetadata]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A system that is ready to run: what was read, and the chart that was made of it."""

    woven: Woven
    chart: Chart
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of one `down`: the last look at the system, or the error that kept it."""

    id: str
    release: Release | None = None
    error: TychoError | None = None


class Lifecycle(Operations):
    """Starts, watches and stops systems on one orchestrator.

    Args:
        orchestrator: The back end.
        target: Where it acts; `target.namespace` decides whether systems share one.
        policies: Folders of policies, after the shipped one.
    """

    def __init__(self, orchestrator: Orchestrator, target: Target, *, policies: Sequence[Path] = ()) -> None:
        self.orchestrator = orchestrator
        self.target = target
        self.policies = tuple(policies)

    def compile(
        self,
        sources: Sources,
        *,
        metadata: Metadata | None = None,
        strict: bool = False,
        version: str = "",
        services: Sequence[str] = (),
        keep: Sequence[str] = (),
    ) -> Compiled:
        """Compose text to a chart; touches no cluster.

        Args:
            sources: The compose files and the environment around them.
            metadata: What the caller says of single services.
            strict: Whether an approximated or ignored key is an error.
            version: The chart's version; made of its content by default.
            services: Of these services and what they depend on alone; of all when empty.
            keep: Beside such services, those that run already and are to go on.

        Raises:
            ComposeError: With every problem of the files.
            PolicyError: A policy is broken, or refuses the system.
        """
        said = dict(metadata or {})
        system = _system(sources, said)
        if services:
            system = select_services(system, services, keep=keep)
            said = {name: one for name, one in said.items() if name in system.services}
        texts = [text.decode(errors="replace") for _, text in sources.texts]
        with masked(*system_secrets(system, sources.env, texts)) as masker:
            woven = weave(system, folders=self.policies, metadata=said)
            woven = woven.model_copy(update={"warnings": tuple(map(masker.problem, woven.warnings))})
            return Compiled(woven, self.orchestrator.compile(woven, strict=strict, version=version), said)

    def explain(self, sources: Sources, *, metadata: Metadata | None = None) -> tuple[Step, ...]:
        """What each policy does to each service of a system, refused or not; touches no cluster.

        Args:
            sources: The compose files and the environment around them.
            metadata: What the caller says of single services.

        Raises:
            ComposeError: With every problem of the files.
            PolicyError: A policy is broken.
        """
        return explain(_system(sources, metadata or {}), folders=self.policies, metadata=metadata)

    async def up(
        self, compiled: Compiled, *, guid: str = "", username: str = "", new: bool = False, patience: Patience
    ) -> Release:
        """Run a compiled system: a first start, or, when its project runs already, an upgrade of it.

        Args:
            compiled: What to run.
            guid: The system's GUID, when the caller has one: the same GUID again is the same start.
            username: Who asks.
            new: Start another instance even when the project runs already.
            patience: Whether and how long to wait, and who is told.

        Raises:
            Ambiguous: Several instances of the project run; say which by `guid`.
            Conflict: The GUID belongs to a system of another name.
            StartFailed: It was made, and cannot become ready; it is left for a look.
        """
        name = compiled.woven.system.name
        running = None if new and not guid else await self._running(name, guid)
        identity = running.identity if running else self._identity(name, guid or uuid4().hex, username)
        values = release_values(
            compiled.woven.system,
            compiled.metadata,
            scope="namespace" if identity.own_namespace else "release",
            guid=identity.guid,
            username=identity.username,
        )
        texts = [text for text in compiled.chart.files.values() if isinstance(text, str)]
        with masked(secret_values(values, known=texts)):
            return await self.orchestrator.up(compiled.chart, identity, values, patience, upgrade=running is not None)

    async def runs(self, compiled: Compiled) -> bool:
        """Whether the project runs already, so that `up` would be an upgrade."""
        return await self._running(compiled.woven.system.name, "") is not None

    async def running_services(self, name: str) -> Sequence[str]:
        """List the services of a project that run already; none when it does not run."""
        running = await self._running(name, "")
        if running is None:
            return ()
        return [service.name for service in (await self.orchestrator.status(running.identity)).services]

    async def status(
        self, ids: Sequence[str] = (), *, name: str = "", username: str = "", services: bool = True
    ) -> Sequence[Release]:
        """The systems that run, oldest first: all of them, or those asked for.

        Args:
            ids: Which; all when empty.
            name: Only of this project.
            username: Only this user's.
            services: Whether to look at the services too, or at the releases alone.

        Raises:
            NotFound: One of the ids fits nothing.
        """
        if not ids:
            return await self.orchestrator.list(name=name, username=username, services=services)
        found = [await self.find(id) for id in ids]
        return list(await asyncio.gather(*(self.orchestrator.status(release.identity) for release in found)))

    async def down(
        self,
        ids: Sequence[str],
        *,
        patience: Patience,
        keep_volumes: bool = False,
        each: Callable[[Removal], None],
    ) -> list[Removal]:
        """Remove systems, each wholly; one that fails does not keep the others.

        Args:
            ids: Which.
            patience: How long each may take.
            keep_volumes: Keep the volumes' claims (and the namespace that holds them).
            each: Told of every removal as it ends.
        """

        async def remove(id: str) -> Removal:
            try:
                release = await self.find(id)
                done = Removal(id, await self.orchestrator.down(release.identity, patience, keep_volumes=keep_volumes))
            except TychoError as error:
                done = Removal(id, error=error)
            each(done)
            return done

        return list(await asyncio.gather(*(remove(id) for id in dict.fromkeys(ids))))

    async def history(self, id: str) -> Sequence[Revision]:
        """The revisions of a system, oldest first."""
        return await self.orchestrator.history((await self.find(id)).identity)

    async def rollback(self, id: str, revision: int = 0, *, patience: Patience) -> Release:
        """Make an earlier revision of a system the running one.

        Args:
            id: Which system.
            revision: Its number, or 0 for the last good one before this.
            patience: Whether and how long to wait, and who is told.
        """
        return await self.orchestrator.rollback((await self.find(id)).identity, revision, patience)

    async def push(self, compiled: Compiled, registry: str, *, plain_http: bool = False) -> str:
        """Send a chart to a registry.

        Args:
            compiled: Whose chart.
            registry: `oci://host/path`; the chart's name and version are added to it.
            plain_http: Allow a registry without TLS; a loopback one needs no permission.

        Returns:
            The reference with its digest, `host/path/name:version@sha256:…`.
        """
        check_registry(registry)
        chart = compiled.chart
        return await self.orchestrator.push(
            chart.archive(), f"{chart.name}-{chart.version}", registry, plain_http=plain_http
        )

    async def find(self, id: str) -> Release:
        """One system by GUID, unique prefix of it, release name, `<name>-<guid>`, or project name.

        Raises:
            NotFound: Nothing fits.
            Ambiguous: Several fit; the hint lists them.
        """
        return find_release(await self.orchestrator.list(services=False), id)

    async def _running(self, name: str, guid: str) -> Release | None:
        releases = await self.orchestrator.list(services=False)
        if guid:
            return find_same(releases, guid, name)
        shared = self.target.namespace
        instances = [
            release
            for release in releases
            if release.identity.name == name
            and (release.identity.namespace == shared if shared else release.identity.own_namespace)
        ]
        return choose_only(instances, name) if instances else None

    def _identity(self, name: str, guid: str, username: str) -> Identity:
        if not GUID.fullmatch(guid):
            raise UsageError(f'"{guid}" is not a GUID', hint="write 32 hexadecimal digits")
        label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20].strip("-") or "system"
        release = f"{label}-{guid[:8]}"
        return Identity(
            guid=guid,
            name=name,
            release=release,
            namespace=self.target.namespace or release,
            own_namespace=not self.target.namespace,
            username=username,
        )


def _system(sources: Sources, metadata: Metadata) -> System:
    system = load(sources)
    if unknown := sorted(set(metadata) - set(system.services)):
        raise UsageError(
            f"service metadata names {', '.join(unknown)}, which {system.name} does not have",
            hint=f"services: {', '.join(sorted(system.services))}",
        )
    return system
