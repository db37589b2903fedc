"""What is remembered of a cluster: one folder each, readable by its owner alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from tycho.errors import UsageError
from tycho.settings import settings
from tycho.toolchain.files import write_private

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
Provider = Literal["kind", "native"]


def clusters_dir(home: Path | None) -> Path:
    """Return the folder that holds the clusters' folders."""
    return home or settings().state_dir / "clusters"


def cluster_dir(name: str, home: Path | None) -> Path:
    """Return the folder of a cluster, whether it is there or not.

    Raises:
        UsageError: This cannot be a cluster's name.
    """
    if not NAME.fullmatch(name):
        hint = "write up to 40 of a-z, 0-9 and -, without a - at either end"
        raise UsageError(f'"{name}" cannot name a cluster', hint=hint)
    return clusters_dir(home) / name


class State(Struct, frozen=True):
    """A cluster, as its folder remembers it.

    Args:
        folder: Where everything of it is.
        provider: What made it.
        version: Of Kubernetes, once that is known.
    """

    folder: Path
    provider: Provider
    version: str = ""

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.folder.name

    @property
    def context(self) -> str:
        """Its context in its kubeconfig, and its name at kind and kwokctl."""
        return f"tycho-{self.name}"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of its administrator."""
        return self.folder / "kubeconfig"

    def save(self, version: str = "") -> Self:
        """Write the state into the cluster's folder, and return it.

        Args:
            version: Of Kubernetes, when it has become known.
        """
        saved = replace(self, version=version or self.version)
        text = json.dumps({"provider": saved.provider, "version": saved.version}, indent=2)
        write_private(self.folder / "state.json", text.encode())
        return saved


def load(folder: Path) -> State | None:
    """Return what a folder remembers of its cluster, or None."""
    try:
        fields = json.loads((folder / "state.json").read_bytes())
    except FileNotFoundError:
        return None
    return State(folder, fields["provider"], fields["version"])


def list_states(folder: Path) -> list[State]:
    """List the clusters in a folder, by name."""
    return [state for path in sorted(folder.glob("*/state.json")) if (state := load(path.parent))]
