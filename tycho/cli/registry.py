"""`tycho package` and `tycho push`: charts as archives, and into registries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import OUTPUT, ChartOptions
from tycho.cli.session import compile_project, offline, run
from tycho.outputs import explained, make_folder, write_file

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle

Folder = Annotated[
    str,
    typer.Option("-d", "--destination", metavar="DIR", help="Where the archive goes.", rich_help_panel=OUTPUT),
]
Registry = Annotated[str, typer.Argument(metavar="oci://HOST/PATH", help="The chart's name is added to it.")]
PlainHttp = Annotated[bool, typer.Option("--plain-http", help="Allow a registry without TLS.")]


def package(*, options: ChartOptions, destination: Folder = ".") -> None:
    r"""Pack a compose file's chart into an archive; prints its path.

    \b
    Example:
      tycho package -f compose.yaml -d dist
    """
    compilation = offline(options.policies)
    chart = compile_project(compilation, options, options.read_sources(), version=options.chart_version).artifact
    path = Path(destination) / f"{chart.name}-{chart.version}.tgz"
    with explained(path):
        make_folder(path.parent)
    write_file(path, chart.archive())
    show.emit(str(path))


def push(registry: Registry, *, options: ChartOptions, plain_http: PlainHttp = False) -> None:
    r"""Send a compose file's chart to a registry; prints its reference with the digest.

    \b
    Examples:
      helm registry login registry.example.com
      tycho push oci://registry.example.com/charts -f compose.yaml
    """

    async def act(lifecycle: Lifecycle) -> str:
        compiled = compile_project(lifecycle, options, options.read_sources(), version=options.chart_version)
        return await lifecycle.push(compiled, registry, plain_http=plain_http)

    show.emit(run(act, policies=options.policies))
