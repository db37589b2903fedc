"""`tycho up`: a compose file becomes a running system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import ends, remote, show
from tycho.cli.build import build_compiled, build_references
from tycho.cli.caller import find_origin, make_origin
from tycho.cli.options import (
    CLUSTER,
    INPUT,
    WAITING,
    Backplane,
    Build,
    Context,
    Directory,
    EnvFiles,
    Files,
    Format,
    Local,
    MetadataFile,
    Name,
    Namespace,
    NoWait,
    Output,
    Policies,
    Profiles,
    PushPrefix,
    Quiet,
    Root,
    Service,
    Strict,
    Timeout,
    Trace,
)
from tycho.cli.progress import progress
from tycho.cli.session import Input, find_service, run, trace
from tycho.errors import NotFound, UsageError

if TYPE_CHECKING:
    from tycho.compose import Outline, Sources
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release

Image = Annotated[str, typer.Option("-c", "--container", metavar="IMAGE", help="Run one image instead of a file.",
                                    rich_help_panel=INPUT)]  # fmt: skip
Port = Annotated[str, typer.Option("-p", "--port", metavar="PORT", help="With -c: port to publish, as in Compose.",
                                   rich_help_panel=INPUT)]  # fmt: skip
Command = Annotated[str, typer.Option("--command", metavar="CMD", help="With -c: command.", rich_help_panel=INPUT)]
Volumes = Annotated[list[str] | None, typer.Option("-v", "--volume", metavar="SRC:DST", help="With -c: volume.",
                                                   rich_help_panel=INPUT)]  # fmt: skip
Settings = Annotated[str, typer.Option("--settings", metavar="ENVFILE", help="With -c: its environment.",
                                       rich_help_panel=INPUT)]  # fmt: skip
Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SERVICE]...", help="These, what they depend on, and what runs; all by default."),
]
Detach = Annotated[bool, typer.Option("-d", "--detach", help="Accepted: up never stays attached.",
                                      rich_help_panel=WAITING)]  # fmt: skip
Accepted = Annotated[bool, typer.Option("--wait", "--remove-orphans", "--no-build", hidden=True)]
New = Annotated[bool, typer.Option("--new", help="Another instance, even if one runs.", rich_help_panel=CLUSTER)]
Which = Annotated[str, typer.Option("--id", metavar="ID", help="Upgrade this one of several systems of the project.",
                                    rich_help_panel=CLUSTER)]  # fmt: skip
Replace = Annotated[bool, typer.Option("--replace", help="Upgrade it even if it was started by somebody else, or from"
                                       " elsewhere.", rich_help_panel=CLUSTER)]  # fmt: skip
Modify = Annotated[bool, typer.Option("-m", "--modify", help="Fail if the system is not running.",
                                      rich_help_panel=CLUSTER)]  # fmt: skip


def up(
    services: Services = None,
    files: Files = None,
    name: Name = "",
    env_file: EnvFiles = None,
    profile: Profiles = None,
    project_directory: Directory = "",
    root: Root = "",
    metadata: MetadataFile = "",
    policies: Policies = None,
    strict: Strict = False,
    container: Image = "",
    port: Port = "",
    command: Command = "",
    volume: Volumes = None,
    settings: Settings = "",
    build: Build = False,
    push: PushPrefix = "",
    new: New = False,
    id: Which = "",
    replace: Replace = False,
    modify: Modify = False,
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    service: Service = "",
    detach: Detach = False,
    accepted: Accepted = False,
    no_wait: NoWait = False,
    timeout: Timeout = 300.0,
    output: Output = Format.table,
    quiet: Quiet = False,
    trace_: Trace = False,
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
    trace(trace_)
    if services and (container or find_service(service)):
        raise UsageError(f"services cannot be chosen with {'-c' if container else '--service'}",
                         hint="leave them out, or name a compose file")  # fmt: skip
    said = Input(files or (), name, env_file or (), profile or (), project_directory, metadata, strict, root=root)
    sources = _one(said, container, port, command, volume or [], settings) if container else said.sources()
    if new and id:
        raise UsageError("--new and --id exclude each other", hint="--id upgrades a system that runs")
    if (build and container) or (push and not build):
        wrong = "--build and -c exclude each other" if container else "--push goes with --build"
        raise UsageError(wrong, hint="an image that is built has a build: in a compose file")
    project = None
    if services:
        from tycho.compose import outline

        project = outline(sources)
        _check_known(project, services)
    distant = bool(find_service(service))
    if distant and strict:
        raise UsageError("--strict: the service decides this", hint="leave it out")

    async def act(lifecycle: Lifecycle) -> Release:
        from tycho.orchestrators import WaitOptions

        if distant:
            images = await build_references(lifecycle, sources, push=push, quiet=quiet) if build else {}
            with progress(quiet or no_wait) as watch:
                wait_options = WaitOptions(wait=not no_wait, timeout=timeout, watch=watch)
                return await remote.up(
                    lifecycle, said, sources, images=images, new=new, id=id, replace=replace, modify=modify,
                    quiet=quiet, wait_options=wait_options,
                )  # fmt: skip
        keep: Sequence[str] = ()
        if project and not new:
            origin = make_origin(sources.directory, project.name, named=project.named)
            keep = await lifecycle.running_services(project.name, await lifecycle.identify(origin))
        given = _enabled(sources, project, (*(services or ()), *keep)) if project else sources
        compiled = said.compile(lifecycle, given, services or (), keep, starts=True)
        name = compiled.policy_result.system.name
        caller = await lifecycle.identify(find_origin(sources, compiled.policy_result.system))
        guid = (await lifecycle.find(id, caller=caller)).identity.guid if id else ""
        if modify and not await lifecycle.runs(compiled, guid=guid, caller=caller):
            raise NotFound(f"{name} does not run here", hint="leave out -m to start it")
        if build:
            compiled = await build_compiled(lifecycle, compiled, given, services or (), push=push, quiet=quiet)
        ends.advise(
            f"{name} may be changed in part; `tycho status {name}` shows it, `tycho up` goes on with it,"
            f" `tycho down {name}` removes it"
        )
        with progress(quiet or no_wait) as watch:
            wait_options = WaitOptions(wait=not no_wait, timeout=timeout, watch=watch)
            release = await lifecycle.up(
                compiled, guid=guid, new=new, replace=replace, caller=caller, wait_options=wait_options
            )
        if not quiet:
            show.remarks(compiled.artifact, release)
        return release

    release = run(act, namespace=namespace, context=context, local=local, backplane=backplane, policies=policies,
                  service=service)  # fmt: skip
    show.status([release], output)


def _check_known(project: Outline, services: Sequence[str]) -> None:
    """Refuse services that a project does not have.

    Raises:
        UsageError: Names them, and those that there are.
    """
    if unknown := [service for service in services if service not in project.services]:
        known = ", ".join(project.services) or "none"
        raise UsageError(f"{project.name} has no service {', '.join(unknown)}", hint=f"it has: {known}")


def _enabled(sources: Sources, project: Outline, services: Sequence[str]) -> Sources:
    """Enable the profiles of services that are named or run, as Compose does; what else they enable is left out."""
    profiles = [profile for service in services for profile in project.services.get(service, ())[:1]]
    return replace(sources, profiles=tuple(dict.fromkeys((*sources.profiles, *profiles))))


def _one(said: Input, image: str, port: str, command: str, volumes: list[str], settings: str) -> Sources:
    """A system of one container, as a compose document."""
    import json

    from tycho.compose import Sources
    from tycho.settings import environment

    if said.files:
        raise UsageError("-f and -c exclude each other", hint="-c runs one image without a compose file")
    name = said.name or image.rsplit("/", 1)[-1].split("@", maxsplit=1)[0].split(":", maxsplit=1)[0]
    one = {
        "image": image,
        "ports": [port] if port else None,
        "command": command or None,
        "volumes": volumes or None,
        "env_file": [settings] if settings else None,
    }
    document = {"services": {name: {key: value for key, value in one.items() if value}}}
    return Sources.from_disk(
        ["-"],
        stdin=json.dumps(document).encode(),
        env=environment(),
        project_directory=said.directory or ".",
        root=said.root,
        name=name,
    )
