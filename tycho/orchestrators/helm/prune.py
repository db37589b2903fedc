"""What Helm leaves behind, and what it cannot change.

Helm compares with the last deployed manifest alone: objects of a failed revision, Jobs and volumes (which carry
`helm.sh/resource-policy: keep`) stay. And some fields cannot be changed at all: such an object is deleted before the
upgrade, and made anew by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any

from tycho.errors import Conflict, Forbidden, NotFound, WaitTimeout
from tycho.kinds import CLAIM, JOB, KINDS, WORKLOADS, Kind, RemovalTime, Rule
from tycho.kinds import SERVICE as KUBE_SERVICE
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject, get_annotations
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import releases, waiting
from tycho.orchestrators.helm.jobs import end_runs
from tycho.orchestrators.helm.waiting import Deadline
from tycho.orchestrators.helm.workloads import SERVICE, name
from tycho.release import Identity

SWEPT = {name: kind for name, kind in KINDS.items() if kind.removal is RemovalTime.ABSENCE}
AWAITED = [kind for kind in KINDS.values() if kind.removal is not RemovalTime.NEVER]  # that `down` sees gone
SELECTOR = "app.kubernetes.io/instance={},executor=tycho"


async def prune_orphans(api: KubeClient, identity: Identity) -> tuple[str, ...]:
    """Delete what carries the release's label and is not in its deployed manifest.

    Volumes are not touched, nor are finished jobs of revisions that can be gone back to.
    """
    known = await releases.list_revisions(api, identity)
    deployed = [revision for revision in known if releases.read_status(revision) == "deployed"]
    if not deployed:
        return ()
    expected = await _made(api, identity, deployed[-1:])
    orphans = [key for key in await _ours(api, identity) if key not in expected]
    if any(kind == JOB.name for kind, _ in orphans):  # a rollback finds its job done, and does not run it again
        former = [revision for revision in known if releases.read_status(revision) == "superseded"]
        done = await _done(api, identity) & await _made(api, identity, former)
        orphans = [key for key in orphans if key not in done]
    for kind, named in orphans:
        await api.delete(KINDS[kind].path(identity.namespace, named))
    gone = [f"{kind} {named}" for kind, named in orphans]
    return (f"removed what an earlier revision left: {', '.join(sorted(gone))}",) if gone else ()


async def _made(api: KubeClient, identity: Identity, revisions: Iterable[KubeObject]) -> set[tuple[str, str]]:
    """Kind and name of what revisions consist of."""
    numbers = map(releases.read_number, revisions)
    stored = await asyncio.gather(*(releases.read_payload(api, identity, number) for number in numbers))
    return {(obj["kind"], obj["metadata"]["name"]) for each in stored for obj in releases.parse_manifest(each)}


async def _done(api: KubeClient, identity: Identity) -> set[tuple[str, str]]:
    """The release's jobs that did their work."""
    jobs = await api.list(JOB.path(identity.namespace), labelSelector=SELECTOR.format(identity.release))
    conditions = {job["metadata"]["name"]: job["status"].get("conditions") or () for job in jobs}
    return {
        (JOB.name, name)
        for name, all_of_them in conditions.items()
        if any(condition["type"] == "Complete" and condition["status"] == "True" for condition in all_of_them)
    }


async def list_missing(api: KubeClient, identity: Identity, revision: int) -> list[str]:
    """What a revision made, and somebody has taken away since."""
    stored, there = await asyncio.gather(releases.read_payload(api, identity, revision), _ours(api, identity))
    made = {(obj["kind"], obj["metadata"]["name"]) for obj in releases.parse_manifest(stored)}
    return sorted(f"{kind} {name}" for kind, name in made - set(there) if kind in SWEPT)


async def delete_members(api: KubeClient, identity: Identity, deadline: Deadline, *, kept: Collection[str]) -> None:
    """Delete everything that carries the release's label, and see it gone.

    Args:
        api: The cluster.
        identity: Which system.
        deadline: How long that may take, and who is told.
        kept: Claims that stay.

    Raises:
        WaitTimeout: Something is still there; names it and its finalizers.
    """
    ours, claims = await asyncio.gather(_ours(api, identity), _list(api, CLAIM, identity))
    paths = [KINDS[kind].path(identity.namespace, name) for kind, name in ours]
    names = [claim["metadata"]["name"] for claim in claims]
    paths += [CLAIM.path(identity.namespace, name) for name in names if name not in kept]
    await asyncio.gather(*(api.delete(path) for path in paths))
    if identity.own_namespace and not kept:
        return  # the namespace goes with all that is in it

    async def list_left() -> list[str] | None:
        return await list_remaining(api, identity, kept) or None

    if deadline.wait_options.wait and not await waiting.wait_until_deleted(identity.name, list_left, deadline):
        remaining = ", ".join(await list_remaining(api, identity, kept))
        raise WaitTimeout(
            f"still there after {deadline.wait_options.timeout:g} s: {remaining}",
            hint="remove the finalizers, or ask their owner",
        )


async def list_remaining(api: KubeClient, identity: Identity, kept: Collection[str] = ()) -> list[str]:
    """What is still there of a system: kind, name, and what holds it."""
    lists = await asyncio.gather(*(_list(api, kind, identity) for kind in AWAITED))
    return [
        f"{kind.name} {meta['name']}"
        + (f" (finalizers: {', '.join(held)})" if (held := meta.get("finalizers")) else "")
        for kind, objects in zip(AWAITED, lists, strict=True)
        for obj in objects
        if (meta := obj["metadata"])["name"] not in kept and (meta.get("labels") or {}).get("owner") != "helm"
    ]


async def prepare_upgrade(
    api: KubeClient, identity: Identity, rendered: Iterable[KubeObject], tell: Callable[[str], None]
) -> tuple[str, ...]:
    """Delete the objects that an upgrade could not change; the upgrade makes new ones.

    Args:
        api: The cluster.
        identity: The system.
        rendered: What it will be.
        tell: Told of jobs that will run again, before anything is changed.
    """
    current, desired = await _current(api, identity), list(rendered)
    for service in find_run_again(current, desired):
        tell(f"{service} runs again: its job is not the one that has run")
    return await _replace(api, identity, current, desired)


def find_run_again(current: Iterable[KubeObject], desired: Iterable[KubeObject]) -> list[str]:
    """Find the services whose Job has another name than before: it is another one, and runs."""
    before = {(name(obj), obj["metadata"]["name"]) for obj in current if obj["kind"] == JOB.name}
    known = {service for service, _ in before}
    jobs = {name(obj): obj["metadata"]["name"] for obj in desired if obj["kind"] == JOB.name}
    return [service for service, job in jobs.items() if service in known and (service, job) not in before]


async def prepare_rollback(api: KubeClient, identity: Identity, revision: int) -> tuple[str, ...]:
    """The same before going back to a revision."""
    desired = releases.parse_manifest(await releases.read_payload(api, identity, revision))
    return await _replace(api, identity, await _current(api, identity), desired)


async def _replace(
    api: KubeClient, identity: Identity, current: list[KubeObject], desired: list[KubeObject]
) -> tuple[str, ...]:
    recreated = await _recreate(api, identity, current, desired)
    await end_runs(api, identity, desired)
    return (*(f"{service}: removed" for service in find_removed(current, desired)), *recreated)


def find_removed(current: Iterable[KubeObject], desired: Iterable[KubeObject]) -> list[str]:
    """Find the services of present objects that have a workload no more."""
    services = [
        dict.fromkeys(name(obj) for obj in objects if obj["kind"] in WORKLOADS) for objects in (current, desired)
    ]
    return [service for service in services[0] if service and service not in services[1]]


async def _current(api: KubeClient, identity: Identity) -> list[KubeObject]:
    """What may be there: the objects of the deployed revision, and those of one that failed after it."""
    known = await releases.list_revisions(api, identity)
    numbers = {
        releases.read_number(revision)
        for revision in known
        if releases.read_status(revision) == "deployed" or revision is known[-1]
    }
    stored = await asyncio.gather(*(releases.read_payload(api, identity, number) for number in sorted(numbers)))
    return [obj for payload in stored for obj in releases.parse_manifest(payload)]


async def _recreate(
    api: KubeClient, identity: Identity, current: Iterable[KubeObject], desired: Iterable[KubeObject]
) -> tuple[str, ...]:
    new = {(obj["kind"], obj["metadata"]["name"]): obj for obj in desired}
    changes, known = {}, {}
    for old in current:
        key = old["kind"], old["metadata"]["name"]
        known[key] = old
        if key in new and (what := immutable(old, new[key])):
            changes[key] = what
    for (kind, named), what in changes.items():
        if KINDS[kind].removal is RemovalTime.DOWN:
            raise Conflict(
                f"the volume {named} cannot change its {what}",
                hint="give the volume another name, or remove the system and its volume first",
            )
    for kind, named in changes:
        await _see_gone(api, KINDS[kind].path(identity.namespace, named))
    workloads = {key: obj for key, obj in new.items() if key[0] in WORKLOADS and key in known}
    kept = [name(obj) for key, obj in workloads.items() if obj["spec"] == known[key]["spec"]]
    return tuple(_describe(new[key], what, kept) for key, what in changes.items())


def _describe(obj: KubeObject, what: str, kept: Collection[str]) -> str:
    """Say what was made anew, and what that means."""
    kind, named = obj["kind"], obj["metadata"]["name"]
    if kind != KUBE_SERVICE.name:
        return f"re-created {kind} {named}: its {what} cannot be changed in place"
    service = get_annotations(obj).get(SERVICE)
    if not service:  # an alias
        return f"re-created the network name {named}"
    return f"re-created {service}'s network name" + (f"; {service} was not restarted" if service in kept else "")


async def _see_gone(api: KubeClient, path: str) -> None:
    await api.delete(path, propagation="Foreground")
    if not await Deadline(WaitOptions()).until(lambda: api.is_gone(path)):
        raise WaitTimeout(
            f"{path} must be replaced, and its removal does not end", hint="kubectl get -o yaml shows what holds it"
        )


def immutable(old: KubeObject, new: KubeObject) -> str:
    """Tell which field of an object changes that Kubernetes never lets change; "" when none does."""
    kind = KINDS.get(new["kind"])
    for field in kind.fixed if kind else ():
        a, b = (_at(obj, field.path, field.absent) for obj in (old, new))
        match field.rule:
            case Rule.HEADLESS if (a == "None") != (b == "None"):
                return field.path
            case Rule.SMALLER if a is not None and b is not None and _bytes(str(b)) < _bytes(str(a)):
                return "size to a smaller one"
            case Rule.ANY if a != b:
                return field.path
    return ""


UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _bytes(text: str) -> float:
    unit = next((suffix for suffix in UNITS if text.endswith(suffix)), "")
    return float(text.removesuffix(unit)) * UNITS.get(unit, 1)


def _at(obj: KubeObject, path: str, absent: object) -> Any:
    value: Any = obj
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return absent if value is None else value


async def _ours(api: KubeClient, identity: Identity) -> list[tuple[str, str]]:
    """Kind and name of everything with the release's label, volumes and helm's own Secrets left out."""
    lists = await asyncio.gather(*(_list(api, kind, identity) for kind in SWEPT.values()))
    return [
        (kind, obj["metadata"]["name"])
        for kind, objects in zip(SWEPT, lists, strict=True)
        for obj in objects
        if (obj["metadata"].get("labels") or {}).get("owner") != "helm" and not obj["metadata"].get("ownerReferences")
    ]


async def _list(api: KubeClient, kind: Kind, identity: Identity) -> list[KubeObject]:
    selector = SELECTOR.format(identity.release)
    try:
        return await api.list(kind.path(identity.namespace), metadata=True, labelSelector=selector)
    except (Forbidden, NotFound):
        return []
