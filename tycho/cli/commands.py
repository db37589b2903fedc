"""How commands are found, what their help looks like, and what is said of words that are none of theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from inspect import cleandoc
from typing import Any, ClassVar, cast

import typer.main
from typer._click.exceptions import NoSuchOption  # typer has its own copy of click, and no public name for this
from typer.core import TyperCommand, TyperGroup

from tycho.cli import compose_words
from tycho.cli.bundles import expand_options
from tycho.cli.options import BUILDING, CLUSTER, INPUT, OUTPUT, WAITING
from tycho.errors import UsageError
from tycho.text import printable

PANELS = (INPUT, BUILDING, CLUSTER, WAITING, OUTPUT, "Options")  # of --help, in this order; a command's own come first
WHOLE_DEFAULT = re.compile(r"(default: [0-9]+)\.0\b")  # seconds are decimal numbers, and their defaults whole ones

SETTINGS: dict[str, dict[str, Any]] = {"exec": {"allow_interspersed_args": False}}  # what follows is the program's
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class Grouped(TyperCommand):
    """A command whose help keeps related options together, without the cost of a rich renderer."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for the arguments, one for each panel that the options name, and one for other options."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                kind = "Arguments" if param.param_type_name == "argument" else "Options"
                title = getattr(param, "rich_help_panel", None) or kind
                panels.setdefault(title, []).append((record[0], WHOLE_DEFAULT.sub(r"\1", record[1])))
        order = dict.fromkeys(["Arguments", *(title for title in panels if title not in PANELS), *PANELS])
        for title in filter(panels.__contains__, order):
            with formatter.section(title):
                formatter.write_dl(panels[title])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options and the words of a command line."""
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            raise unknown_option(self, ctx, error.option_name) from None


class InOrder(TyperGroup):
    """Commands in the order of use, not of the alphabet; each is imported when it is asked for.

    Attributes:
        places: Where each is: a module beside this one, and a function there.
    """

    places: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands as the table has them, and groups after them."""
        return [*self.places, *(name for name in self.commands if name not in self.places)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; None where there is none of this name."""
        if cmd_name in self.places and cmd_name not in self.commands:
            self.commands[cmd_name] = make_command(cmd_name, self.places[cmd_name])
        return super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before a command."""
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            raise unknown_option(self, ctx, error.option_name) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the first word names.

        Raises:
            UsageError: There is none; says what to write instead.
        """
        word = args[0] if args else ""
        if word and not word.startswith("-") and word not in self.list_commands(ctx):
            if not ctx.parent and word in compose_words.COMMANDS:
                raise UsageError(compose_words.COMMANDS[word])
            near = get_close_matches(word, self.list_commands(ctx), 1)
            hint = f'did you mean "{near[0]}"?' if near else f"`{ctx.command_path} --help` lists all"
            raise UsageError(f'there is no command "{printable(word)}"; {hint}')
        return super().resolve_command(ctx, args)


def make_command(name: str, place: str) -> TyperCommand:
    """Make the command that a function is.

    Args:
        name: Of the command.
        place: A module beside this one, and the function.
    """
    module, _, function = place.partition(".")
    command = getattr(import_module(f"tycho.cli.{module}"), function)
    # Docstrings are raw, so a paragraph that click must not wrap is marked by two characters there, not by one.
    text = cleandoc(command.__doc__ or "").replace(r"\b", "\b")
    summary = re.split(r"[;:]|\.$", text.splitlines()[0])[0]
    settings = {**HELP_OPTIONS, **SETTINGS.get(name, {})}
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    app.command(name, cls=Grouped, help=text, short_help=summary, context_settings=settings)(expand_options(command))
    return cast("TyperCommand", typer.main.get_command(app))


def unknown_option(command: TyperCommand | TyperGroup, ctx: Any, option: str) -> UsageError:
    """Make the error for an option that there is not: Tycho's way for one of Compose's, else the nearest one."""
    name = "" if ctx.parent is None else command.name or ""
    if message := compose_words.explain_option(name, option):
        return UsageError(message)
    known = [other for param in command.get_params(ctx) for other in param.opts if other.startswith("--")]
    near = get_close_matches(option, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"`{ctx.command_path} --help` lists all"
    return UsageError(f"{ctx.command_path} has no option {printable(option)}; {hint}")
