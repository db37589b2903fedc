"""The options that several commands share: one name, one letter, one meaning everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How data is written to stdout."""

    table = "table"
    json = "json"
    yaml = "yaml"


INPUT = "The system"
CLUSTER = "The cluster"
WAITING = "Waiting"
OUTPUT = "Output"

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
EnvFiles = Annotated[
    list[str] | None,
    typer.Option("--env-file", metavar="FILE", help="Variables, instead of .env.", rich_help_panel=INPUT),
]
Profiles = Annotated[
    list[str] | None,
    typer.Option("--profile", metavar="NAME", help="Compose profile to enable.", rich_help_panel=INPUT),
]
Directory = Annotated[
    str,
    typer.Option("--project-directory", metavar="DIR", help="What paths are relative to.", rich_help_panel=INPUT),
]
Root = Annotated[
    str,
    typer.Option("--root", metavar="DIR", help="Folder above whose files may travel, too.", rich_help_panel=INPUT),
]
MetadataFile = Annotated[
    str,
    typer.Option("--metadata", metavar="FILE", help="Of services: port, clients, values.", rich_help_panel=INPUT),
]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policies", metavar="DIR", help="Folder of further policies.", rich_help_panel=INPUT),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Approximated and ignored keys are errors.", rich_help_panel=INPUT)
]
Version = Annotated[
    str, typer.Option("--chart-version", metavar="SEMVER", help="The chart's version.", rich_help_panel=INPUT)
]

Namespace = Annotated[
    str,
    typer.Option(
        "-n", "--namespace", metavar="NS", help="Run in this namespace; by default each has its own.",
        rich_help_panel=CLUSTER,
    ),
]  # fmt: skip
LookIn = Annotated[
    str,
    typer.Option("-n", "--namespace", metavar="NS", help="Look in this namespace only.", rich_help_panel=CLUSTER),
]
Context = Annotated[
    str, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig.", rich_help_panel=CLUSTER)
]
Local = Annotated[
    bool,
    typer.Option("--local", help="Use a cluster on this machine, made if need be.", rich_help_panel=CLUSTER),
]
Backplane = Annotated[
    str, typer.Option("-b", "--backplane", metavar="NAME", help="Orchestrator.", rich_help_panel=CLUSTER)
]
Service = Annotated[
    str, typer.Option("--service", metavar="URL", help="Ask a Tycho API instead.", rich_help_panel=CLUSTER)
]

Force = Annotated[bool, typer.Option("--force", help="Do it to somebody else's system, too.", rich_help_panel=CLUSTER)]

NoWait = Annotated[bool, typer.Option("--no-wait", help="Return once it is accepted.", rich_help_panel=WAITING)]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", help="For the whole command.", rich_help_panel=WAITING),
]

Output = Annotated[Format, typer.Option("-o", "--output", help="Format of stdout.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.", rich_help_panel=OUTPUT)]
Trace = Annotated[bool, typer.Option("-t", "--trace", help="Log what is done on stderr.", rich_help_panel=OUTPUT)]

BUILDING = "Images"
Build = Annotated[
    bool,
    typer.Option("--build", help="Build images first, and push them, or load them with --local.",
                 rich_help_panel=BUILDING),
]  # fmt: skip
PushPrefix = Annotated[
    str,
    typer.Option("--push", metavar="PREFIX", help="Push images below PREFIX, a registry and a path in it.",
                 rich_help_panel=BUILDING),
]  # fmt: skip
NoCache = Annotated[bool, typer.Option("--no-cache", help="Build all of it anew.", rich_help_panel=BUILDING)]
Pull = Annotated[bool, typer.Option("--pull", help="Look for newer base images.", rich_help_panel=BUILDING)]

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="GUIDs, unique prefixes, release or project names."),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID] [SERVICE]...", help="GUID, unique prefix, release or project name; services of it."),
]
SystemId = Annotated[
    str,
    typer.Option("--id", metavar="ID", help="The system; all words are then services.", rich_help_panel=INPUT),
]
