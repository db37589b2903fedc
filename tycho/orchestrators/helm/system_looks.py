"""Looks at all systems, again and again: each judges anew only those of which something has changed.

    change of an object -> whose it is -> that system is judged at the next look; all others are as they were

What is not ready may become so, or fail, as time passes: it is judged again now and then, for as long as any time that
counts may still pass. Where something is not watched, or was listed anew, all are judged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import islice

from tycho import kinds
from tycho.kinds import Kind
from tycho.kube.objects import KubeObject, get_annotations, get_labels
from tycho.orchestrators.helm import snapshots, systems
from tycho.orchestrators.helm.view import INSTANCE, ClusterView
from tycho.orchestrators.helm.waiting import wait_for_change
from tycho.orchestrators.helm.workloads import SIMULATED, ClusterSnapshot, has_labels
from tycho.release import Release
from tycho.settings import settings

RESUME = 1.0  # seconds for watches that were cut to go on, before all is listed
PASSING = 120.0  # seconds, besides the quiet time, after which what has not changed does not change by itself
AGAIN = 100  # systems that are judged again in one look because time has passed
TURN = 50  # systems that are judged before anything else has its turn
LISTED = (kinds.SECRET, kinds.CLAIM, kinds.NAMESPACE)  # kinds whose objects tell which systems there are
UNSEEN = (kinds.EVENT, kinds.NODE)  # kinds that say nothing of single systems here
Key = tuple[str, str]  # release and namespace


class SystemLooks:
    """Looks at all systems that a view tells of.

    Args:
        view: What is watched.
        namespace: Those in this one alone, or "" for all.
        labels: Those alone of which a service has these labels.
    """

    def __init__(self, view: ClusterView, namespace: str, labels: Mapping[str, str]) -> None:
        self._view, self._namespace, self._labels = view, namespace, labels
        self._event = asyncio.Event()
        self._touched: set[Key] = set()
        self._relist = False
        self._bases: dict[Key, Release] = {}  # as their Secrets have them, without services; in the order of a list
        self._judged: dict[Key, Release | None] = {}  # None where no service has the labels
        self._unready: dict[Key, float] = {}  # when something of it has changed last; those judged longest ago first
        self._known: object = None  # what a look must be made of for the next one to go on from it

    def notify(self, kind: Kind, obj: KubeObject | None) -> None:
        """Take a change of an object; None: of any."""
        if obj is not None and kind in LISTED:
            self._relist = True
        elif obj is not None and kind not in UNSEEN:
            self._touched.add((get_labels(obj).get(INSTANCE, ""), obj["metadata"]["namespace"]))
        if kind not in UNSEEN:
            self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next change, at most for some seconds."""
        await wait_for_change(self._event, seconds)

    async def look(self) -> list[Release]:
        """Return all systems as they are now; of one that is as it was, the same object."""
        watched = await self._view.resume(RESUME)
        known = (self._view.count_listings(), _describe_nodes(self._view.nodes)) if watched else None
        before, self._known = self._known, None  # where this look fails, the next one is a whole one
        if known is None or known != before:
            await self._judge_all()
        else:
            await self._judge_changed()
        self._known = known
        return [release for key in self._bases if (release := self._judged[key]) is not None]

    async def _judge_all(self) -> None:
        self._touched, self._relist = set(), False  # what changes from now on counts at the next look
        known, parts = await systems.look_at_all(self._view, self._namespace)
        self._take_bases(known)
        for place, (release, seen) in enumerate(zip(known, parts, strict=True)):
            self._take(_identify(release), snapshots.with_services(release, seen), seen)
            if not place % TURN:
                await asyncio.sleep(0)

    async def _judge_changed(self) -> None:
        touched, self._touched = self._touched, set()
        now = time.monotonic()
        if self._relist:
            self._relist = False
            touched |= self._take_bases(await systems.list_known(self._view, self._namespace))
        for key in touched & self._unready.keys():
            self._unready[key] = now
        for key in (touched | self._list_passing(now)) & self._bases.keys():
            base = self._bases[key]
            seen = await snapshots.snapshot_release(self._view, base.identity)
            self._take(key, snapshots.with_services(base, seen), seen)

    def _take_bases(self, known: Sequence[Release]) -> set[Key]:
        """Take the list of systems; return those that it tells something new of."""
        before, self._bases = self._bases, {_identify(release): release for release in known}
        for key in before.keys() - self._bases.keys():
            self._judged.pop(key, None)
            self._unready.pop(key, None)
        return {key for key, base in self._bases.items() if before.get(key) != base}

    def _take(self, key: Key, release: Release, seen: ClusterSnapshot) -> None:
        """Keep how a system is now."""
        if self._labels and not has_labels(seen, self._labels):
            self._judged[key] = None
        elif self._judged.get(key) != release:
            self._judged[key] = release
        changed = self._unready.pop(key, time.monotonic())
        if not all(service.done for service in release.services):
            self._unready[key] = changed

    def _list_passing(self, now: float) -> set[Key]:
        """List some systems that may have become ready, or have failed, because time has passed."""
        passing = PASSING + settings().quiet_time
        return set(islice((key for key, changed in self._unready.items() if now - changed < passing), AGAIN))


def _identify(release: Release) -> Key:
    return release.identity.release, release.identity.namespace


def _describe_nodes(nodes: Sequence[KubeObject] | None) -> object:
    """Return what systems take from nodes: their addresses, and whether they are simulated."""
    return [(get_annotations(node).get(SIMULATED), node.get("status")) for node in nodes or ()]
