"""What a back end is given: an artifact, what compiles that for it, and the instance of it that is to run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import Struct, field

from tycho.chart import ReportEntry
from tycho.errors import UsageError
from tycho.model import PolicyResult, Project, ServiceMetadata
from tycho.release import Identity, Origin, Release
from tycho.text import printable

if TYPE_CHECKING:
    from tycho.urls import UrlOptions

NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NO_LABELS: Mapping[str, str] = {}
Watch = Callable[[Release], None]
"""Called with every new look at a release while a verb waits for it."""


class Target(Struct, frozen=True):
    """Where the verbs act, as kubectl and helm say it.

    Args:
        kubeconfig: Path of the file, or "" for kubectl's own way of finding it.
        context: Context in that file, or "" for the current one.
        namespace: A namespace to share, or "" for one of its own per system.
    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""

    def __post_init__(self) -> None:
        """Check what becomes part of addresses and arguments.

        Raises:
            UsageError: This cannot be a namespace or a context.
        """
        if self.namespace and not NAMESPACE.fullmatch(self.namespace):
            raise UsageError(
                f'"{printable(self.namespace)}" cannot be a namespace',
                hint="write up to 63 of a-z, 0-9 and -, without a - at either end",
            )
        if not self.context.isprintable():
            raise UsageError(f'"{printable(self.context)}" cannot be a context', hint="name one of the kubeconfig")


class WaitOptions(Struct, frozen=True):
    """How long a verb may take.

    Args:
        wait: Whether the verb returns only once the system is ready (or gone).
        timeout: Seconds, for the whole verb; default 300.
        watch: Told of progress.
        tell: Told in words what is being done, where that takes a while.
        rollback: Whether an upgrade that fails is undone; going back may take as long once more.
        force_conflicts: Whether a change takes back the fields of objects that others have changed.
    """

    wait: bool = True
    timeout: float = 300.0
    watch: Watch = field(default=lambda release: None)
    tell: Callable[[str], None] = field(default=lambda line: None)
    rollback: bool = False
    force_conflicts: bool = False


class Artifact(Protocol):
    """What a back end runs, made of a compose file and policies alone: no variable's value is in it."""

    @property
    def name(self) -> str:
        """Its name, a DNS label."""

    @property
    def version(self) -> str:
        """Its version, SemVer 2."""

    @property
    def platform(self) -> str:
        """What it runs on, as people call it."""

    @property
    def files(self) -> Mapping[str, str | bytes]:
        """Its files, by path."""

    @property
    def report(self) -> tuple[ReportEntry, ...]:
        """What became of each key of the compose file."""

    @property
    def digest(self) -> str:
        """sha256 over paths and contents of its files."""

    @property
    def compose_digest(self) -> str:
        """sha256 of the compose file."""

    @property
    def policies_digest(self) -> str:
        """sha256 of the policies in force, "" where there are none."""

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it runs, in the order of the file."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of what it makes, as the back end calls them."""

    @property
    def compose(self) -> str:
        """The compose file that it was made of."""

    def write(self, folder: Path) -> None:
        """Write its files into a folder."""

    def archive(self) -> bytes:
        """Pack it into one file."""


class Compiler(Protocol):
    """What compiles for a back end: part of it, or something lighter.

    Attributes:
        not_supported: Verbs that the back end does not have.
    """

    not_supported: ClassVar[frozenset[str]]

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> Artifact:
        """Make what the back end runs of a project with its policies applied; pure."""


class Instance(Struct, frozen=True):
    """A system that is to run: who it is, and what its caller gives it beside the artifact.

    Args:
        identity: Which system.
        project: What the artifact was made of, with the values of variables and the contents of configs and secrets.
        metadata: What the caller says of single services.
        owner: The whole name of the user whose it is; a label may hold less.
        origin: Where it is started from; None where there is no project.
        directory: Folder that relative paths start in; "" where the project is on no disk.
        urls: What the operator says of URLs; None for no URLs.
        service_account: What containers run as; "" for no account of their own.
        upgrade: Whether it runs already.
        paused: Whether it is paused, and stays so.
        wait_options: Whether and how long to wait, and who is told.
    """

    identity: Identity
    project: Project
    metadata: Mapping[str, ServiceMetadata] = field(default_factory=dict)
    owner: str = ""
    origin: Origin | None = None
    directory: str = ""
    urls: UrlOptions | None = None
    service_account: str = ""
    upgrade: bool = False
    paused: bool = False
    wait_options: WaitOptions = WaitOptions()

    @property
    def variables(self) -> dict[str, str]:
        """The variables that the artifact reads, as far as they are set."""
        values = {name: variable.value for name, variable in self.project.variables.items()}
        return {name: value for name, value in values.items() if value is not None}
