"""Option bundles of commands: each record that a command takes becomes one option for each of its fields.

typer has no bundles of its own; its maintainers advise a decorator (fastapi/typer#153). It reads a command by its
signature and its annotations, so both are set here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

from tycho.cli.display import forgo_colours
from tycho.cli.options import NoColour, Trace


def expand_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with one parameter for each field of its bundles, and with --trace and --no-color.

    Args:
        command: A function whose parameters are options, arguments or bundles of them.

    Raises:
        TypeError: Two bundles have a field of one name.
    """
    bundles: dict[str, type[Struct]] = {}
    parameters: list[Parameter] = []
    for parameter in signature(command, eval_str=True).parameters.values():
        kind = parameter.annotation
        if isinstance(kind, type) and issubclass(kind, Struct):
            bundles[parameter.name] = kind
            parameters += _split_bundle(kind)
        else:
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
    # Every command has these.
    for name, annotation in (("trace", Trace), ("no_color", NoColour)):
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=annotation))
    names = [parameter.name for parameter in parameters]
    if len(set(names)) < len(names):
        raise TypeError(f"{command.__name__}: two options have one name")

    def run(**options: Any) -> None:
        if options.pop("trace"):
            from tycho.cli.trace import start_trace

            start_trace()
        if options.pop("no_color"):
            forgo_colours()
        arguments = {
            name: bundle(**{field.name: options.pop(field.name) for field in fields(bundle)})
            for name, bundle in bundles.items()
        }
        command(**arguments, **options)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


@cache
def _split_bundle(bundle: type[Struct]) -> list[Parameter]:
    """Return a parameter for each field of a bundle."""
    types = get_type_hints(bundle, include_extras=True)
    return [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=types[field.name])
        for field in fields(bundle)
    ]
