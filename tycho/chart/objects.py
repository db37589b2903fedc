"""Objects of a chart besides workloads, by Kubernetes' names: ConfigMaps, claims, Secrets, and compose networks."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from tycho.chart.container import Text


class ConfigMap(Struct, frozen=True):
    """A ConfigMap: files of the project, or text that reads variables.

    Args:
        name: What the values know it by, for text; else "".
        slug: Part of its object's name, and its folder in the chart.
        files: Key to content.
        secrets: The same of the files that travel in the release.
        keys: The keys of all files, in their order.
        place: Compose path of what it was made for.
        text: The one entry, where it is text of the values.
        source: Where its files lie, as the compose file says it; "" for text of the compose file.
    """

    name: str
    slug: str
    files: Mapping[str, bytes]
    place: str
    text: Text = ""
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    source: str = ""

    @property
    def needed(self) -> bool:
        """Whether there is something in it: all its files may be secret."""
        return bool(self.files or self.live or not self.secrets)

    @property
    def live(self) -> bool:
        """Whether it is text that reads variables."""
        return bool(self.name)


class PersistentVolumeClaim(Struct, frozen=True):
    """A claim of the chart.

    Args:
        name: What the values know it by.
        slug: Part of its object's name.
        size: A quantity, or a size in Compose's units that reads variables.
        storage_class: "" for the cluster's default.
        access_modes: ReadWriteOnce, …
        existing: The claim to use instead, "" to make one.
        annotations: From its labels.
        owner: The StatefulSet whose pods have a claim each, or "".
    """

    name: str
    slug: str
    size: Text = "1Gi"
    storage_class: str = ""
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    existing: Text = ""
    annotations: Mapping[str, Text] = field(default_factory=dict)
    owner: str = ""


class ChartSecret(Struct, frozen=True):
    """A secret of the compose file: its content comes with the release, or it exists already."""

    name: str
    slug: str
    existing: Text = ""


class NetworkMembers(Struct, frozen=True):
    """A compose network, as a label of pods and a NetworkPolicy."""

    name: str
    slug: str
    internal: bool
    external: bool
    members: tuple[str, ...]

    @property
    def label(self) -> str:
        """The label of the pods that are on it."""
        return f"tycho.dev/{'external-network' if self.external else 'network'}-{self.slug}"
