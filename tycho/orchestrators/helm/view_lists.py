"""Where looks at a cluster get their objects from: lists of the API server, asked for at each look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tycho import kinds
from tycho.kinds import Kind
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm.object_queries import QUERIES
from tycho.release import Identity

NODES = 50  # enough to find an address among them, and to see whether they are simulated
EVENTS = 500


class Source(Protocol):
    """Tells of the objects of Tycho's systems, of each what `object_queries` says is query."""

    api: KubeClient

    async def list(self, kind: Kind, namespace: str = "", selector: str = "") -> Sequence[KubeObject]:
        """List objects of a kind, by namespace and name.

        Args:
            kind: One of `object_queries.QUERIES`.
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

    def __init__(self, api: KubeClient) -> None:
        self.api = api

    async def list(self, kind: Kind, namespace: str = "", selector: str = "") -> Sequence[KubeObject]:
        """List objects of a kind, as far as they are needed: all of them, of nodes and events some."""
        query, path = QUERIES[kind.name], kind.path(namespace)
        if kind in (kinds.NODE, kinds.EVENT):
            selectors = {"fieldSelector": query.fields} if query.fields else {}
            limit = NODES if kind is kinds.NODE else EVENTS
            items = (await self.api.get(path, limit=str(limit), **selectors)).get("items") or ()
            return [query.reduce(obj) for obj in items]
        labels = selector or query.labels
        return await self.api.list(
            path, metadata=query.metadata, reduce=query.reduce, labelSelector=labels, limit=str(query.page)
        )

    async def reach(self, identity: Identity) -> None:
        """Wait for nothing: a list is what is there."""
