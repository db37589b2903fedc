"""What a chart will hold: the views that the templates are written against. Compose's names, Kubernetes' shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tycho.chart import kinds
from tycho.chart.hidden import Concealed
from tycho.chart.workload import ContainerPort, Pod
from tycho.model import System

if TYPE_CHECKING:
    from tycho.chart.outcomes import Outcomes
    from tycho.chart.secretfiles import Secrecy


@dataclass(frozen=True, slots=True)
class Tree:
    """A ConfigMap: files of the project, or text that reads variables.

    Args:
        name: What the values know it by, for text; else "".
        slug: Part of its object's name, and its folder in the chart.
        files: Key to content.
        secrets: The same of the files that travel in the release.
        keys: The keys of all files, in their order.
        place: Compose path of what it was made for.
        live: Whether the one entry is text of the values.
    """

    name: str
    slug: str
    files: Mapping[str, bytes]
    place: str
    live: bool = False
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim of the chart.

    Args:
        name: What the values know it by.
        slug: Part of its object's name.
        size: In Compose's units.
        storage_class: "" for the cluster's default.
        access_modes: ReadWriteOnce, …
        existing: The claim to use instead, "" to make one.
        annotations: From its labels, in Compose's syntax.
        owner: The StatefulSet whose pods have a claim each, or "".
    """

    name: str
    slug: str
    size: str = "1Gi"
    storage_class: str = ""
    access_modes: tuple[str, ...] = ("ReadWriteOnce",)
    existing: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Network:
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


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a chart is made of."""

    system: System
    chart: str
    pods: tuple[Pod, ...]
    trees: tuple[Tree, ...]
    claims: Mapping[str, Claim]
    ports: Mapping[str, tuple[ContainerPort, ...]]  # of each service, as its peers call it
    secrecy: Secrecy
    outcomes: Outcomes
    networks: tuple[Network, ...] = ()
    enclosed: frozenset[str] = frozenset()  # services that only internal networks know: they publish nothing
    restless: frozenset[str] = frozenset()  # services whose peers must find them before they are ready
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # alias -> services whose pods it names
    unused: tuple[str, ...] = ()  # paths of what no service uses
    homes: Mapping[str, Pod] = field(default_factory=dict)  # of each service
    concealed: tuple[Concealed, ...] = ()  # what was secret, and is the release's

    def is_headless(self, pod: Pod) -> bool:
        """Tell whether a pod's name leads to its containers' own addresses, and to every port of them, as in Compose.

        So it is where nothing is known of where it listens, and where the file asks for it. Else the name has one
        address that stays: who asks for it once may keep it.
        """
        asked = kinds.said(pod.service).get("headless") or pod.service.deploy.endpoint_mode == "dnsrr"
        return bool(asked) or pod.kind == "StatefulSet" or not self.ports.get(pod.name)
