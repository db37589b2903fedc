"""`tycho restart`: new pods for services that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tycho.cli import show
from tycho.cli.options import (
    Backplane,
    Context,
    Directory,
    Files,
    Force,
    Format,
    Local,
    LookIn,
    Name,
    NoWait,
    Output,
    Quiet,
    Service,
    SystemId,
    Timeout,
    Trace,
    Words,
)
from tycho.cli.progress import progress
from tycho.cli.project import Here, choose_system
from tycho.cli.session import run, trace

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release


def restart(
    words: Words = None,
    id: SystemId = "",
    files: Files = None,
    name: Name = "",
    project_directory: Directory = "",
    force: Force = False,
    namespace: LookIn = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    service: Service = "",
    no_wait: NoWait = False,
    timeout: Timeout = 300.0,
    output: Output = Format.table,
    quiet: Quiet = False,
    trace_: Trace = False,
) -> None:
    r"""Replace the pods of services by new ones; waits until they are ready.

    \b
    Examples:
      tycho restart
      tycho restart web
      tycho restart shop web api

    Without ID, the project of this folder is meant. A changed compose file is not looked at: that is `tycho up`.
    """
    trace(trace_)
    here = Here(files or (), name, project_directory)

    async def act(lifecycle: Lifecycle) -> Release:
        from tycho.orchestrators import WaitOptions

        release, services = await choose_system(lifecycle, here, words or (), id=id, change=True, force=force)
        with progress(quiet or no_wait) as watch:
            wait_options = WaitOptions(wait=not no_wait, timeout=timeout, watch=watch)
            return await lifecycle.restart(release.identity.guid, services, force=force, wait_options=wait_options)

    release = run(act, namespace=namespace, context=context, local=local, backplane=backplane, service=service)
    if not quiet:
        show.notes(release)
    show.status([release], output)
