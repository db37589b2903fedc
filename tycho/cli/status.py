"""`tycho status`: what runs, and where it answers."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tycho.cli import show
from tycho.cli.options import OUTPUT, READING, Format, Ids, Output, TargetOptions, Timeout
from tycho.cli.session import run

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release

Terse = Annotated[bool, typer.Option("-terse", "--terse", help="GUIDs alone, one a line.", rich_help_panel=OUTPUT)]
Services = Annotated[bool, typer.Option("--services", help="Every service, and why.", rich_help_panel=OUTPUT)]

AllSystems = Annotated[bool, typer.Option("-a", "--all", help="Accepted: all systems are listed always.")]


def status(
    ids: Ids = None,
    *,
    terse: Terse = False,
    services: Services = False,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: Output = Format.table,
) -> None:
    r"""Show what runs, and where it answers.

    \b
    Examples:
      tycho status
      tycho status --services shop
      tycho down $(tycho status -terse)
    """

    def look(lifecycle: Lifecycle) -> Coroutine[Any, Any, Sequence[Release]]:
        return lifecycle.status(ids or (), services=not terse)

    releases = run(look, target, timeout=timeout)
    if target.namespace and not releases and not terse:
        _say_elsewhere(target.namespace, run(look, replace(target, namespace=""), timeout=timeout))
    if terse:
        for release in releases:
            if release.state == "kept":  # `down $(tycho status -terse)` deletes no volumes that were kept on purpose
                continue
            show.emit(release.identity.guid)
    elif services and output is Format.table:
        show.services(releases)
    else:
        show.status(releases, output)


def ls(
    *,
    terse: Terse = False,
    all: AllSystems = False,
    target: TargetOptions,
    output: Output = Format.table,
) -> None:
    r"""List the systems that run; the same as `tycho status`.

    \b
    Example:
      tycho ls
    """
    status(terse=terse, target=target, output=output)


def _say_elsewhere(namespace: str, releases: Sequence[Release]) -> None:
    """Say where systems run, to somebody who looked where none does."""
    from tycho.choices import LISTED

    others = sorted({release.identity.namespace for release in releases})
    places = f"systems run in: {', '.join(others[:LISTED])}" if others else "nor in any other"
    show.info(f"nothing runs in the namespace {namespace}; {places}")
