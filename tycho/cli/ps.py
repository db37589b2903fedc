"""`tycho ps`: the services of one system, as Docker Compose's word has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import READING, StatusFormat, StatusOutput, TargetOptions, Timeout, Words
from tycho.cli.project import SystemOptions, choose_system
from tycho.cli.session import run
from tycho.errors import NotFound

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release

AllServices = Annotated[bool, typer.Option("-a", "--all", help="Accepted: all services are listed always.")]


def ps(
    words: Words = None,
    *,
    all: AllServices = False,
    system: SystemOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: StatusOutput = StatusFormat.table,
) -> None:
    r"""List the services of a system; `tycho status --services` lists those of all.

    \b
    Examples:
      tycho ps
      tycho ps web
      tycho ps shop -o json

    ID defaults to the project of this folder.
    """

    async def act(lifecycle: Lifecycle) -> Release:
        release, services = await choose_system(lifecycle, system, words or (), id=system.id)
        (whole,) = await lifecycle.status([release.identity.guid])
        known = [service.name for service in whole.services]
        if unknown := [service for service in services if service not in known]:
            raise NotFound(f"{whole.identity.name} has no service {unknown[0]}", hint=f"it has: {', '.join(known)}")
        kept = tuple(service for service in whole.services if not services or service.name in services)
        return whole.model_copy(update={"services": kept})

    release = run(act, target, timeout=timeout)
    if output is StatusFormat.table:
        show.services([release])
    else:
        show.status([release], output)
