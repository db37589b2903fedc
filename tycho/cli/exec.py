"""`tycho exec`: a program in a container that runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tycho.cli import show
from tycho.cli.options import INPUT, READING, FindTimeout, Force, TargetOptions
from tycho.cli.project import SystemOptions, choose_system
from tycho.cli.session import run
from tycho.errors import UsageError
from tycho.time_limit import limit_time

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle

PROGRAM = "The program"
NO_CHDIR = 125  # what `env` ends with when it does not know -C, or there is no such folder
Words = Annotated[
    list[str], typer.Argument(metavar="[ID] SERVICE COMMAND...", help="Which service, and what to run in it.")
]
NoTty = Annotated[bool, typer.Option("-T", "--no-tty", help="No terminal: streams as they are.",
                                     rich_help_panel=PROGRAM)]  # fmt: skip
Variables = Annotated[
    list[str] | None,
    typer.Option("-e", "--env", metavar="NAME[=VALUE]", help="Variable for it; again for more.",
                 rich_help_panel=PROGRAM),
]  # fmt: skip
Workdir = Annotated[str, typer.Option("-w", "--workdir", metavar="DIR", help="Folder to start in.",
                                      rich_help_panel=PROGRAM)]  # fmt: skip
Index = Annotated[int, typer.Option("--index", metavar="N", min=1, help="Which container of the service.",
                                    rich_help_panel=INPUT)]  # fmt: skip


def exec(
    words: Words,
    *,
    no_tty: NoTty = False,
    env: Variables = None,
    workdir: Workdir = "",
    index: Index = 1,
    system: SystemOptions,
    force: Force = False,
    target: TargetOptions,
    timeout: FindTimeout = READING,
) -> None:
    r"""Run a program in a running container; its exit code is the command's.

    \b
    Examples:
      tycho exec web sh
      tycho exec shop db psql -U postgres
      tycho exec -T db pg_dump app > app.sql

    ID defaults to the project of this folder. Options stand before SERVICE.
    """
    environment = read_variables(env or ())

    async def act(lifecycle: Lifecycle) -> int:
        from tycho.cli.terminal import Terminal, raw_mode
        from tycho.orchestrators import ExecRequest

        with limit_time(timeout):
            release, arguments = await choose_system(lifecycle, system, words, id=system.id, change=True, force=force)
        if len(arguments) < 2:
            raise UsageError("no command is named" if arguments else "no service is named",
                             hint=f"write `tycho exec {release.identity.name} SERVICE COMMAND`")  # fmt: skip
        service, *command = arguments
        program = ExecRequest(tuple(command), environment, workdir, index)
        tty = not no_tty and sys.stdin.isatty() and sys.stdout.isatty()
        with raw_mode(tty):
            return await lifecycle.exec(release.identity.guid, service, program, Terminal(tty=tty), force=force)

    code = run(act, target)
    if code == NO_CHDIR and workdir:
        show.info(f"hint: -w needs {workdir} and an `env` with -C in the image; else write sh -c 'cd DIR && …'")
    sys.exit(code)


def read_variables(assignments: Sequence[str]) -> Mapping[str, str]:
    """Read `NAME=VALUE`, or `NAME` alone for the caller's own value.

    Raises:
        UsageError: A name is empty, or not set where it stands alone.
    """
    from tycho.settings import environment

    own, variables = environment(), {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not name or (not equals and name not in own):
            raise UsageError(f'-e "{name}" names no variable that is set', hint="write -e NAME=VALUE")
        variables[name] = value if equals else own[name]
    return variables
