"""The options of `tycho up` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from tycho.cli.options import BUILDING, CLUSTER, INPUT, WAITING, CompileOptions, ForceConflicts, PushPrefix, WaitFlags
from tycho.errors import UsageError

if TYPE_CHECKING:
    from tycho.compose import Sources
    from tycho.orchestrators import WaitOptions as Wait
    from tycho.orchestrators import Watch


class ImageOptions(Struct, frozen=True):
    """One image that runs instead of a compose file."""

    container: Annotated[
        str,
        typer.Option(
            "-c", "--container", metavar="IMAGE", help="Run one image instead of a file.", rich_help_panel=INPUT
        ),
    ] = ""
    port: Annotated[
        str,
        typer.Option(
            "-p", "--port", metavar="PORT", help="With -c: port to publish, as in Compose.", rich_help_panel=INPUT
        ),
    ] = ""
    command: Annotated[
        str, typer.Option("--command", metavar="CMD", help="With -c: command.", rich_help_panel=INPUT)
    ] = ""
    volume: Annotated[
        list[str] | None,
        typer.Option("-v", "--volume", metavar="SRC:DST", help="With -c: volume.", rich_help_panel=INPUT),
    ] = None
    settings: Annotated[
        str,
        typer.Option("--settings", metavar="ENVFILE", help="With -c: its environment.", rich_help_panel=INPUT),
    ] = ""

    def make_sources(self, compose: CompileOptions) -> Sources:
        """Make a compose document of one service.

        Args:
            compose: The options that a compose document has, too.

        Raises:
            UsageError: There is a compose file as well.
        """
        import json

        from tycho.compose import Sources
        from tycho.settings import environment

        if compose.files:
            raise UsageError("-f and -c exclude each other", hint="-c runs one image without a compose file")
        name = compose.name or self.container.rsplit("/", 1)[-1].split("@", maxsplit=1)[0].split(":", maxsplit=1)[0]
        attributes = {
            "image": self.container,
            "ports": [self.port] if self.port else None,
            "command": self.command or None,
            "volumes": self.volume or None,
            "env_file": [self.settings] if self.settings else None,
        }
        document = {"services": {name: {key: value for key, value in attributes.items() if value}}}
        return Sources.from_disk(
            ["-"],
            stdin=json.dumps(document).encode(),
            env=environment(),
            project_directory=compose.project_directory or ".",
            root=compose.root,
            name=name,
        )


class BuildOptions(Struct, frozen=True):
    """Whether images are built first, and where they go."""

    build: Annotated[
        bool,
        typer.Option(
            "--build", help="Build images first, and push them, or load them with --local.", rich_help_panel=BUILDING
        ),
    ] = False
    push: PushPrefix = ""
    pull: Annotated[
        bool,
        typer.Option("--pull", help="Resolve tags again; images are pinned by digest.", rich_help_panel=BUILDING),
    ] = False


class InstanceOptions(Struct, frozen=True):
    """Which system of a project is started or upgraded."""

    new: Annotated[bool, typer.Option("--new", help="Another instance, even if one runs.", rich_help_panel=CLUSTER)] = (
        False
    )
    id: Annotated[
        str,
        typer.Option(
            "--id", metavar="ID", help="Upgrade this one of several systems of the project.", rich_help_panel=CLUSTER
        ),
    ] = ""
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Upgrade it even if it was started by somebody else, or from elsewhere.",
            rich_help_panel=CLUSTER,
        ),
    ] = False
    modify: Annotated[
        bool, typer.Option("-m", "--modify", help="Fail if the system is not running.", rich_help_panel=CLUSTER)
    ] = False
    ttl: Annotated[
        str,
        typer.Option("--ttl", metavar="TIME", help="Pause it after so long: 8h, 2d; see docs/expiry.md.",
                     rich_help_panel=CLUSTER),
    ] = ""  # fmt: skip
    force_conflicts: ForceConflicts = False


class EffectOptions(Struct, frozen=True):
    """What a start may change."""

    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the changes, and make none.", rich_help_panel=CLUSTER),
    ] = False


class StartWaitOptions(WaitFlags, frozen=True):
    """Whether to wait, with the options of Docker Compose that change nothing here."""

    rollback_on_failure: Annotated[
        bool,
        typer.Option(
            "--rollback-on-failure", help="Go back if an upgrade fails; takes as long again.", rich_help_panel=WAITING
        ),
    ] = False
    detach: Annotated[
        bool, typer.Option("-d", "--detach", help="Accepted: up never stays attached.", rich_help_panel=WAITING)
    ] = False
    accepted: Annotated[bool, typer.Option("--wait", "--remove-orphans", "--no-build", hidden=True)] = False

    def with_watch(self, watch: Watch) -> Wait:
        """Return what the verbs take; see `WaitOptions`."""
        return replace(super().with_watch(watch), rollback=self.rollback_on_failure)
