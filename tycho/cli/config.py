"""`tycho config`: what a compose file means, to compare with `docker compose config`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from tycho.cli import show
from tycho.cli.options import OUTPUT, ComposeOptions, Format


class Written(StrEnum):
    """How the whole file is written."""

    yaml = "yaml"
    json = "json"


As = Annotated[Written, typer.Option("--format", help="Format of stdout.", rich_help_panel=OUTPUT)]
Verbatim = Annotated[bool, typer.Option("--no-interpolate", help="Leave variables alone.", rich_help_panel=OUTPUT)]
Services = Annotated[bool, typer.Option("--services", help="The services' names alone.", rich_help_panel=OUTPUT)]
Images = Annotated[bool, typer.Option("--images", help="The images' names alone.", rich_help_panel=OUTPUT)]
Hash = Annotated[
    str,
    typer.Option("--hash", metavar="NAMES", help="A digest of these services, or of all: *.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("-q", "--quiet", help="Check the file, and print nothing.", rich_help_panel=OUTPUT)
]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings are errors.", rich_help_panel=OUTPUT)]


def config(
    *,
    compose: ComposeOptions,
    format: As = Written.yaml,
    no_interpolate: Verbatim = False,
    services: Services = False,
    images: Images = False,
    hash: Hash = "",
    quiet: Quiet = False,
    strict: Strict = False,
) -> None:
    r"""Show a compose file in its canonical form, as Docker Compose does.

    \b
    Examples:
      tycho config -f compose.yaml
      tycho config --format json --no-interpolate
      tycho config --hash "*"
    """
    from tycho.compose import canonical, load, uninterpolated
    from tycho.errors import ComposeError

    sources = compose.read_sources()
    if no_interpolate:
        return show.structured(uninterpolated(sources), Format(format))
    system = load(sources)
    if system.warnings and strict:
        raise ComposeError(f"{len(system.warnings)} warnings, and --strict", problems=system.warnings)
    show.problems(system.warnings)
    if quiet:
        return None
    if services:
        return _lines(sorted(system.services))
    if images:
        return _lines(map(system.image_name, sorted(system.services)))
    tree = canonical(system, sources, written=format is Written.yaml and not hash)
    if hash:
        return _hashes(tree["services"], hash)
    return show.structured(tree, Format(format))


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        show.emit(line)


def _hashes(services: Any, names_option: str) -> None:
    from tycho.errors import UsageError

    names = sorted(services) if names_option == "*" else names_option.split(",")
    for name in names:
        if name not in services:
            raise UsageError(f"no such service: {name}", hint=f"it has: {', '.join(sorted(services))}")
        text = json.dumps(services[name], sort_keys=True)
        show.emit(f"{name} {hashlib.sha256(text.encode()).hexdigest()}")
