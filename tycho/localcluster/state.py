"""What is remembered of a cluster: one folder each, readable by its owner alone."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

from tycho.errors import UsageError
from tycho.settings import settings
from tycho.toolchain.files import write_private
from tycho.toolchain.process import Process

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
Provider = Literal["kind", "native"]


def shelf(home: Path | None) -> Path:
    """The folder that holds the clusters' folders."""
    return home or settings().state_dir / "clusters"


def place(name: str, home: Path | None) -> Path:
    """The folder of a cluster, whether it is there or not.

    Raises:
        UsageError: This cannot be a cluster's name.
    """
    if not NAME.fullmatch(name):
        said = "up to 40 of a-z, 0-9 and -, without a - at either end"
        raise UsageError(f'"{name}" cannot name a cluster', hint=said)
    return shelf(home) / name


@dataclass(frozen=True, slots=True)
class State:
    """A cluster, as its folder remembers it.

    Args:
        folder: Where everything of it is.
        provider: What made it.
        version: Of Kubernetes, once that is known.
        ports: The ports of the native control plane.
        processes: Its programs, as they were started.
    """

    folder: Path
    provider: Provider
    version: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.folder.name

    @property
    def context(self) -> str:
        """Its context in its kubeconfig."""
        return f"tycho-{self.name}"

    @property
    def kubeconfig(self) -> Path:
        """The way in."""
        return self.folder / "kubeconfig"

    def keep(self, **changes: object) -> Self:
        """Change and remember."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        text = json.dumps({key: value for key, value in asdict(changed).items() if key != "folder"}, indent=2)
        write_private(self.folder / "state.json", text.encode())
        return changed


def load(folder: Path) -> State | None:
    """What a folder remembers of its cluster, or None."""
    try:
        said = json.loads((folder / "state.json").read_bytes())
    except FileNotFoundError:
        return None
    processes = {program: Process(**one) for program, one in said.pop("processes").items()}
    return State(folder=folder, processes=processes, **said)


def beside(folder: Path) -> list[State]:
    """The clusters in a folder."""
    return [state for path in sorted(folder.glob("*/state.json")) if (state := load(path.parent))]
