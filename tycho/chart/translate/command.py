"""`entrypoint`, `command`, `working_dir`, `stdin_open`, `tty`."""

from __future__ import annotations

from tycho.chart.container import Command
from tycho.chart.translate.text import to_command
from tycho.model import Service


def translate_command(service: Service) -> tuple[Command, Command]:
    """Translate what is run: Kubernetes' `command` and `args`, which stand for an image's entrypoint and command."""
    command, args = to_command(service.entrypoint), to_command(service.command)
    return (args, Command()) if service.entrypoint == () and args else (command, args)
