"""`tycho compile`: a compose file becomes a chart, and nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tycho.cli import metadata, show
from tycho.cli.options import OUTPUT, ChartOptions, Format
from tycho.cli.session import compile_project, offline
from tycho.collector import paused
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


@paused()  # the process ends soon: whatever it made is written once, and then gone
def compile(
    *,
    options: ChartOptions,
    output: Into = "",
    values: Values = "",
    report: Report = False,
    explain: Explain = False,
    format: Formatted = Format.table,
) -> None:
    r"""Make a Helm chart of a compose file; without -o, only reports what changes.

    \b
    Examples:
      tycho compile -f compose.yaml -o chart
      tycho compile --metadata prod.yaml -o chart --values values.yaml
      tycho compile -f compose.yaml --report --format json
      tycho compile -f compose.yaml --explain
    """
    from tycho.chart import release_values, values_yaml

    sources = options.read_sources(outputs=(output, values))
    compilation = offline(options.policies)
    if explain:
        show.steps(compilation.explain(sources, metadata=metadata.read(options.metadata)), format)
        return
    compiled = compile_project(compilation, options, sources, version=options.chart_version)
    chart = compiled.artifact
    rows = [row for row in chart.report if report or row.outcome != "translated"]
    if output:
        chart.write(Path(output))
    if values:
        text = VALUES_MARK + values_yaml(release_values(compiled.policy_result.system, compiled.metadata))
        write_file(Path(values), text.encode(), 0o600)  # it holds secrets
    if format is not Format.table:
        show.structured([row.as_mapping() for row in rows], format)
    else:
        show.report(rows, show.info if output else show.emit)
    if not output:
        show.info(f"{chart.name}-{chart.version}: {len(chart.files)} files; -o DIR writes them")
    elif format is Format.table:
        show.emit(output)
