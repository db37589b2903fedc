"""Systems on a Docker engine: the compose file after the policies, run by `docker compose` under the system's name.

up:   document (stdin) -> record -> docker compose up -> watch containers
down: docker compose down -> volumes -> record
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC
from typing import Any, ClassVar

from tycho.choices import is_exact
from tycho.docker_cli import Completed, DockerCli, engine_answers
from tycho.errors import NotFound, NotSupported, OrchestratorError, ToolMissing, UsageError, WaitTimeout
from tycho.masking import masked, system_secrets
from tycho.model import PolicyResult
from tycho.modification import Modification, Modified
from tycho.orchestrators.docker import labels, records
from tycho.orchestrators.docker.artifact import ComposeArtifact, compile_artifact
from tycho.orchestrators.docker.containers import has_labels
from tycho.orchestrators.docker.document import Document, write_document
from tycho.orchestrators.docker.failures import explain_failure
from tycho.orchestrators.docker.pausing import EnginePauseVerbs
from tycho.orchestrators.docker.records import Record
from tycho.orchestrators.docker.scaling import compare_replicas, read_replicas, scale_services
from tycho.orchestrators.docker.systems import describe_changes, describe_system, explain_start
from tycho.orchestrators.docker.unsupported import UnsupportedVerbs
from tycho.orchestrators.instance import NO_LABELS, Artifact, Instance, Target, WaitOptions
from tycho.orchestrators.moments import OwnClock
from tycho.orchestrators.polling import PollingVerbs
from tycho.orchestrators.requests import LogRequest
from tycho.orchestrators.waiting import INTERVAL, Deadline, choose_services, wait_until_ready
from tycho.release import Check, Identity, Release
from tycho.stored import StoredRelease
from tycho.usernames import real_name, same_user

__all__ = ["DockerOrchestrator", "engine_answers"]


class DockerOrchestrator(PollingVerbs, EnginePauseVerbs, UnsupportedVerbs, OwnClock):
    """Runs compose files on a Docker engine.

    Args:
        target: Must name nothing of a cluster.

    Raises:
        UsageError: It names a namespace or a context.
    """

    takes_cluster_options: ClassVar[bool] = False
    builds_in_place: ClassVar[bool] = True
    not_supported: ClassVar[frozenset[str]] = frozenset(name for name in vars(UnsupportedVerbs) if name[0] != "_")

    def __init__(self, target: Target) -> None:
        for option, value, variable in (
            ("--namespace", target.namespace, "TYCHO_NAMESPACE"),
            ("--context", target.context, "TYCHO_CONTEXT"),
        ):
            if value:
                raise UsageError(
                    f"{option}: docker runs systems on an engine, and has no clusters",
                    hint=f"leave it out, or unset {variable}; DOCKER_HOST names an engine",
                )
        self.docker = DockerCli()
        self._compose: list[str] = []

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> ComposeArtifact:
        """Compile a project with its policies applied into a compose file."""
        return compile_artifact(policy_result, strict=strict, version=version)

    async def up(self, artifact: Artifact, instance: Instance) -> Release:
        """Run a compose file, or change what runs to it; what stays the same is left alone.

        Raises:
            StartFailed: A service cannot become ready.
            WaitTimeout: It did not become ready in time.
            Conflict: A port or a name is taken.
        """
        deadline = Deadline(instance.wait_options)
        secrets, readers = system_secrets(instance.project, instance.variables, [artifact.compose])
        document = write_document(instance)
        secrets |= dict.fromkeys(document.variables.values(), "a secret")
        with masked(secrets, readers):
            return await self._up(artifact, instance, document, deadline)

    async def is_start_of(self, artifact: Artifact, instance: Instance) -> bool:
        """Return whether a system was started from this artifact and instance."""
        record = await self._read_record(instance.identity)
        return record.labels.get(labels.FIRST_DIGEST) == write_document(instance).digest

    async def built_images(self, identity: Identity) -> Mapping[str, Mapping[str, Any]]:
        """Return none: an image that was built has its name in the engine."""
        return {}

    async def list(
        self, *, name: str = "", username: str = "", labels: Mapping[str, str] = NO_LABELS, services: bool = True
    ) -> Sequence[Release]:
        """Every system of the engine, oldest first."""
        known, containers = await records.read_all(self.docker)
        return [
            await describe_system(self.docker, record, containers.get(record.identity.guid, ()))
            for record in known
            if (not name or record.identity.name == name)
            and (not username or same_user(record.identity.username, username))
            and (not labels or has_labels(containers.get(record.identity.guid, ()), labels))
        ]

    async def find(self, id: str) -> Sequence[Release]:
        """The systems that an id names wholly."""
        return [release for release in await self.list() if is_exact(release.identity, id)]

    def keep_view(self, namespaces: Sequence[str] = ()) -> AbstractAsyncContextManager[None]:
        """Do nothing: a look at an engine costs four questions."""
        return nullcontext()

    async def status(self, identity: Identity) -> Release:
        """One system, with its services."""
        record = await self._read_record(identity)
        return await describe_system(self.docker, record, await records.read_containers(self.docker, identity.guid))

    async def down(
        self, identity: Identity, wait_options: WaitOptions, *, keep_volumes: bool = False, revision: int = 0
    ) -> Release:
        """Remove a system's containers and networks, and its volumes unless they are to be kept.

        Raises:
            NotSupported: A revision is named.
        """
        if revision:
            raise NotSupported("docker keeps no revisions", hint="leave out the revision")
        last = await self.status(identity)
        volumes = await records.list_volumes(self.docker, identity)
        keep_volumes = keep_volumes and bool(volumes)
        wait_options.tell(f"{identity.name}: removing it")
        words = ["down", "--remove-orphans", *([] if keep_volumes else ["--volumes"])]
        await self._run_compose(identity, words, Deadline(wait_options))
        if not keep_volumes:
            await records.remove_record(self.docker, identity)
        outcome = "kept" if keep_volumes else "deleted"
        names = [volume.removeprefix(f"{identity.release}_") for volume in volumes]
        return last.model_copy(update={"notes": tuple(f"{outcome} volume {volume}" for volume in names)})

    async def logs(self, identity: Identity, query: LogRequest) -> AsyncIterator[str]:
        """Yield lines of the services' logs, prefixed with the container's number in its service."""
        await self._check_services(identity, query.services)
        words = ["logs", "--no-color", "--tail", "all" if query.tail is None else str(query.tail)]
        words += ["--follow"] if query.follow else []
        words += ["--timestamps"] if query.timestamps else []
        words += ["--since", query.since.astimezone(UTC).isoformat()] if query.since else []
        argv = [*await self._find_compose(), "-p", identity.release, *words, *query.services]
        async with contextlib.aclosing(self.docker.stream(argv)) as lines:
            async for line in lines:
                container, bar, text = line.partition("|")
                yield f"{container.strip()} {text.removeprefix(' ')}" if bar and not query.aligned else line

    async def modify(
        self,
        release: Release,
        modification: Modification,
        wait_options: WaitOptions,
        *,
        approve: Callable[[StoredRelease], None],
        dry_run: bool = False,
    ) -> Modified:
        """Scale services; the next `up` gives them the number of the compose file again.

        Raises:
            NotSupported: Something else than replicas is to be changed.
        """
        identity, deadline = release.identity, Deadline(wait_options)
        current = await self.status(identity)
        counts = read_replicas(modification, [service.name for service in current.services])
        await self._check_services(identity, tuple(counts))
        await asyncio.to_thread(approve, StoredRelease(0, {}, {}, {}))
        differences = compare_replicas(current.services, counts)
        if dry_run:
            return Modified(current, differences)
        await scale_services(self.docker, identity, counts)
        return Modified(await wait_until_ready(lambda: self.status(identity), deadline), differences)

    async def user(self) -> str:
        """Return "": an engine knows nobody in particular."""
        return ""

    async def ping(self) -> None:
        """Ask the engine for its version."""
        await self.docker.read_version()

    def gauges(self) -> Mapping[str, float]:
        """Nothing is counted."""
        return {}

    async def doctor(self) -> Sequence[Check]:
        """Docker's command line, the engine, and Docker Compose."""
        checks = []
        for name, ask in (("engine", self.docker.read_version), ("compose", self._read_compose_version)):
            try:
                checks.append(Check(name=name, level="ok", message=await ask()))
            except (ToolMissing, OrchestratorError) as error:
                checks.append(Check(name=name, level="error", message=error.message, hint=error.hint))
        return checks

    async def close(self) -> None:
        """Do nothing: no connection is kept."""

    async def _up(self, artifact: Artifact, instance: Instance, document: Document, deadline: Deadline) -> Release:
        owner = real_name(instance.identity.username, instance.owner)
        identity = instance.identity.model_copy(update={"username": owner})
        last = next(iter(await records.read_records(self.docker, identity.guid)), None)
        before = await records.read_containers(self.docker, identity.guid)
        digests = {
            labels.COMPOSE: artifact.compose_digest[:40],
            labels.POLICIES: artifact.policies_digest[:40],
            labels.ARTIFACT: artifact.digest[:40],
            labels.DIGEST: document.digest,
            labels.PAUSED: last.labels.get(labels.PAUSED, "") if last and instance.paused else "",
        }
        await records.write_record(self.docker, identity, digests, last)
        docker = DockerCli({**document.variables})
        words = ["--project-directory", document.directory, "--progress", "plain", "-f", "-"]
        argv = [*await self._find_compose(), "-p", identity.release, *words]
        started = "--no-start" if instance.paused else "--detach"
        argv += ["up", started, "--remove-orphans", "--no-build", "--quiet-pull"]
        completed = await self._watch(docker.run(argv, document.content), identity, deadline)
        if completed.code:
            raise explain_start(await self.status(identity), completed.lines)
        release = await wait_until_ready(lambda: self.status(identity), deadline)
        after = await records.read_containers(self.docker, identity.guid)
        return release.model_copy(update={"notes": describe_changes(identity, before, after)})

    async def _watch(self, running: Any, identity: Identity, deadline: Deadline) -> Completed:
        """Tell of progress while Docker Compose works.

        Raises:
            WaitTimeout: It takes too long; it is ended.
        """
        task = asyncio.ensure_future(running)
        try:
            while not task.done():
                await asyncio.wait([task], timeout=min(INTERVAL, deadline.left))
                if task.done():
                    break
                if not deadline.left:
                    seconds = deadline.wait_options.timeout
                    raise WaitTimeout(
                        f"{identity.name} is not started after {seconds:g} s",
                        hint=f"`tycho status --services {identity.name}` shows how far it is; --timeout waits longer",
                    )
                release = await self.status(identity)
                if release.services and not release.ready:
                    deadline.wait_options.watch(release)
            completed: Completed = await task
            return completed
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _read_record(self, identity: Identity) -> Record:
        for record in await records.read_records(self.docker, identity.guid):
            return record
        raise NotFound(f'no system "{identity.release}" runs here', hint="`tycho status` lists what runs")

    async def _check_services(self, identity: Identity, services: tuple[str, ...]) -> None:
        """Refuse services that a system does not have."""
        choose_services(await self.status(identity), services)

    async def _run_compose(self, identity: Identity, words: Sequence[str], deadline: Deadline) -> None:
        argv = [*await self._find_compose(), "-p", identity.release, "--progress", "plain", *words]
        completed = await self._watch(self.docker.run(argv), identity, deadline)
        if completed.code:
            raise explain_failure(words[0], completed.lines)

    async def _find_compose(self) -> Sequence[str]:
        if not self._compose:
            self._compose = await self.docker.find_compose()
        return self._compose

    async def _read_compose_version(self) -> str:
        return (await self.docker.require([*await self._find_compose(), "version", "--short"])).strip()
