"""`tycho status`: what runs, and where it answers."""

from __future__ import annotations

from typing import Annotated

import typer

from tycho.cli import remote, show
from tycho.cli.options import (
    OUTPUT,
    Backplane,
    Context,
    Format,
    Ids,
    Local,
    Namespace,
    Output,
    Service,
    Trace,
)
from tycho.cli.session import run, trace

Terse = Annotated[bool, typer.Option("-terse", "--terse", help="GUIDs alone, one a line.", rich_help_panel=OUTPUT)]
Services = Annotated[bool, typer.Option("--services", help="Every service, and why.", rich_help_panel=OUTPUT)]


def status(
    ids: Ids = None,
    terse: Terse = False,
    services: Services = False,
    namespace: Namespace = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    service: Service = "",
    output: Output = Format.table,
    trace_: Trace = False,
) -> None:
    r"""Show what runs, and where it answers.

    \b
    Examples:
      tycho status
      tycho status --services shop
      tycho down $(tycho status -terse)
    """
    trace(trace_)
    if service:
        remote.refuse_options(local=local, namespace=namespace, context=context, backplane=backplane)
        releases = remote.status(service, ids or ())
    else:
        releases = run(
            lambda lifecycle: lifecycle.status(ids or (), services=not terse),
            namespace=namespace,
            context=context,
            local=local,
            backplane=backplane,
        )
    if terse:
        for release in releases:
            show.out(release.identity.guid)
    elif services and output is Format.table:
        show.services(releases)
    else:
        show.status(releases, output)
