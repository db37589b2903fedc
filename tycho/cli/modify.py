"""`tycho modify`: other labels, resources or replicas for what runs, without its compose file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from tycho.cli import show
from tycho.cli.changing import change_system, show_changed
from tycho.cli.options import ChangeWaitFlags, Force, OptionalId, OutputOptions, TargetOptions
from tycho.cli.project import ProjectOptions
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.modification import Modification

CHANGE = "The change"


class ChangeOptions(Struct, frozen=True):
    """What is changed of a running system."""

    replicas: Annotated[
        list[str] | None,
        typer.Option("--replicas", metavar="[SERVICE=]N", help="How many pods.", rich_help_panel=CHANGE),
    ] = None
    cpu: Annotated[
        list[str] | None,
        typer.Option("--cpu", metavar="[SERVICE=]CPU", help="The most per container: 500m.", rich_help_panel=CHANGE),
    ] = None
    memory: Annotated[
        list[str] | None,
        typer.Option("--memory", metavar="[SERVICE=]SIZE", help="The same: 256Mi.", rich_help_panel=CHANGE),
    ] = None
    image: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="SERVICE=IMAGE", help="Of which image it runs.", rich_help_panel=CHANGE),
    ] = None
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="Of all pods; NAME- takes it away.", rich_help_panel=CHANGE),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the changes, and make none.", rich_help_panel=CHANGE),
    ] = False

    def read(self) -> Modification:
        """Read the changes; what the values may be is judged later.

        Raises:
            UsageError: Nothing is to be changed, or an option is not written as it must be.
        """
        from tycho.modification import Modification, ServiceChange

        services: dict[str, dict[str, Any]] = {"": {}}
        assignments = {"replicas": self.replicas, "cpu": self.cpu, "memory": self.memory, "image": self.image}
        for kind, texts in assignments.items():
            for text in texts or ():
                service, _, value = text.rpartition("=") if kind != "image" else text.partition("=")
                if kind == "image" and not value:
                    raise UsageError(f'--image "{text}" names no service', hint="write --image web=nginx:1.27")
                services.setdefault(service, {})[kind] = _read_count(value) if kind == "replicas" else value
        changed = {name: ServiceChange(**change) for name, change in services.items()}
        labels = dict(map(_read_label, self.label or ()))
        modification = Modification(labels=labels, common=changed.pop(""), services=changed)
        if modification == Modification():
            raise UsageError("no change is given", hint="write for example --replicas web=3")
        return modification


def modify(
    id: OptionalId = "",
    *,
    changes: ChangeOptions,
    project: ProjectOptions,
    force: Force = False,
    target: TargetOptions,
    wait: ChangeWaitFlags,
    output: OutputOptions,
) -> None:
    r"""Change what runs, as a new revision of it; the next `tycho up` makes it what the compose file says.

    \b
    Examples:
      tycho modify --replicas web=3
      tycho modify shop --cpu 500m --memory web=256Mi
      tycho modify shop --label team=blue

    ID defaults to the project of this folder, SERVICE to all services.
    """
    modification = changes.read()

    modified = change_system(
        lambda lifecycle, guid, _, options: lifecycle.modify(
            guid, modification, dry_run=changes.dry_run, force=force, wait_options=options
        ),
        project, id=id, force=force, target=target, wait=wait, quiet=output.quiet or changes.dry_run,
    )  # fmt: skip
    if changes.dry_run:
        for difference in modified.differences:
            show.emit(difference.words)
        return
    if not output.quiet:
        for difference in modified.differences:
            show.info(difference.words)
    show_changed(modified.release, output)


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f'--replicas "{text}" is not a number', hint="write --replicas web=3")
    return int(text)


def _read_label(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if equals and name:
        return name, value
    if not equals and text.endswith("-") and text != "-":
        return text.removesuffix("-"), None
    raise UsageError(f'--label "{text}" is no label', hint="write --label team=blue, or --label team- to take it away")
