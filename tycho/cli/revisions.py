"""`tycho history` and `tycho rollback`: what a system was, and making it so again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.comparisons import emit_comparison, tell_comparison
from tycho.cli.histories import emit_history
from tycho.cli.options import (
    CLUSTER,
    READING,
    ChangeWaitFlags,
    Force,
    Format,
    OptionalId,
    Output,
    OutputOptions,
    TargetOptions,
    Timeout,
)
from tycho.cli.progress import progress
from tycho.cli.project import ProjectOptions, choose_system
from tycho.cli.session import run
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.comparison import Comparison
    from tycho.lifecycle import Lifecycle
    from tycho.release import Release, Revision

DIGITS = 3  # of a revision's number; with more it is the beginning of a GUID
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes, and make none.", rich_help_panel=CLUSTER)]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID] [REVISION]", help="Which system, and its revision: the last good one by default."),
]


def history(
    id: OptionalId = "",
    *,
    project: ProjectOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: Output = Format.table,
) -> None:
    r"""List the revisions of a system, oldest first.

    \b
    Examples:
      tycho history
      tycho history shop -o json

    Secrets are masked. ID defaults to the project of this folder.
    """

    async def act(lifecycle: Lifecycle) -> Sequence[Revision]:
        release, _ = await choose_system(lifecycle, project, id=id)
        return await lifecycle.history(release.identity.guid)

    emit_history(run(act, target, timeout=timeout), output)


def rollback(
    words: Words = None,
    *,
    project: ProjectOptions,
    force: Force = False,
    dry_run: DryRun = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Make an earlier revision of a system the running one; what that changes is shown first.

    \b
    Examples:
      tycho rollback
      tycho rollback --dry-run
      tycho rollback shop
      tycho rollback shop 3

    ID defaults to the project of this folder.
    """
    id, revision = read_words(words or ())

    async def compare(lifecycle: Lifecycle) -> Comparison:
        chosen, _ = await choose_system(lifecycle, project, id=id)
        return await lifecycle.diff_revision(id or chosen.identity.guid, revision)

    async def act(lifecycle: Lifecycle) -> Release:
        chosen, _ = await choose_system(lifecycle, project, id=id, change=True, force=force)
        number = revision
        if not output.quiet:
            comparison = await lifecycle.diff_revision(id or chosen.identity.guid, revision)
            tell_comparison(comparison)
            number = comparison.target
        with progress(output.quiet or wait.no_wait) as watch:
            return await lifecycle.rollback(
                id or chosen.identity.guid,
                number,
                force=force,
                caller=await lifecycle.identify(project.origin()),
                wait_options=wait.with_watch(watch),
            )

    if dry_run:
        return emit_comparison(run(compare, target, timeout=wait.timeout), output.output)
    release = run(act, target, timeout=wait.timeout)
    if not output.quiet:
        show.notes(release)
    show.status([release], output.output)


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
        raise UsageError(
            f'"{" ".join(words)}" is not a system and its revision', hint="write for example `tycho rollback shop 3`"
        )
    if number and (before or len(last) <= DIGITS):
        return (before[0] if before else ""), int(last)
    return last, 0
