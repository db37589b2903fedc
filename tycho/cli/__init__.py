"""The command line: one file a verb, each a thin door to `tycho.lifecycle`.

A command is imported when it is called, and nothing heavy before it runs: `tycho --help` is as quick as Python and
typer allow.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tycho.cli import ends, show
from tycho.cli.commands import HELP_OPTIONS, InOrder
from tycho.errors import FileError, TychoError
from tycho.text import safe_message

HELP = """Run Docker Compose systems on Kubernetes as Helm releases.

\b
Examples:
  tycho up                          start this folder's compose file
  tycho status                      what runs, and where it answers
  tycho logs web -f                 what a service writes
  tycho down $(tycho status -terse) remove everything
  tycho up --local -f compose.yaml  try it without a cluster
"""

COMMANDS: dict[str, str] = {
    "up": "up.up",
    "diff": "diff.diff",
    "build": "build.build",
    "status": "status.status",
    "down": "down.down",
    "ps": "ps.ps",
    "ls": "status.ls",
    "logs": "logs.logs",
    "events": "events.events",
    "exec": "exec.exec",
    "open": "open_.open_",
    "restart": "restart.restart",
    "pause": "pause.pause",
    "resume": "pause.resume",
    "stop": "pause.stop",
    "start": "pause.start",
    "scale": "pause.scale",
    "wait": "wait.wait",
    "modify": "modify.modify",
    "touch": "touch.touch",
    "reap": "reap.reap",
    "history": "revisions.history",
    "rollback": "revisions.rollback",
    "show": "contents.show_system",
    "values": "contents.values",
    "report": "contents.report",
    "compile": "compile.compile",
    "config": "config.config",
    "package": "registry.package",
    "push": "registry.push",
    "policies": "policies.policies",
    "api": "api.api",
    "doctor": "doctor.doctor",
    "version": "doctor.version",
}
"""Where each is: a module of this package, and a function there, which takes the options."""
CLUSTER: dict[str, str] = {
    "create": "cluster.create",
    "status": "cluster.status",
    "delete": "cluster.delete",
}


class _Program(InOrder):
    places = COMMANDS


class _Cluster(InOrder):
    places = CLUSTER


def _version(on: bool) -> None:
    """Print the version for `--version`, and end."""
    if on:
        from tycho.cli import doctor

        doctor.version()
        raise typer.Exit


def _global(version: Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print Tycho's version.")
] = False) -> None:  # fmt: skip
    """Take the options that stand before a command."""


def _app(cls: type[InOrder], help: str) -> typer.Typer:
    return typer.Typer(
        cls=cls, help=help, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False,
        context_settings=HELP_OPTIONS,
    )  # fmt: skip


app = _app(_Program, HELP)
app.callback(cls=_Program, help=HELP)(_global)
app.add_typer(_app(_Cluster, "Keep a Kubernetes cluster on this machine to try things on."), name="cluster")


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
        return ends.choose_code(error.exit_code)
    except OSError as error:
        import logging  # no other command needs it

        logging.getLogger("tycho").debug("the system refuses", exc_info=True)
        place = f"{error.filename}: " if error.filename else ""
        show.info(f"{place}{error.strerror or error}")
        return ends.choose_code(FileError.exit_code)
    except Exception as error:
        if "-t" in sys.argv or "--trace" in sys.argv:
            raise
        show.info(f"tycho: internal error: {type(error).__name__}: {safe_message(str(error))}")
        show.info("  hint: run it again with --trace, and report what it says")
        return ends.choose_code(1)
    return 0
