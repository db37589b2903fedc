"""`tycho diff`: what `tycho up` would change."""

from __future__ import annotations

from typing import Annotated

import typer

from tycho.cli import ends
from tycho.cli.comparisons import emit_comparison
from tycho.cli.options import (
    CLUSTER,
    OUTPUT,
    READING,
    CompileOptions,
    Format,
    Output,
    OutputOptions,
    StartTargetOptions,
    Timeout,
)
from tycho.cli.up import Services, compare, make_start
from tycho.cli.up_options import BuildOptions, ImageOptions, InstanceOptions, StartWaitOptions

Id = Annotated[
    str,
    typer.Option("--id", metavar="ID", help="Of several systems of the project, this one.", rich_help_panel=CLUSTER),
]
Objects = Annotated[bool, typer.Option("--objects", help="Kubernetes objects, too.", rich_help_panel=OUTPUT)]
CHANGED, FAILED = 1, 2  # exit codes, as of `diff`


def diff(
    services: Services = None,
    *,
    compose: CompileOptions,
    id: Id = "",
    target: StartTargetOptions,
    timeout: Timeout = READING,
    objects: Objects = False,
    output: Output = Format.table,
) -> None:
    r"""Show what `tycho up` changes in the system of this folder; secrets are masked.

    \b
    Examples:
      tycho diff
      tycho diff -f compose.yaml --objects
      tycho diff -o json

    The exit code is 1 when something changes, and 2 for an error.
    """
    ends.fail_with(FAILED)
    start = make_start(
        services, compose, ImageOptions(), BuildOptions(), InstanceOptions(id=id), target,
        StartWaitOptions(timeout=timeout),
        OutputOptions(output=output),
    )  # fmt: skip
    comparison = compare(start, target)
    emit_comparison(comparison, output, objects=objects)
    if not comparison.empty:
        raise typer.Exit(CHANGED)
