"""The verbs about the time of releases: when they were used, that their end is near, and what time it is there."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime

from tycho import kinds
from tycho.errors import Conflict, NotFound
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm import releases
from tycho.orchestrators.helm.expiry_labels import ACTIVE, CLOCK, WARNED, read_expiry
from tycho.orchestrators.helm.view_lists import Source
from tycho.release import Identity

MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
TRIES = 5  # of a note, where others change the same Secret


class ExpiryVerbs:
    """The verbs of an orchestrator that are about the time of systems."""

    api: KubeClient
    source: Source

    def now(self) -> datetime:
        """Return the moment, by the API server's clock: by this machine's before it has answered anything."""
        return self.api.clock.tell(time.monotonic())

    async def touch(self, identity: Identity, moment: datetime | None = None) -> None:
        """Note on the release that it is used, or was at a moment.

        Raises:
            NotFound: It does not run.
        """
        for tries in range(TRIES):
            secret = await self._newest(identity)
            expiry = read_expiry(secret)
            known = expiry.active if expiry else None
            used = min(moment or self.now(), self.now())
            if expiry is None or (known and known >= used):
                return None
            try:
                return await self._note(identity, secret, ACTIVE, used)
            except Conflict:
                if tries == TRIES - 1:
                    raise

    async def warn(self, identity: Identity, message: str, moment: datetime) -> bool:
        """Tell whoever reads the release's events that its end is near; false where somebody else did that.

        Raises:
            NotFound: It does not run.
            Forbidden: Nobody may write events there.
        """
        secret = await self._newest(identity)
        expiry = read_expiry(secret)
        since = expiry.end.since if expiry and expiry.end else moment
        first = await self._tell(secret, f"{int(since.timestamp()):x}", "ExpiresSoon", message)
        with contextlib.suppress(Conflict):  # somebody else is noting the same
            await self._note(identity, secret, WARNED, moment)
        return first

    async def _restart_clock(self, identity: Identity, secret: KubeObject) -> None:
        """Start the clock of a release anew without a new revision."""
        if read_expiry(secret):
            await self._note(identity, secret, CLOCK, self.now())

    async def _newest(self, identity: Identity) -> KubeObject:
        known = await releases.list_revisions(self.api, identity)
        if not known:
            raise NotFound(f'no system "{identity.release}" runs here', hint="`tycho status` lists what runs")
        return known[-1]

    async def _note(self, identity: Identity, secret: KubeObject, label: str, moment: datetime) -> None:
        """Note a moment on a revision's Secret; Conflict where somebody has changed that since it was read."""
        metadata = secret["metadata"]
        labels = {label: f"{moment.timestamp():.3f}"}
        change = {"metadata": {"resourceVersion": metadata["resourceVersion"], "labels": labels}}
        path = kinds.SECRET.path(metadata["namespace"], metadata["name"])
        await self.api.call("PATCH", path, change, headers={"Content-Type": MERGE, "Accept": METADATA})
        await self.source.reach(identity)

    async def _tell(self, secret: KubeObject, key: str, reason: str, message: str) -> bool:
        """Write an Event about a release, which its Secret stands for; false where one of this key is there."""
        metadata, stamp = secret["metadata"], self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        involved = {"apiVersion": "v1", "kind": kinds.SECRET.name, "name": metadata["name"], "uid": metadata["uid"],
                    "namespace": metadata["namespace"]}  # fmt: skip
        event = {
            "apiVersion": "v1",
            "kind": kinds.EVENT.name,
            "metadata": {"name": f"{metadata['name']}.{key}", "namespace": metadata["namespace"]},
            "involvedObject": involved,
            "type": "Warning",
            "reason": reason,
            "message": message,
            "source": {"component": "tycho"},
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        }
        try:
            await self.api.create(kinds.EVENT.path(metadata["namespace"]), event)
        except Conflict:
            return False
        return True
