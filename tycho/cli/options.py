"""The options that several commands share, each declared once.

A command takes bundles of them: frozen records whose fields are options. `tycho.cli.bundles` takes the bundles
apart for typer and puts them together again when the command runs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tycho.compose import Sources
    from tycho.orchestrators import WaitOptions as Wait
    from tycho.orchestrators import Watch


class Format(StrEnum):
    """How data is written to stdout."""

    table = "table"
    json = "json"
    yaml = "yaml"


class StatusFormat(StrEnum):
    """How systems are written to stdout."""

    table = "table"
    wide = "wide"
    json = "json"
    yaml = "yaml"


# The panels of --help
INPUT = "The system"
CLUSTER = "The cluster"
WAITING = "Waiting"
OUTPUT = "Output"
BUILDING = "Images"

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="GUIDs, unique prefixes, release or project names."),
]
OptionalId = Annotated[str, typer.Argument(metavar="[ID]", help="GUID, unique prefix, release or project name.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID] [SERVICE]...", help="GUID, unique prefix, release or project name; services of it."),
]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policies", metavar="DIR", help="Folder of further policies.", rich_help_panel=INPUT),
]
Files = Annotated[
    list[str] | None,
    typer.Option("-f", "--file", metavar="FILE", help="Compose file; again for overrides.", rich_help_panel=INPUT),
]
FilesLong = Annotated[  # where -f means to follow
    list[str] | None,
    typer.Option("--file", metavar="FILE", help="Compose file; again for overrides.", rich_help_panel=INPUT),
]
Name = Annotated[
    str,
    typer.Option("--name", metavar="NAME", help="Project name instead of the file's.", rich_help_panel=INPUT),
]
Directory = Annotated[
    str,
    typer.Option("--project-directory", metavar="DIR", help="What paths are relative to.", rich_help_panel=INPUT),
]
Force = Annotated[bool, typer.Option("--force", help="Do it to somebody else's system, too.", rich_help_panel=CLUSTER)]
ForceConflicts = Annotated[
    bool,
    typer.Option("--force-conflicts", help="Take back what others changed in the cluster.", rich_help_panel=CLUSTER),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", help="For the whole command.", rich_help_panel=WAITING),
]
FindTimeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="To find the system.", rich_help_panel=WAITING)
]
READING = 60.0  # seconds that a command may take which only reads
Output = Annotated[Format, typer.Option("-o", "--output", help="Format of stdout.", rich_help_panel=OUTPUT)]
StatusOutput = Annotated[
    StatusFormat,
    typer.Option("-o", "--output", help="Format of stdout; wide: a row a service.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.", rich_help_panel=OUTPUT)]
Trace = Annotated[bool, typer.Option("-t", "--trace", help="Log what is done on stderr.", rich_help_panel=OUTPUT)]
NoColour = Annotated[
    bool, typer.Option("--no-color", help="No colours on a terminal; NO_COLOR says the same.", rich_help_panel=OUTPUT)
]
PushPrefix = Annotated[
    str,
    typer.Option("--push", metavar="PREFIX", help="Push images below PREFIX, a registry and a path in it.",
                 rich_help_panel=BUILDING),
]  # fmt: skip


class ComposeOptions(Struct, frozen=True):
    """Which compose files are read, and with which variables."""

    files: Files = None
    name: Name = ""
    env_file: Annotated[
        list[str] | None,
        typer.Option("--env-file", metavar="FILE", help="Variables, instead of .env.", rich_help_panel=INPUT),
    ] = None
    profile: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help="Compose profile to enable.", rich_help_panel=INPUT),
    ] = None
    project_directory: Directory = ""
    root: Annotated[
        str,
        typer.Option("--root", metavar="DIR", help="Folder above whose files may travel, too.", rich_help_panel=INPUT),
    ] = ""

    def read_sources(self, outputs: Sequence[str] = ()) -> Sources:
        """Read the compose files, found as Docker Compose finds them.

        Args:
            outputs: Paths that the command writes to: they are no part of the project.
        """
        from tycho.compose import Sources
        from tycho.settings import environment

        return Sources.from_disk(
            self.files or (),
            env=environment(),
            project_directory=self.project_directory,
            env_files=self.env_file or (),
            name=self.name,
            profiles=self.profile or (),
            root=self.root,
            outputs=tuple(filter(None, outputs)),
        )


class CompileOptions(ComposeOptions, frozen=True):
    """How compose files become a chart."""

    metadata: Annotated[
        str,
        typer.Option("--metadata", metavar="FILE", help="Of services: port, clients, values.", rich_help_panel=INPUT),
    ] = ""
    policies: Policies = None
    strict: Annotated[
        bool, typer.Option("--strict", help="Approximated and ignored keys are errors.", rich_help_panel=INPUT)
    ] = False


class ChartOptions(CompileOptions, frozen=True):
    """How compose files become a chart that is kept."""

    chart_version: Annotated[
        str, typer.Option("--chart-version", metavar="SEMVER", help="The chart's version.", rich_help_panel=INPUT)
    ] = ""


class ClusterOptions(Struct, frozen=True):
    """Which cluster is meant, and by which orchestrator."""

    namespace: Annotated[
        str,
        typer.Option(
            "-n", "--namespace", metavar="NS", help="Run in this namespace; by default each has its own.",
            rich_help_panel=CLUSTER,
        ),
    ] = ""  # fmt: skip
    context: Annotated[
        str, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig.", rich_help_panel=CLUSTER)
    ] = ""
    local: Annotated[
        bool,
        typer.Option("--local", help="Use a cluster on this machine, made if need be.", rich_help_panel=CLUSTER),
    ] = False
    backplane: Annotated[
        str,
        typer.Option("-b", "--backplane", metavar="NAME", help="What runs it: helm, docker.", rich_help_panel=CLUSTER),
    ] = ""


class StartTargetOptions(ClusterOptions, frozen=True):
    """Where a system is started: on a cluster, or by a Tycho API."""

    service: Annotated[
        str, typer.Option("--service", metavar="URL", help="Ask a Tycho API instead.", rich_help_panel=CLUSTER)
    ] = ""


class TargetOptions(StartTargetOptions, frozen=True):
    """Where a running system is looked for."""

    namespace: Annotated[
        str,
        typer.Option("-n", "--namespace", metavar="NS", help="Look in this namespace only.", rich_help_panel=CLUSTER),
    ] = ""


class WaitFlags(Struct, frozen=True):
    """Whether a command waits until pods are ready, and how long."""

    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return once it is accepted.", rich_help_panel=WAITING)] = (
        False
    )
    timeout: Timeout = 300.0

    def with_watch(self, watch: Watch) -> Wait:
        """Return what the verbs take.

        Args:
            watch: Called with each new state of the system.
        """
        from tycho.orchestrators import WaitOptions as Wait

        return Wait(wait=not self.no_wait, timeout=self.timeout, watch=watch)


class ChangeWaitFlags(WaitFlags, frozen=True):
    """How a change is made of what runs already, and whether a command waits for it."""

    force_conflicts: ForceConflicts = False

    def with_watch(self, watch: Watch) -> Wait:
        """Return what the verbs take; see `WaitFlags`."""
        return replace(super().with_watch(watch), force_conflicts=self.force_conflicts)


class OutputOptions(Struct, frozen=True):
    """What a command writes that changes a system."""

    output: Output = Format.table
    quiet: Quiet = False
