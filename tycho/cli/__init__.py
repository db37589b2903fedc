"""The command line: one file a verb, each a thin door to `tycho.lifecycle`.

Nothing heavy is imported until a command runs: `tycho --help` is as quick as Python and typer allow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tycho.cli import api, cluster, compile, config, doctor, down, logs, policies, registry, revisions, show, status, up
from tycho.errors import TychoError
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
    """Run the command line and exit: 0, 1 unexpected, 2 usage, 10s compose, 20s policy, 30s orchestrator."""
    try:
        app()
    except TychoError as error:
        show.error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        show.say("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        if "-t" in sys.argv or "--trace" in sys.argv:
            raise
        show.say(f"tycho: unexpected {type(error).__name__}: {safe_message(str(error))}")
        show.say("  hint: run it again with --trace, and report what it says")
        sys.exit(1)
