"""Where looks at a cluster get their objects from: lists of the API server, asked for at each look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tycho import kinds
from tycho.kinds import Kind
from tycho.orchestrators.helm.api import Api, Object, at
from tycho.orchestrators.helm.view_objects import READS
from tycho.release import Identity

NODES = 50  # enough to find an address among them, and to see whether they are simulated
EVENTS = 500


class Source(Protocol):
    """Tells of the objects of Tycho's systems, of each what `view_objects` says is read."""

    api: Api

    async def list(self, kind: Kind, namespace: str = "", selector: str = "") -> Sequence[Object]:
        """List objects of a kind, by namespace and name.

        Args:
            kind: One of `view_objects.READS`.
            namespace: "" for all.
            selector: Of labels, narrower than that of the kind; "" for that one.

        Raises:
            Forbidden: Nobody may.
        """

    async def reach(self, identity: Identity) -> None:
        """Wait until what is written by now of a system is what is told of it."""


class ClusterLists:
    """Asks the API server each time.

    Args:
        api: The cluster.
    """

    def __init__(self, api: Api) -> None:
        self.api = api

    async def list(self, kind: Kind, namespace: str = "", selector: str = "") -> Sequence[Object]:
        """List objects of a kind, as far as they are needed: all of them, of nodes and events some."""
        read, path = READS[kind.name], at(kind, namespace)
        if kind in (kinds.NODE, kinds.EVENT):
            query = {"fieldSelector": read.fields} if read.fields else {}
            limit = NODES if kind is kinds.NODE else EVENTS
            items = (await self.api.get(path, limit=str(limit), **query)).get("items") or ()
            return [read.cut(item) for item in items]
        labels = selector or read.labels
        return await self.api.list(
            path, metadata=read.metadata, cut=read.cut, labelSelector=labels, limit=str(read.page)
        )

    async def reach(self, identity: Identity) -> None:
        """Wait for nothing: a list is what is there."""
