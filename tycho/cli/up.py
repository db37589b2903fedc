"""`tycho up`: a compose file becomes a running system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from tycho.cli import ends, remote, show
from tycho.cli.build import build_compiled, build_references
from tycho.cli.caller import find_origin, make_origin
from tycho.cli.comparisons import emit_comparison
from tycho.cli.images import pull_compiled, pull_references
from tycho.cli.local import check_made
from tycho.cli.options import CompileOptions, OutputOptions, StartTargetOptions
from tycho.cli.progress import progress
from tycho.cli.session import compile_project, find_service, offline, run
from tycho.cli.up_options import BuildOptions, EffectOptions, ImageOptions, InstanceOptions, StartWaitOptions
from tycho.errors import ClusterUnreachable, NotFound, UsageError
from tycho.time_limit import stop_clock

if TYPE_CHECKING:
    from tycho.comparison import Comparison
    from tycho.compilation import Compilation, Compiled
    from tycho.compose import Outline, Sources
    from tycho.lifecycle import Lifecycle
    from tycho.ownership import Caller
    from tycho.release import Release

Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SERVICE]...", help="These, what they depend on, and what runs; all by default."),
]


def up(
    services: Services = None,
    *,
    compose: CompileOptions,
    image: ImageOptions,
    building: BuildOptions,
    instance: InstanceOptions,
    effect: EffectOptions,
    target: StartTargetOptions,
    wait: StartWaitOptions,
    output: OutputOptions,
) -> None:
    r"""Start a system, or upgrade it when it runs already.

    \b
    Examples:
      tycho up -f compose.yaml
      tycho up web
      tycho up --local -f compose.yaml
      tycho up --build --push registry.example.org/team
      tycho up --name web -c nginx:1.27 -p 80
    """
    if effect.dry_run and building.build:
        raise UsageError("--dry-run and --build exclude each other", hint="leave --build out: images stay as they are")
    start = make_start(services, compose, image, building, instance, target, wait, output)
    if effect.dry_run:
        return emit_comparison(compare(start, target), output.output)
    if start.distant:
        release = run(start.send, target, policies=compose.policies, timeout=wait.timeout)
    else:
        # What is wrong with the files is found before a cluster is made for them.
        compiled = start.compile(offline(compose.policies, target), warn=not start.outline)
        try:
            release = run(
                lambda lifecycle: start.run(lifecycle, compiled),
                target,
                policies=compose.policies,
                timeout=wait.timeout,
            )
        except ClusterUnreachable as error:
            _mention_engine(error, compose.files or ())
            raise
    show.status([release], output.output)


def make_start(
    services: Sequence[str] | None,
    compose: CompileOptions,
    image: ImageOptions,
    building: BuildOptions,
    instance: InstanceOptions,
    target: StartTargetOptions,
    wait: StartWaitOptions,
    output: OutputOptions,
) -> StartCommand:
    """Make a start of what the options say.

    Raises:
        UsageError: They exclude each other.
    """
    distant = bool(find_service(target.service))
    if services and (image.container or distant):
        raise UsageError(f"services cannot be chosen with {'-c' if image.container else '--service'}",
                         hint="leave them out, or name a compose file")  # fmt: skip
    sources = image.make_sources(compose) if image.container else compose.read_sources()
    if instance.new and instance.id:
        raise UsageError("--new and --id exclude each other", hint="--id upgrades a system that runs")
    if (building.build and image.container) or (building.push and not building.build):
        reason = "--build and -c exclude each other" if image.container else "--push goes with --build"
        raise UsageError(reason, hint="name a compose file whose service has build:")
    outlined = _outline(sources, services) if services else None
    if distant and compose.strict:
        raise UsageError("--strict: the service decides this", hint="leave it out")
    return StartCommand(tuple(services or ()), sources, outlined, compose, building, instance, wait, output, distant)


def compare(start: StartCommand, target: StartTargetOptions) -> Comparison:
    """Compare what a start would run with what runs; nothing is changed, and no cluster made.

    Args:
        start: What would run.
        target: Where.
    """
    check_made(target)
    policies = start.compose.policies
    if start.distant:
        return run(start.send_diff, target, policies=policies, timeout=start.wait.timeout)
    compiled = start.compile(offline(policies, target), warn=not start.outline)
    return run(lambda lifecycle: start.diff(lifecycle, compiled), target, policies=policies, timeout=start.wait.timeout)


def _mention_engine(error: ClusterUnreachable, files: Sequence[str]) -> None:
    """Say in the hint of an error that a Docker engine answers, where no cluster does; nothing is tried on it."""
    from tycho.orchestrators.docker import engine_answers

    if engine_answers():
        words = "".join(f" -f {file}" for file in files)
        engine = f"an engine answers here: `tycho up --backplane docker{words}`"
        error.hint = f"{error.hint}\n{engine}" if error.hint else engine


class StartCommand(Struct, frozen=True):
    """A start as the options ask for it.

    Args:
        services: The services that are named; none for all.
        sources: The compose files.
        outline: What is known of them at once, where services are named.
        compose: How they become a chart.
        building: Whether images are built first.
        instance: Which system is started or upgraded.
        wait: Whether and how long to wait.
        output: What is written.
        distant: Whether a service is asked for it.
    """

    services: tuple[str, ...]
    sources: Sources
    outline: Outline | None
    compose: CompileOptions
    building: BuildOptions
    instance: InstanceOptions
    wait: StartWaitOptions
    output: OutputOptions
    distant: bool = False

    def compile(self, compilation: Compilation, keep: Sequence[str] = (), *, warn: bool = True) -> Compiled:
        """Compile the chart.

        Args:
            compilation: What compiles it.
            keep: Services that run already and are to go on.
            warn: Whether warnings are written.
        """
        return compile_project(
            compilation,
            self.compose,
            self.enable(keep),
            services=self.services,
            keep=keep,
            starts=True,
            warn=warn,
            ttl=self.instance.ttl,
        )

    def enable(self, keep: Sequence[str] = ()) -> Sources:
        """Enable the profiles of services that are named or kept, as Compose does, and of no others."""
        if not self.outline:
            return self.sources
        known = self.outline.services
        profiles = [profile for service in (*self.services, *keep) for profile in known.get(service, ())[:1]]
        return replace(self.sources, profiles=tuple(dict.fromkeys((*self.sources.profiles, *profiles))))

    async def run(self, lifecycle: Lifecycle, compiled: Compiled) -> Release:
        """Start or upgrade the system on a cluster.

        Args:
            lifecycle: The verbs.
            compiled: The chart, without services that run already and are to go on.

        Raises:
            NotFound: It is to be upgraded, and does not run.
        """
        instance, quiet = self.instance, self.output.quiet
        compiled, keep, caller, guid = await self._prepare(lifecycle, compiled)
        name = compiled.policy_result.system.name
        if instance.modify and not await lifecycle.runs(compiled, guid=guid, caller=caller):
            raise NotFound(f"{name} does not run here", hint="leave out -m to start it")
        if self.building.build:
            with stop_clock():
                compiled = await build_compiled(
                    lifecycle, compiled, self.enable(keep), self.services, push=self.building.push, quiet=quiet
                )
        if self.building.pull:
            compiled = await pull_compiled(lifecycle, compiled, caller=caller, guid=guid, new=instance.new, quiet=quiet)
        ends.advise(f"{name} may be changed in part; `tycho up` goes on with it, `tycho down {name}` removes it")
        with progress(quiet or self.wait.no_wait) as watch:
            release = await lifecycle.up(
                compiled,
                guid=guid,
                new=instance.new,
                replace=instance.replace,
                force_conflicts=instance.force_conflicts,
                caller=caller,
                wait_options=self.wait.with_watch(watch),
            )
        if not quiet:
            show.remarks(compiled.artifact, release)
        return release

    async def diff(self, lifecycle: Lifecycle, compiled: Compiled) -> Comparison:
        """Tell what starting or upgrading the system on a cluster would change."""
        compiled, _, caller, guid = await self._prepare(lifecycle, compiled)
        return await lifecycle.diff(compiled, guid=guid, new=self.instance.new, caller=caller)

    async def _prepare(self, lifecycle: Lifecycle, compiled: Compiled) -> tuple[Compiled, Sequence[str], Caller, str]:
        """Find what a start is about: its chart with services that go on, these, its caller, and a GUID."""
        keep: Sequence[str] = ()
        if self.outline:
            if not self.instance.new:
                origin = make_origin(self.sources.directory, self.outline.name, named=self.outline.named)
                keep = await lifecycle.running_services(self.outline.name, await lifecycle.identify(origin))
            compiled = self.compile(lifecycle, keep)
        caller = await lifecycle.identify(find_origin(self.sources, compiled.policy_result.system))
        id = self.instance.id
        guid = (await lifecycle.find(id, caller=caller)).identity.guid if id else ""
        return compiled, keep, caller, guid

    async def send_diff(self, lifecycle: Lifecycle) -> Comparison:
        """Have a service tell what starting or upgrading the system would change."""
        return await remote.diff(lifecycle, self.sources, self.instance, metadata_file=self.compose.metadata)

    async def send(self, lifecycle: Lifecycle) -> Release:
        """Have a service start or upgrade the system."""
        quiet = self.output.quiet
        images: Mapping[str, str] = {}
        if self.building.build:
            with stop_clock():
                images = await build_references(lifecycle, self.sources, push=self.building.push, quiet=quiet)
        if self.building.pull:
            from tycho.compose import load

            images = {**await pull_references(load(self.sources), built=[*images], quiet=quiet), **images}
        with progress(quiet or self.wait.no_wait) as watch:
            return await remote.up(
                lifecycle,
                self.sources,
                self.instance,
                metadata_file=self.compose.metadata,
                images=images,
                quiet=quiet,
                wait_options=self.wait.with_watch(watch),
            )


def _outline(sources: Sources, services: Sequence[str]) -> Outline:
    """Outline a project whose services are named.

    Raises:
        UsageError: It has no such service; names those that there are.
    """
    from tycho.compose import outline

    project = outline(sources)
    if unknown := [service for service in services if service not in project.services]:
        known = ", ".join(project.services) or "none"
        raise UsageError(f"{project.name} has no service {', '.join(unknown)}", hint=f"it has: {known}")
    return project
