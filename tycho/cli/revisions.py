"""`tycho history` and `tycho rollback`: what a system was, and making it so again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

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
    Timeout,
    Trace,
)
from tycho.cli.progress import progress
from tycho.cli.project import Here, choose_system
from tycho.cli.session import run, trace
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release, Revision

DIGITS = 3  # of a revision's number; with more it is the beginning of a GUID
OptionalId = Annotated[str, typer.Argument(metavar="[ID]", help="GUID, unique prefix, release or project name.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID] [REVISION]", help="Which system, and its revision: the last good one by default."),
]


def history(
    id: OptionalId = "",
    files: Files = None,
    name: Name = "",
    project_directory: Directory = "",
    namespace: LookIn = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    service: Service = "",
    output: Output = Format.table,
    trace_: Trace = False,
) -> None:
    r"""List the revisions of a system, oldest first.

    \b
    Examples:
      tycho history
      tycho history shop

    Without ID, the project of this folder is meant.
    """
    trace(trace_)
    here = Here(files or (), name, project_directory)

    async def act(lifecycle: Lifecycle) -> Sequence[Revision]:
        release, _ = await choose_system(lifecycle, here, id=id)
        return await lifecycle.history(release.identity.guid)

    show.history(
        run(act, namespace=namespace, context=context, local=local, backplane=backplane, service=service), output
    )


def rollback(
    words: Words = None,
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
    r"""Make an earlier revision of a system the running one.

    \b
    Examples:
      tycho rollback
      tycho rollback shop
      tycho rollback shop 3

    Without ID, the project of this folder is meant.
    """
    trace(trace_)
    here = Here(files or (), name, project_directory)
    id, revision = read_words(words or ())

    async def act(lifecycle: Lifecycle) -> Release:
        from tycho.orchestrators import WaitOptions

        chosen, _ = await choose_system(lifecycle, here, id=id)
        with progress(quiet or no_wait) as watch:
            return await lifecycle.rollback(
                id or chosen.identity.guid,
                revision,
                force=force,
                caller=await lifecycle.identify(here.origin()),
                wait_options=WaitOptions(wait=not no_wait, timeout=timeout, watch=watch),
            )

    release = run(act, namespace=namespace, context=context, local=local, backplane=backplane, service=service)
    if not quiet:
        show.notes(release)
    show.status([release], output)


def read_words(words: Sequence[str]) -> tuple[str, int]:
    """Read which system and which revision are meant; "" and 0 where the words do not say.

    Raises:
        UsageError: There are too many words, or the second one is no number.

    Example:
        >>> read_words(["3"]), read_words(["shop", "3"])
        (('', 3), ('shop', 3))
    """
    *before, last = words or ("",)
    number = last.isascii() and last.isdigit()
    if len(before) > 1 or (before and not number):
        raise UsageError(f'"{" ".join(words)}" is not a system and its revision', hint="tycho rollback shop 3")
    if number and (before or len(last) <= DIGITS):
        return (before[0] if before else ""), int(last)
    return last, 0
