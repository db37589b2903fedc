"""The command line: one file a verb, each a thin door to `tycho.lifecycle`.

Nothing heavy is imported until a command runs: `tycho --help` is as quick as Python and typer allow.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from inspect import cleandoc
from typing import Annotated, Any

import typer

from tycho.cli import (
    api,
    build,
    cluster,
    compile,
    config,
    contents,
    diff,
    doctor,
    down,
    ends,
    events,
    exec,
    logs,
    modify,
    open_,
    pause,
    policies,
    ps,
    reap,
    registry,
    restart,
    revisions,
    show,
    status,
    touch,
    up,
    wait,
)
from tycho.cli.bundles import expand_options
from tycho.cli.commands import Grouped, InOrder
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

COMMANDS: dict[str, Callable[..., Any]] = {
    "up": up.up,
    "diff": diff.diff,
    "build": build.build,
    "status": status.status,
    "down": down.down,
    "ps": ps.ps,
    "ls": status.ls,
    "logs": logs.logs,
    "events": events.events,
    "exec": exec.exec,
    "open": open_.open_,
    "restart": restart.restart,
    "pause": pause.pause,
    "resume": pause.resume,
    "stop": pause.stop,
    "start": pause.start,
    "scale": pause.scale,
    "wait": wait.wait,
    "modify": modify.modify,
    "touch": touch.touch,
    "reap": reap.reap,
    "history": revisions.history,
    "rollback": revisions.rollback,
    "show": contents.show_system,
    "values": contents.values,
    "report": contents.report,
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


SETTINGS: dict[str, dict[str, Any]] = {"exec": {"allow_interspersed_args": False}}  # what follows is the program's
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


def _version(on: bool) -> None:
    """Print the version for `--version`, and end."""
    if on:
        doctor.version()
        raise typer.Exit


def _global(version: Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print Tycho's version.")
] = False) -> None:  # fmt: skip
    """Take the options that stand before a command."""


def _app(commands: dict[str, Callable[..., Any]], help: str) -> typer.Typer:
    app = typer.Typer(
        cls=InOrder, help=help, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False,
        context_settings=HELP_OPTIONS,
    )  # fmt: skip
    for name, command in commands.items():
        # Docstrings are raw, so a paragraph that click must not wrap is marked by two characters there, not by one.
        text = cleandoc(command.__doc__ or "").replace(r"\b", "\b")
        summary = re.split(r"[;:]|\.$", text.splitlines()[0])[0]
        settings = {**HELP_OPTIONS, **SETTINGS.get(name, {})}
        app.command(name, cls=Grouped, help=text, short_help=summary, context_settings=settings)(
            expand_options(command)
        )
    return app


app = _app(COMMANDS, HELP)
app.callback(cls=InOrder, help=HELP)(_global)
app.add_typer(
    _app(CLUSTER, "Keep a Kubernetes cluster on this machine to try things on."),
    name="cluster",
    short_help="Keep a Kubernetes cluster on this machine to try things on",
)


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
