"""`tycho package` and `tycho push`: charts as archives, and into registries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import (
    OUTPUT,
    Directory,
    EnvFiles,
    Files,
    Name,
    Policies,
    Profiles,
    Root,
    Strict,
    Trace,
    Version,
)
from tycho.cli.session import Input, offline, run, trace
from tycho.outputs import explained, make_folder, write_file

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle

Folder = Annotated[
    str,
    typer.Option("-d", "--destination", metavar="DIR", help="Where the archive goes.", rich_help_panel=OUTPUT),
]
Registry = Annotated[str, typer.Argument(metavar="oci://HOST/PATH", help="The chart's name is added to it.")]
PlainHttp = Annotated[bool, typer.Option("--plain-http", help="Allow a registry without TLS.")]


def package(
    files: Files = None,
    name: Name = "",
    env_file: EnvFiles = None,
    profile: Profiles = None,
    project_directory: Directory = "",
    root: Root = "",
    policies: Policies = None,
    strict: Strict = False,
    chart_version: Version = "",
    destination: Folder = ".",
    trace_: Trace = False,
) -> None:
    r"""Pack a compose file's chart into an archive; prints its path.

    \b
    Example:
      tycho package -f compose.yaml -d dist
    """
    trace(trace_)
    given = (files or (), name, env_file or (), profile or (), project_directory, "", strict, chart_version)
    said = Input(*given, root=root)
    chart = said.compile(offline(policies)).artifact
    path = Path(destination) / f"{chart.name}-{chart.version}.tgz"
    with explained(path):
        make_folder(path.parent)
    write_file(path, chart.archive())
    show.out(str(path))


def push(
    registry: Registry,
    files: Files = None,
    name: Name = "",
    env_file: EnvFiles = None,
    profile: Profiles = None,
    project_directory: Directory = "",
    root: Root = "",
    policies: Policies = None,
    strict: Strict = False,
    chart_version: Version = "",
    plain_http: PlainHttp = False,
    trace_: Trace = False,
) -> None:
    r"""Send a compose file's chart to a registry; prints its reference with the digest.

    \b
    Examples:
      helm registry login registry.example.com
      tycho push oci://registry.example.com/charts -f compose.yaml
    """
    trace(trace_)
    given = (files or (), name, env_file or (), profile or (), project_directory, "", strict, chart_version)
    said = Input(*given, root=root)

    async def act(lifecycle: Lifecycle) -> str:
        return await lifecycle.push(said.compile(lifecycle), registry, plain_http=plain_http)

    show.out(run(act, policies=policies, service=None))
