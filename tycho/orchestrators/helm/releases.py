"""Helm's release Secrets: the list of systems from their metadata alone, one release's payload when it is needed.

Source: helm.sh/helm/v4 `pkg/storage`: a Secret `sh.helm.release.v1.<name>.v<revision>` of type `helm.sh/release.v1`,
its data base64 of gzip of JSON.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tycho import kinds, suspension
from tycho.chart import Chart, without_origin
from tycho.errors import Forbidden, PreconditionFailed
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_labels
from tycho.orchestrators.helm.expiry_labels import read_expiry
from tycho.orchestrators.helm.object_queries import RELEASES, SYSTEMS
from tycho.orchestrators.helm.view_lists import Source
from tycho.release import Identity, Release, State, label_value
from tycho.usernames import user_label

PAUSED = "tycho-paused"  # label of a revision: "true" where its values pause it
LONGEST = 53  # characters of a release's name, as helm has it
STATES: Mapping[str, State] = {
    "deployed": "deployed", "failed": "failed", "superseded": "superseded", "uninstalling": "uninstalling",
    "pending-install": "pending", "pending-upgrade": "pending", "pending-rollback": "pending",
    "uninstalled": "lost", "unknown": "lost",
}  # fmt: skip


def make_labels(
    identity: Identity, chart: Chart, values: Mapping[str, Any], last: KubeObject | None, now: datetime
) -> dict[str, str]:
    """What Helm keeps in the labels of a release, so that a list need not open it.

    Args:
        identity: Which system.
        chart: What it is made of.
        values: With which values.
        last: The revision before this one.
        now: The moment, by the cluster's clock.

    Raises:
        PreconditionFailed: It was paused since the values were made.
    """
    paused = suspension.is_paused(values)
    if last and is_paused(last) and not paused:
        raise PreconditionFailed(f"{identity.name} was paused meanwhile", hint="run `tycho up` again")
    values_by_label = {
        "executor": "tycho",
        "tycho-guid": identity.guid,
        "tycho-name": label_value(identity.name),
        "tycho-own-namespace": str(identity.own_namespace).lower(),
        "username": user_label(identity.username),
        "tycho-origin": identity.origin,
        "compose": chart.compose_digest[:40],
        "policies": chart.policies_digest[:40],
        "tycho-chart": label_value(f"{chart.name}-{chart.version}".replace("+", "_")),
        "tycho-artifact": chart.digest[:40],
        "tycho-values": digest_values(values),
        PAUSED: "true" if paused else "",
        "tycho-created": read_label(last, "tycho-created") if last else f"{now.timestamp():.3f}",
    }
    return {key: value for key, value in values_by_label.items() if value}


def digest_values(values: Mapping[str, Any]) -> str:
    """Return a digest of values without their origin, whatever their order: Helm gives them back in another one."""
    return hashlib.sha256(json.dumps(without_origin(values), sort_keys=True).encode()).hexdigest()[:40]


async def list_releases(source: Source, namespace: str = "", *, guid: str = "", release: str = "") -> list[Release]:
    """All systems, in one namespace or in the cluster, without their services; oldest first.

    Args:
        source: What tells of the cluster.
        namespace: One namespace, or "" for all that one may see.
        guid: Of this system alone.
        release: Of the release of this name alone.
    """
    selector = RELEASES + (f",tycho-guid={guid}" if guid else "") + (f",name={release}" if release else "")
    try:
        secrets = await source.list(kinds.SECRET, namespace, selector)
    except Forbidden:
        if namespace:
            raise
        secrets = await _by_namespaces(source, selector, guid=guid, release=release)
    newest: dict[str, KubeObject] = {}
    for secret in secrets:
        key = read_label(secret, "tycho-guid")
        if key not in newest or read_number(secret) > read_number(newest[key]):
            newest[key] = secret
    releases = [_release(secret) for secret in newest.values()]
    return sorted(
        releases,
        key=lambda entry: (entry.created or entry.updated or datetime.min.replace(tzinfo=UTC), entry.identity.guid),
    )


async def _by_namespaces(source: Source, selector: str, *, guid: str, release: str) -> list[KubeObject]:
    """Who may not read all Secrets may read those of the namespaces that Tycho made for it."""

    async def within(namespace: str) -> Sequence[KubeObject]:
        try:
            return await source.list(kinds.SECRET, namespace, selector)
        except Forbidden:
            return []

    made = await source.list(kinds.NAMESPACE, selector=SYSTEMS + (f",tycho-guid={guid}" if guid else ""))
    names = [namespace_object["metadata"]["name"] for namespace_object in made]
    lists = await asyncio.gather(*(within(name) for name in names if release in ("", name)))
    return [secret for items in lists for secret in items]


async def list_revisions(api: KubeClient, identity: Identity) -> list[KubeObject]:
    """The release's Secrets, metadata only, oldest first."""
    selector = f"owner=helm,name={identity.release}"
    secrets = await api.list(kinds.SECRET.path(identity.namespace), metadata=True, labelSelector=selector)
    return sorted(secrets, key=read_number)


async def find_newest(api: KubeClient, identity: Identity) -> int:
    """Find the number of the newest revision; 0 where there is none."""
    known = await list_revisions(api, identity)
    return read_number(known[-1]) if known else 0


def read_deployed(contents: KubeObject) -> datetime | None:
    """When a revision was made: the label on its Secret tells when its state changed last."""
    with contextlib.suppress(ValueError, TypeError):
        # Go writes nanoseconds, of which Python reads six digits.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", contents["info"]["last_deployed"])).astimezone(UTC)
    return None


async def read_payload(api: KubeClient, identity: Identity, revision: int) -> KubeObject:
    """What Helm stored of one revision: chart, config, manifest, info."""
    secret = await api.get(kinds.SECRET.path(identity.namespace, f"sh.helm.release.v1.{identity.release}.v{revision}"))
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    stored: KubeObject = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    return stored


def parse_manifest(stored: KubeObject) -> list[KubeObject]:
    """The objects of a stored release, hooks left out."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = yaml.load_all(stored.get("manifest") or "", Loader=loader)
    return [document for document in documents if isinstance(document, dict)]


def is_pending(secret: KubeObject) -> bool:
    """Whether a revision was begun and not ended."""
    return (
        get_labels(secret).get("status", "").startswith("pending") or get_labels(secret).get("status") == "uninstalling"
    )


def read_status(secret: KubeObject) -> str:
    """Helm's own word for a revision's state."""
    return get_labels(secret).get("status", "")


def read_number(secret: KubeObject) -> int:
    """Return a revision's number."""
    return int(get_labels(secret).get("version", 0))


def is_paused(secret: KubeObject) -> bool:
    """Whether a revision is paused."""
    return read_label(secret, PAUSED) == "true"


def read_label(secret: KubeObject, label: str) -> str:
    """A label of a revision."""
    return get_labels(secret).get(label, "")


def is_unchanged(secret: KubeObject, labels: Mapping[str, str]) -> bool:
    """Whether a revision is deployed, of the very chart, values and origin that these labels tell of."""
    keys = ("tycho-artifact", "tycho-values", "tycho-origin", "username")
    return read_status(secret) == "deployed" and all(read_label(secret, key) == labels.get(key, "") for key in keys)


def find_last_good(items: Iterable[KubeObject], before: int) -> int:
    """The newest revision below `before` that was deployed once; 0 when there is none."""
    good = [read_number(secret) for secret in items if read_status(secret) in ("superseded", "deployed")]
    return max((number for number in good if number < before), default=0)


def _release(secret: KubeObject) -> Release:
    labels = get_labels(secret)
    identity = Identity(
        guid=labels.get("tycho-guid", ""),
        name=labels.get("tycho-name", labels.get("name", "")),
        release=labels.get("name", ""),
        namespace=secret["metadata"]["namespace"],
        own_namespace=labels.get("tycho-own-namespace") == "true",
        username=labels.get("username", ""),
        origin=labels.get("tycho-origin", ""),
    )
    created = labels.get("tycho-created") or labels.get("createdAt")
    state, paused = read_state(secret), is_paused(secret)
    return Release(
        identity=identity,
        revision=read_number(secret),
        state="paused" if paused and state == "deployed" else state,
        paused=paused,
        created=_stamp(created) if created else read_time(secret),
        updated=read_time(secret),
        compose=labels.get("compose", ""),
        policies=labels.get("policies", ""),
        chart=labels.get("tycho-chart", ""),
        expiry=None if paused else read_expiry(secret),
    )


def read_state(secret: KubeObject) -> State:
    """Read what a revision is."""
    return STATES.get(read_status(secret), "lost")


def read_time(secret: KubeObject) -> datetime | None:
    """Read when a revision's state changed last."""
    labels = get_labels(secret)
    if stamp := labels.get("modifiedAt") or labels.get("createdAt"):
        return _stamp(stamp)
    created = secret["metadata"].get("creationTimestamp")
    return datetime.fromisoformat(created) if created else None


def _stamp(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)
