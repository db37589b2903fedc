"""`tycho status`: what runs, and where it answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct
from msgspec.structs import replace

from tycho.cli import show
from tycho.cli.drifts import add_drift, emit_drift
from tycho.cli.options import OUTPUT, READING, Format, Ids, StatusFormat, StatusOutput, TargetOptions, Timeout
from tycho.cli.outdated import mark_outdated, tell_outdated
from tycho.cli.session import find_service, run, run_until_interrupt, run_until_signal
from tycho.errors import UsageError
from tycho.time_limit import limit_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tycho.lifecycle import Lifecycle
    from tycho.release import Release

CHOICE = "Which systems"
Terse = Annotated[bool, typer.Option("-terse", "--terse", help="GUIDs alone, one a line.", rich_help_panel=OUTPUT)]
Services = Annotated[
    bool, typer.Option("--services", help="A row a service, and why it is not ready.", rich_help_panel=OUTPUT)
]
Watch = Annotated[
    bool, typer.Option("-w", "--watch", help="Go on, and show what changes, until Ctrl-C.", rich_help_panel=OUTPUT)
]
Drifts = Annotated[
    bool, typer.Option("--drift", help="Fields that others changed in the cluster.", rich_help_panel=OUTPUT)
]
CheckImages = Annotated[
    bool,
    typer.Option("--check-images", help="Ask registries for newer images of what runs.", rich_help_panel=OUTPUT),
]
AllSystems = Annotated[bool, typer.Option("-a", "--all", help="Accepted: all systems are listed always.")]


class FilterOptions(Struct, frozen=True):
    """Which of all systems are shown."""

    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Of this project alone.", rich_help_panel=CHOICE)
    ] = ""
    user: Annotated[str, typer.Option("--user", metavar="USER", help="This user's alone.", rich_help_panel=CHOICE)] = ""
    label: Annotated[
        list[str] | None,
        typer.Option("-l", "--label", metavar="NAME=VALUE", help="With this label.", rich_help_panel=CHOICE),
    ] = None

    def read(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return the filters as the verbs take them.

        Raises:
            UsageError: A label is none; or systems are named, too.
        """
        labels = dict(map(read_label, self.label or ()))
        if ids and (self.name or self.user or labels):
            raise UsageError(
                "--name, --user and --label exclude IDs", hint="leave out the IDs, or --name, --user and --label"
            )
        return {"name": self.name, "username": self.user, "labels": labels}


def status(
    ids: Ids = None,
    *,
    terse: Terse = False,
    services: Services = False,
    drift: Drifts = False,
    watch: Watch = False,
    check_images: CheckImages = False,
    filters: FilterOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: StatusOutput = StatusFormat.table,
) -> None:
    r"""Show what runs, and where it answers.

    \b
    Examples:
      tycho status
      tycho status --services shop
      tycho status --watch -o wide
      tycho status --user ada -l team=blue
      tycho status --drift shop
      tycho down $(tycho status -terse)
    """
    chosen = filters.read(ids or ())
    if check_images and (watch or terse):
        raise UsageError("--check-images excludes --watch and -terse", hint="leave one of them out")
    if watch:
        if drift:
            raise UsageError("--watch and --drift exclude each other", hint="leave out one of them")
        return _watch(ids or (), chosen, target, output, terse=terse, services=services, timeout=timeout)
    distant = bool(find_service(target.service))

    async def look(lifecycle: Lifecycle) -> Sequence[Release]:
        releases = await lifecycle.status(ids or (), services=not terse, **chosen)
        if drift:
            return await add_drift(lifecycle, releases)
        return releases if terse or distant else await mark_outdated(lifecycle, releases)

    releases = run(look, target, timeout=timeout)
    if target.namespace and not releases and not terse:
        _say_elsewhere(target.namespace, run(look, replace(target, namespace=""), timeout=timeout))
    if terse:
        for release in releases:
            if release.state == "kept":  # `down $(tycho status -terse)` deletes no volumes that were kept on purpose
                continue
            show.emit(release.identity.guid)
    elif check_images:
        _check_images(releases, output)
    elif drift and output in (StatusFormat.table, StatusFormat.wide):
        emit_drift(releases)
    elif services and output is StatusFormat.table:
        show.services(releases)
    else:
        show.status(releases, output)
    if not terse:
        tell_outdated(releases)
    return None


def ls(
    *,
    terse: Terse = False,
    all: AllSystems = False,
    filters: FilterOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: StatusOutput = StatusFormat.table,
) -> None:
    r"""List the systems that run; the same as `tycho status`.

    \b
    Example:
      tycho ls
    """
    status(terse=terse, filters=filters, target=target, timeout=timeout, output=output)


def read_label(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`.

    Raises:
        UsageError: It is not that.
    """
    name, equal, value = text.partition("=")
    if not name or not equal:
        raise UsageError(f'--label "{text}" is no label with its value', hint="write --label team=blue")
    return name, value


def _check_images(releases: Sequence[Release], output: StatusFormat) -> None:
    """Show what registries have behind the tags that run."""
    from tycho.cli.images import check_images, show_checks

    rows = run_until_signal(check_images(releases))
    if output.value in ("json", "yaml"):
        return show.structured(rows, Format(output.value))
    return show_checks(rows)


def _watch(
    ids: Sequence[str],
    chosen: Mapping[str, Any],
    target: TargetOptions,
    output: StatusFormat,
    *,
    terse: bool,
    services: bool,
    timeout: float,
) -> None:
    """Show systems until interrupted; the first look is bounded."""
    from tycho.cli.watching import watch

    if terse:
        raise UsageError("-terse and --watch exclude each other", hint="-o json has the GUIDs")

    distant = bool(find_service(target.service))

    async def act(lifecycle: Lifecycle) -> None:
        if not distant:  # watches of a cluster are tried for ever, so that it is asked once before
            with limit_time(timeout):
                await lifecycle.status(ids, services=False, **chosen)
        looks = partial(lifecycle.follow, ids, **chosen)
        await watch(looks, output, services=services, timeout=timeout, limited=distant)

    run_until_interrupt(act, target)


def _say_elsewhere(namespace: str, releases: Sequence[Release]) -> None:
    """Say where systems run, to somebody who looked where none does."""
    from tycho.choices import LISTED

    others = sorted({release.identity.namespace for release in releases})
    places = f"systems run in: {', '.join(others[:LISTED])}" if others else "nor in any other"
    show.info(f"nothing runs in the namespace {namespace}; {places}")
