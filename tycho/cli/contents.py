"""`tycho show`, `tycho values` and `tycho report`: what a system that runs was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from tycho.cli import show
from tycho.cli.options import OUTPUT, READING, Format, OptionalId, Output, TargetOptions, Timeout
from tycho.cli.project import ProjectOptions, choose_system
from tycho.cli.session import run
from tycho.errors import NotFound, UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.stored import StoredRelease

Number = Annotated[int, typer.Option("--revision", metavar="N", min=0, help="Of this revision, not the running one.")]
AllValues = Annotated[bool, typer.Option("-a", "--all", help="With those of the chart below.", rich_help_panel=OUTPUT)]
AsYaml = Annotated[Format, typer.Option("-o", "--output", help="Format of stdout.", rich_help_panel=OUTPUT)]
PART = "What is shown"
CELLS = ("path", "outcome", "target", "reason")


class PartOptions(Struct, frozen=True):
    """Which part of a system is shown."""

    compose: Annotated[bool, typer.Option("--compose", help="Its compose file: the default.", rich_help_panel=PART)] = (
        False
    )
    values: Annotated[bool, typer.Option("--values", help="The values of its release.", rich_help_panel=PART)] = False
    chart: Annotated[bool, typer.Option("--chart", help="The files of its chart.", rich_help_panel=PART)] = False
    all: Annotated[
        bool, typer.Option("-a", "--all", help="With --values: those of the chart below, too.", rich_help_panel=PART)
    ] = False
    folder: Annotated[
        str,
        typer.Option("-O", "--output-dir", metavar="DIR", help="With --chart: write it to DIR.", rich_help_panel=PART),
    ] = ""

    def choose(self) -> str:
        """Return which part is meant.

        Raises:
            UsageError: Several are, or an option belongs to another part.
        """
        given = [part for part in ("compose", "values", "chart") if getattr(self, part)]
        if len(given) > 1:
            raise UsageError(f"--{' and --'.join(given)} exclude each other", hint="leave out all but one")
        chosen = given[0] if given else "compose"
        if (self.all and chosen != "values") or (self.folder and chosen != "chart"):
            option, part = ("--all", "values") if self.all else ("--output-dir", "chart")
            raise UsageError(f"{option} goes with --{part}", hint=f"write --{part} as well")
        return chosen


def show_system(
    id: OptionalId = "",
    *,
    part: PartOptions,
    revision: Number = 0,
    project: ProjectOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
    output: AsYaml = Format.yaml,
) -> None:
    r"""Show what a system is made of; its compose file, its values or its chart, without secrets.

    \b
    Examples:
      tycho show
      tycho show shop --revision 2
      tycho show shop --values --all
      tycho show shop --chart -O chart

    The compose file is merged, after the policies, with its variables. ID defaults to the project of this folder.
    """
    chosen = part.choose()
    if chosen == "values":
        return values(
            id, all=part.all, revision=revision, project=project, target=target, timeout=timeout, output=output
        )
    if chosen == "chart":
        return _show_chart(id, revision, part.folder, project, target, timeout)

    async def act(lifecycle: Lifecycle) -> tuple[str, str]:
        release, _ = await choose_system(lifecycle, project, id=id)
        return release.identity.name, (await lifecycle.contents(release.identity.guid, revision)).compose

    name, text = run(act, target, timeout=timeout)
    if not text:
        raise NotFound(f"{name} was made of a chart without its compose file", hint="run `tycho up` for another")
    if output is Format.json:
        import yaml

        return show.structured(yaml.safe_load(text), Format.json)
    show.emit(text.rstrip("\n"))
    return None


def _show_chart(
    id: str, revision: int, folder: str, project: ProjectOptions, target: TargetOptions, timeout: float
) -> None:
    """List the files of a chart, or write them into a folder."""

    async def act(lifecycle: Lifecycle) -> Mapping[str, bytes]:
        release, _ = await choose_system(lifecycle, project, id=id)
        files: Mapping[str, bytes] = await lifecycle.chart(release.identity.guid, revision)
        return files

    files = run(act, target, timeout=timeout)
    if folder:
        from tycho.chart import Chart

        Chart("", "", files).write(Path(folder))
        return show.emit(folder)
    show.table([("FILE", "BYTES"), *((path, str(len(content))) for path, content in files.items())])
    show.info("-O DIR writes them")
    return None


def values(
    id: OptionalId = "",
    *,
    all: AllValues = False,
    revision: Number = 0,
    project: ProjectOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
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

    shown = run(act, target, timeout=timeout)
    show.structured(shown, Format.json if output is Format.json else Format.yaml)


def report(
    id: OptionalId = "",
    *,
    revision: Number = 0,
    project: ProjectOptions,
    target: TargetOptions,
    timeout: Timeout = READING,
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

    rows = run(act, target, timeout=timeout)
    if output is not Format.table:
        return show.structured([{key: row[key] for key in CELLS if row.get(key)} for row in rows], output)
    if not rows:
        return show.emit("every key keeps its meaning")
    lines = [[str(row.get(key) or show.NONE) for key in CELLS] for row in rows]
    return show.table([("KEY", "RESULT", "BECOMES", "WHY"), *lines])


async def _read(lifecycle: Lifecycle, project: ProjectOptions, id: str, revision: int) -> StoredRelease:
    release, _ = await choose_system(lifecycle, project, id=id)
    return await lifecycle.contents(release.identity.guid, revision)
