"""`tycho modify`: other labels, resources or replicas for what runs, without its compose file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tycho.cli import show
from tycho.cli.options import (
    Backplane,
    Context,
    Directory,
    Files,
    Force,
    Format,
    Local,
    LookIn,
    Name,
    NoWait,
    Output,
    Quiet,
    Service,
    Timeout,
    Trace,
)
from tycho.cli.progress import progress
from tycho.cli.project import Here, choose_system
from tycho.cli.revisions import OptionalId
from tycho.cli.session import run, trace
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.lifecycle import Lifecycle
    from tycho.modification import Modification
    from tycho.operations import Modified

CHANGE = "The change"
Replicas = Annotated[list[str] | None, typer.Option("--replicas", metavar="[SERVICE=]N", help="How many pods.",
                                                    rich_help_panel=CHANGE)]  # fmt: skip
Cpu = Annotated[list[str] | None, typer.Option("--cpu", metavar="[SERVICE=]CPU", help="The most per container: 500m.",
                                               rich_help_panel=CHANGE)]  # fmt: skip
Memory = Annotated[list[str] | None, typer.Option("--memory", metavar="[SERVICE=]SIZE", help="The same: 256Mi.",
                                                  rich_help_panel=CHANGE)]  # fmt: skip
Image = Annotated[list[str] | None, typer.Option("--image", metavar="SERVICE=IMAGE", help="Of which image it runs.",
                                                 rich_help_panel=CHANGE)]  # fmt: skip
Label = Annotated[list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="Of all pods; NAME- takes it"
                                                 " away.", rich_help_panel=CHANGE)]  # fmt: skip
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.",
                                      rich_help_panel=CHANGE)]  # fmt: skip


def modify(
    id: OptionalId = "",
    replicas: Replicas = None,
    cpu: Cpu = None,
    memory: Memory = None,
    image: Image = None,
    label: Label = None,
    dry_run: DryRun = False,
    files: Files = None,
    name: Name = "",
    project_directory: Directory = "",
    force: Force = False,
    namespace: LookIn = "",
    context: Context = "",
    local: Local = False,
    backplane: Backplane = "",
    service: Service = "",
    no_wait: NoWait = False,
    timeout: Timeout = 300.0,
    output: Output = Format.table,
    quiet: Quiet = False,
    trace_: Trace = False,
) -> None:
    r"""Change what runs, as a new revision of it; the next `tycho up` makes it what the compose file says.

    \b
    Examples:
      tycho modify --replicas web=3
      tycho modify shop --cpu 500m --memory web=256Mi
      tycho modify shop --label team=blue

    Without ID, the project of this folder is meant. Without SERVICE, a change is of all services.
    """
    trace(trace_)
    here = Here(files or (), name, project_directory)
    assignments = {"replicas": replicas, "cpu": cpu, "memory": memory, "image": image}
    wanted = read_changes({key: values or () for key, values in assignments.items()}, label or ())

    async def act(lifecycle: Lifecycle) -> Modified:
        from tycho.orchestrators import WaitOptions

        release, _ = await choose_system(lifecycle, here, id=id, change=True, force=force)
        with progress(quiet or no_wait or dry_run) as watch:
            return await lifecycle.modify(
                release.identity.guid,
                wanted,
                dry_run=dry_run,
                force=force,
                wait_options=WaitOptions(wait=not no_wait, timeout=timeout, watch=watch),
            )

    modified = run(act, namespace=namespace, context=context, local=local, backplane=backplane, service=service)
    if dry_run:
        for difference in modified.differences:
            show.out(difference.words)
        return
    if not quiet:
        for difference in modified.differences:
            show.say(difference.words)
        show.notes(modified.release)
    show.status([modified.release], output)


def read_changes(assignments: dict[str, Sequence[str]], labels: Sequence[str]) -> Modification:
    """Read what is wanted of the options; what the values may be is judged later.

    Args:
        assignments: Of each kind of change: `[SERVICE=]VALUE`.
        labels: `NAME=VALUE`, or `NAME-`.

    Raises:
        UsageError: Nothing is wanted, or it is not written so.
    """
    from tycho.modification import Modification, ServiceChange

    services: dict[str, dict[str, Any]] = {"": {}}
    for kind, texts in assignments.items():
        for text in texts:
            service, _, value = text.rpartition("=") if kind != "image" else text.partition("=")
            if kind == "image" and not value:
                raise UsageError(f'--image "{text}" names no service', hint="write --image web=nginx:1.27")
            services.setdefault(service, {})[kind] = _read_count(value) if kind == "replicas" else value
    changed = {name: ServiceChange(**change) for name, change in services.items()}
    wanted = Modification(labels=dict(map(_read_label, labels)), every=changed.pop(""), services=changed)
    if wanted == Modification():
        raise UsageError("nothing is to be changed", hint="write for example --replicas web=3")
    return wanted


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
