"""`tycho values` and `tycho report`: what a system that runs was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tycho.cli import show
from tycho.cli.options import OUTPUT, Format, OptionalId, Output, TargetOptions
from tycho.cli.project import ProjectOptions, choose_system
from tycho.cli.session import run

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.orchestrators import StoredRelease

Number = Annotated[int, typer.Option("--revision", metavar="N", min=0, help="Of this revision, not the running one.")]
AllValues = Annotated[bool, typer.Option("-a", "--all", help="With those of the chart below.", rich_help_panel=OUTPUT)]
AsYaml = Annotated[Format, typer.Option("-o", "--output", help="Format of stdout.", rich_help_panel=OUTPUT)]
CELLS = ("path", "outcome", "target", "reason")


def values(
    id: OptionalId = "",
    *,
    all: AllValues = False,
    revision: Number = 0,
    project: ProjectOptions,
    target: TargetOptions,
    output: AsYaml = Format.yaml,
) -> None:
    r"""Print the values of a system's release; what is secret is masked.

    \b
    Examples:
      tycho values
      tycho values shop --all

    ID defaults to the project of this folder.
    """

    async def act(lifecycle: Lifecycle) -> Mapping[str, Any]:
        from tycho.masking import mask_values

        stored = await _read(lifecycle, project, id, revision)
        return mask_values(stored.merged if all else stored.values, known=stored.files.values())

    shown = run(act, target)
    show.structured(shown, Format.json if output is Format.json else Format.yaml)


def report(
    id: OptionalId = "",
    *,
    revision: Number = 0,
    project: ProjectOptions,
    target: TargetOptions,
    output: Output = Format.table,
) -> None:
    r"""Print what changed its meaning on the way to the cluster.

    \b
    Examples:
      tycho report
      tycho report shop -o json

    ID defaults to the project of this folder. For a file that does not run, see `tycho compile`.
    """

    async def act(lifecycle: Lifecycle) -> Sequence[Mapping[str, Any]]:
        return (await _read(lifecycle, project, id, revision)).report

    rows = run(act, target)
    if output is not Format.table:
        return show.structured([{key: row[key] for key in CELLS if row.get(key)} for row in rows], output)
    if not rows:
        return show.emit("every key keeps its meaning")
    lines = [[str(row.get(key) or show.NONE) for key in CELLS] for row in rows]
    return show.table([("KEY", "RESULT", "BECOMES", "WHY"), *lines])


async def _read(lifecycle: Lifecycle, project: ProjectOptions, id: str, revision: int) -> StoredRelease:
    release, _ = await choose_system(lifecycle, project, id=id)
    return await lifecycle.contents(release.identity.guid, revision)
