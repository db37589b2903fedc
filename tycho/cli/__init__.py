"""The command line: one file a verb, each a thin door to `tycho.lifecycle`.

Nothing heavy is imported until a command runs: `tycho --help` is as quick as Python and typer allow.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tycho.cli import (
    api,
    cluster,
    compile,
    config,
    doctor,
    down,
    ends,
    logs,
    policies,
    registry,
    revisions,
    show,
    status,
    up,
)
from tycho.errors import FileError, TychoError
from tycho.text import safe_message

HELP = """Run Docker Compose systems on Kubernetes as Helm releases.

\b
Examples:
  tycho up -f compose.yaml          start a system, or upgrade it
  tycho status                      what runs, and where it answers
  tycho down $(tycho status -terse) remove everything
  tycho up --local -f compose.yaml  try it without a cluster
"""

COMMANDS: dict[str, Callable[..., Any]] = {
    "up": up.up,
    "status": status.status,
    "down": down.down,
    "logs": logs.logs,
    "history": revisions.history,
    "rollback": revisions.rollback,
    "compile": compile.compile,
    "config": config.config,
    "package": registry.package,
    "push": registry.push,
    "policies": policies.policies,
    "api": api.api,
    "doctor": doctor.doctor,
    "version": doctor.version,
}
CLUSTER: dict[str, Callable[..., Any]] = {
    "create": cluster.create,
    "status": cluster.status,
    "delete": cluster.delete,
}


class Grouped(TyperCommand):
    """A command whose help keeps related options together, without the cost of a rich renderer."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each panel that the options name."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                panels.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(record)
        for title in sorted(panels, key=lambda title: title == "Options"):
            with formatter.section(title):
                formatter.write_dl(panels[title])


class InOrder(TyperGroup):
    """Commands in the order of use, not of the alphabet."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The table's order."""
        return list(self.commands)


def _app(commands: dict[str, Callable[..., Any]], help: str) -> typer.Typer:
    app = typer.Typer(
        cls=InOrder, help=help, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False
    )
    for name, command in commands.items():
        # Docstrings are raw, so a paragraph that click must not wrap is marked by two characters there, not by one.
        app.command(name, cls=Grouped, help=cleandoc(command.__doc__ or "").replace(r"\b", "\b"))(command)
    return app


app = _app(COMMANDS, HELP)
app.add_typer(_app(CLUSTER, "Keep a Kubernetes cluster on this machine to try things on."), name="cluster")


def main() -> None:
    """Run the command line and exit: 0, 1 unexpected, 2 usage, 10s compose, 20s policy, 30s orchestrator, 128+n."""
    ends.open_streams()
    ends.listen()
    ends.leave(_run())


def _run() -> int:
    """Run a command; its exit code."""
    try:
        app()
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # typer has its own opinion of these
            return ends.BROKEN_PIPE
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    except KeyboardInterrupt:
        return 130
    except TychoError as error:
        if not ends.received():
            show.error(error)
        return error.exit_code
    except OSError as error:
        logging.getLogger("tycho").debug("the system refuses", exc_info=True)
        place = f"{error.filename}: " if error.filename else ""
        show.say(f"{place}{error.strerror or error}")
        return FileError.exit_code
    except Exception as error:
        if "-t" in sys.argv or "--trace" in sys.argv:
            raise
        show.say(f"tycho: unexpected {type(error).__name__}: {safe_message(str(error))}")
        show.say("  hint: run it again with --trace, and report what it says")
        return 1
    return 0
