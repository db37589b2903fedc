"""`tycho compile`: a compose file becomes a chart, and nothing else happens."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tycho.cli import show
from tycho.cli.options import (
    OUTPUT,
    Directory,
    EnvFiles,
    Files,
    Format,
    MetadataFile,
    Name,
    Policies,
    Profiles,
    Root,
    Strict,
    Trace,
    Version,
)
from tycho.cli.session import Input, offline, trace
from tycho.files import VALUES_MARK
from tycho.outputs import write_file

Into = Annotated[
    str, typer.Option("-o", "--output", metavar="DIR", help="Write the chart to DIR.", rich_help_panel=OUTPUT)
]
Values = Annotated[
    str,
    typer.Option(
        "--values", metavar="FILE", help="Write this environment's values, secrets too, to FILE.",
        rich_help_panel=OUTPUT,
    ),
]  # fmt: skip
Report = Annotated[
    bool,
    typer.Option("--report", help="Every key in use, not only those that changed.", rich_help_panel=OUTPUT),
]
Explain = Annotated[bool, typer.Option("--explain", help="What each policy changed; no chart.", rich_help_panel=OUTPUT)]
Formatted = Annotated[Format, typer.Option("--format", help="Format of the report.", rich_help_panel=OUTPUT)]


def compile(
    files: Files = None,
    name: Name = "",
    env_file: EnvFiles = None,
    profile: Profiles = None,
    project_directory: Directory = "",
    root: Root = "",
    metadata: MetadataFile = "",
    policies: Policies = None,
    strict: Strict = False,
    chart_version: Version = "",
    output: Into = "",
    values: Values = "",
    report: Report = False,
    explain: Explain = False,
    format: Formatted = Format.table,
    trace_: Trace = False,
) -> None:
    r"""Make a Helm chart of a compose file; without -o, only says what becomes of it.

    \b
    Examples:
      tycho compile -f compose.yaml -o chart
      tycho compile --metadata prod.yaml -o chart --values values.yaml
      tycho compile -f compose.yaml --report --format json
      tycho compile -f compose.yaml --explain
    """
    trace(trace_)
    given = (files or (), name, env_file or (), profile or (), project_directory, metadata, strict, chart_version)
    said = Input(*given, root=root, outputs=(output, values))
    from tycho.chart import release_values, values_yaml

    if explain:
        show.steps(offline(policies).explain(said.sources(), metadata=said.services()), format)
        return
    compiled = said.compile(offline(policies))
    chart = compiled.artifact
    rows = [row for row in chart.report if report or row.outcome != "translated"]
    if output:
        chart.write(Path(output))
    if values:
        text = VALUES_MARK + values_yaml(release_values(compiled.policy_result.system, compiled.metadata))
        write_file(Path(values), text.encode(), 0o600)  # it holds secrets
    if format is not Format.table:
        show.data([asdict(row) for row in rows], format)
    else:
        show.report(rows, show.say if output else show.out)
    if not output:
        show.say(f"{chart.name}-{chart.version}: {len(chart.files)} files; -o DIR writes them")
    elif format is Format.table:
        show.out(output)
