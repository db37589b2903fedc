"""`tycho build`: the images of services with a `build:`, by Docker, and pushed to where a cluster finds them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import BUILDING, ComposeOptions, Format, OutputOptions, PushPrefix
from tycho.cli.session import run_until_signal
from tycho.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tycho.compose import Sources
    from tycho.lifecycle import Compiled, Lifecycle
    from tycho.model import Project

Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SERVICE]...", help="The images of these services; all by default."),
]

NoCache = Annotated[bool, typer.Option("--no-cache", help="Build without the cache.", rich_help_panel=BUILDING)]
Pull = Annotated[bool, typer.Option("--pull", help="Look for newer base images.", rich_help_panel=BUILDING)]


def build(
    services: Services = None,
    *,
    compose: ComposeOptions,
    push: PushPrefix = "",
    no_cache: NoCache = False,
    pull: Pull = False,
    output: OutputOptions,
) -> None:
    r"""Build the images of a compose file with Docker, and push them.

    \b
    Examples:
      tycho build
      tycho build web --push registry.example.org/team
      tycho build --push localhost:5000/team -o yaml > images.yaml
      tycho up --metadata images.yaml

    Without --push and TYCHO_PUSH_PREFIX the images stay in Docker.
    """
    from tycho.building import check_services, to_metadata
    from tycho.compose import load

    sources = compose.read_sources()
    project = load(sources)
    show.problems(project.warnings)
    check_services(project, services or ())
    options = [f"--{option}" for option, chosen in (("no-cache", no_cache), ("pull", pull)) if chosen]

    images = run_until_signal(
        build_project(
            project,
            sources,
            prefix=find_prefix(push),
            services=services or (),
            options=options,
            quiet=output.quiet,
        )
    )
    if output.output is not Format.table:
        return show.structured(to_metadata(images), output.output)
    if not images:
        return show.info(f"{project.name} builds no images")
    return show.table([("SERVICE", "IMAGE"), *((service, _write(image)) for service, image in images.items())])


def find_prefix(option: str) -> str:
    """Return where images are pushed to; "" where they are not.

    Raises:
        UsageError: It is no place for images.
    """
    from tycho.building import read_prefix
    from tycho.settings import settings

    prefix = option or settings().push_prefix
    return read_prefix(prefix) if prefix else ""


async def build_project(
    project: Project,
    sources: Sources,
    *,
    prefix: str,
    cluster: str = "",
    services: Sequence[str] = (),
    options: Sequence[str] = (),
    quiet: bool = False,
) -> Mapping[str, Any]:
    """Build the images of a project; what Docker writes goes to stderr.

    Args:
        project: The project.
        sources: What it was loaded from.
        prefix: Where they are pushed to; "" where they are not.
        cluster: A cluster of this machine whose node gets them instead.
        services: Those that these run alone; all when empty.
        options: Further ones of `docker compose build`.
        quiet: Say nothing besides.

    Returns:
        The image of each service that runs one of them, as values have it.
    """
    from tycho.building import Building, build_images

    def load(images: Sequence[str]) -> None:
        from tycho import localcluster as clusters

        clusters.load_images(images, cluster)

    building = Building(
        prefix=prefix,
        load=load if cluster else None,
        services=services,
        options=options,
        tell=(lambda line: None) if quiet else show.info,
        shown=not quiet,
    )
    return await build_images(project, sources, building)


async def build_compiled(
    lifecycle: Lifecycle, compiled: Compiled, sources: Sources, services: Sequence[str], *, push: str, quiet: bool
) -> Compiled:
    """Build the images of what is ready to run, and have it run them.

    Args:
        lifecycle: What starts it.
        compiled: What is ready to run.
        sources: What it was made of.
        services: Build for these and what they depend on alone; for all when empty.
        push: Where images are pushed to, as the option says it.
        quiet: Say nothing besides.
    """
    from msgspec.structs import replace

    from tycho.building import add_images
    from tycho.compose import select_services

    project = compiled.policy_result.system
    selected = select_services(project, services) if services else project
    names = (*selected.services, *selected.jobs)
    images = await build_for_start(lifecycle, project, sources, push=push, services=names, quiet=quiet)
    return replace(compiled, metadata=add_images(compiled.metadata, images))


async def build_references(lifecycle: Lifecycle, sources: Sources, *, push: str, quiet: bool) -> Mapping[str, str]:
    """Build the images of what a service is to start here.

    Args:
        lifecycle: What starts it.
        sources: What is to be started.
        push: Where images are pushed to, as the option says it.
        quiet: Say nothing besides.

    Returns:
        The image of each service that runs one of them, in one piece.
    """
    from tycho.compose import load

    images = await build_for_start(lifecycle, load(sources), sources, push=push, quiet=quiet)
    return {name: _write(image) for name, image in images.items()}


async def build_for_start(
    lifecycle: Lifecycle,
    project: Project,
    sources: Sources,
    *,
    push: str,
    services: Sequence[str] = (),
    quiet: bool,
) -> Mapping[str, Any]:
    """Build the images of a project that is to be started, and bring them to its cluster.

    Args:
        lifecycle: What starts it, with the way to its cluster and the operator's policies.
        project: The project.
        sources: What it was loaded from.
        push: Where they are pushed to, as the option says it.
        services: Of these services alone; of all when empty.
        quiet: Say nothing besides.

    Returns:
        The image of each service that runs one of them, as values have it.

    Raises:
        UsageError: The cluster would not find them.
        PolicyDenied: A policy refuses an image from there.
    """
    from tycho import localcluster as clusters
    from tycho.building import list_targets, name_pushed
    from tycho.lifecycle.approval import check_images

    targets = list_targets(project, services)
    if not targets:
        return {}
    if lifecycle.orchestrator.builds_in_place and not push:
        return await build_project(project, sources, prefix="", services=services, quiet=quiet)
    cluster = "" if push else clusters.find_by_kubeconfig(lifecycle.target.kubeconfig)
    prefix = "" if cluster else find_prefix(push)
    if not prefix and not cluster:
        names = ", ".join(target.name for target in targets)
        raise UsageError(
            f"a cluster pulls its images from a registry, and nothing says where to push {names}",
            hint="write --push REGISTRY/PATH or set TYCHO_PUSH_PREFIX; --local takes images without a registry",
        )
    if prefix:
        references = name_pushed(targets, prefix)
        pushed = {name: references[target.name] for target in targets for name in target.users}
        await asyncio.to_thread(check_images, project, pushed, lifecycle.policies)
    return await build_project(project, sources, prefix=prefix, cluster=cluster, services=services, quiet=quiet)


def _write(image: Mapping[str, Any]) -> str:
    """Write an image in one piece."""
    tag, digest = (image[key] for key in ("tag", "digest"))
    return f"{image['repository']}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
