"""`entrypoint`, `command`, `working_dir`, `stdin_open`, `tty`."""

from __future__ import annotations

from tycho.chart.container import Command
from tycho.chart.expressions import to_command, to_text
from tycho.chart.hidden import holds_secret
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, rejected, translated
from tycho.chart.translate.key_use import KeyUse, container
from tycho.model import Reworded, Service


def translate_command(service: Service) -> tuple[Command, Command]:
    """Translate what is run: Kubernetes' `command` and `args`, which stand for an image's entrypoint and command."""
    command, args = to_command(service.entrypoint), to_command(service.command)
    return (args, Command()) if service.entrypoint == () and args else (command, args)


def assess_command(use: KeyUse) -> Rows:
    """Assess a line that is split when it is rendered, as its variables bring blanks: no secret may be torn apart."""
    if use.value and isinstance(use.value[0], Reworded) and holds_secret(use.value[0].line, "command"):
        why = "it contains a secret, and a variable changes how this line is split into words"
        yield "", rejected(why, "write a list")


def assess_arguments(use: KeyUse) -> Rows:
    """Assess `command`, which stands in the place of an entrypoint that is taken away."""
    if rows := list(assess_command(use)):
        yield from rows
    elif use.value and use.service.entrypoint == ():
        yield "", translated("command (live)", container("command"))


def assess_entrypoint(use: KeyUse) -> Rows:
    """Assess `entrypoint`: it can be replaced, not taken away."""
    yield from assess_command(use)
    if use.value == () and use.service.command:
        yield "", translated("command, from the compose file's command (live)", container("command"))
    elif use.value == ():
        why = "Kubernetes cannot remove an image's entrypoint and keep its command"
        yield "", approximated("", why, "write the whole command")


def assess_init(use: KeyUse) -> Rows:
    """Assess `init`, where it asks for nothing."""
    if not use.value:
        yield "", translated("nothing to do")


KEYS: Table = {
    "entrypoint": translated("command (live)", container("command"), assess=assess_entrypoint),
    "command": translated("args (live)", container("args"), assess=assess_arguments),
    "working_dir": translated(
        "workingDir (live)", container("workingDir"), read=lambda service: to_text(service.working_dir)
    ),
    "init": ignored(
        "Kubernetes adds no init process to a container",
        "start an init process in the image, such as tini",
        assess_init,
    ),
    "tty": translated("tty", container("tty"), read=lambda service: service.tty),
    "stdin_open": translated("stdin", container("stdin"), read=lambda service: service.stdin_open),
    "attach": ignored("it configures the terminal of `docker compose up`", "kubectl logs shows every container"),
}
