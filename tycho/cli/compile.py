"""`tycho compile`: a compose file becomes a chart, and nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tycho.cli import show
from tycho.cli.options import (
    OUTPUT,
    Directory,
    EnvFiles,
    Files,
    MetadataFile,
    Name,
    Policies,
    Profiles,
    Strict,
    Trace,
    Version,
)
from tycho.cli.session import Input, offline, trace

Into = Annotated[
    str, typer.Option("-o", "--output", metavar="DIR", help="Write the chart to DIR.", rich_help_panel=OUTPUT)
]
Report = Annotated[
    bool,
    typer.Option("--report", help="Every key in use, not only those that changed.", rich_help_panel=OUTPUT),
]


def compile(
    files: Files = None,
    name: Name = "",
    env_file: EnvFiles = None,
    profile: Profiles = None,
    project_directory: Directory = "",
    metadata: MetadataFile = "",
    policies: Policies = None,
    strict: Strict = False,
    chart_version: Version = "",
    output: Into = "",
    report: Report = False,
    trace_: Trace = False,
) -> None:
    r"""Make a Helm chart of a compose file; without -o, only say what would become of it.

    \b
    Examples:
      tycho compile -f compose.yaml -o chart
      tycho compile -f compose.yaml --report
    """
    trace(trace_)
    said = Input(files or (), name, env_file or (), profile or (), project_directory, metadata, strict, chart_version)
    chart = said.compile(offline(policies)).chart
    rows = [row for row in chart.report if report or row.fate != "translated"]
    if output:
        chart.write(Path(output))
        show.report(rows, show.say)
        show.out(output)
        return
    show.report(rows, show.out)
    show.say(f"{chart.name}-{chart.version}: {len(chart.files)} files; -o DIR writes them")
