"""`tycho doctor`: what is needed, whether it is there, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from tycho.errors import Forbidden, NotFound, TychoError
from tycho.kinds import NAMESPACE, POD, SECRET, SERVICE, Kind
from tycho.kube.client import KubeClient
from tycho.kube.reviews import is_allowed
from tycho.orchestrators.helm.helm_program import program, version
from tycho.orchestrators.helm.snapshots import list_nodes
from tycho.orchestrators.helm.view_lists import ClusterLists
from tycho.orchestrators.helm.workloads import ClusterSnapshot
from tycho.release import Check
from tycho.text import safe_message

OLDEST = (1, 31)
METRICS = "/apis/metrics.k8s.io/v1beta1"


async def checks(api: KubeClient, namespace: str) -> list[Check]:
    """One line for each need."""
    results = await asyncio.gather(
        _run_check("helm", _helm()),
        _run_check("cluster", _cluster(api)),
        _run_check("rights", _rights(api, namespace)),
        _run_check("metrics", _metrics(api)),
    )
    unreachable = any(check.name == "cluster" and check.level == "error" for check in results)
    return [check for check in results if not unreachable or check.name in ("helm", "cluster")]


async def _run_check(name: str, check: Awaitable[Check]) -> Check:
    try:
        return await check
    except TychoError as error:
        return Check(name=name, level="error", message=error.message, hint=error.hint)


async def _helm() -> Check:
    path = await program()
    return Check(name="helm", level="ok", message=f"{'.'.join(map(str, await version(path)))}  {path}")


async def _cluster(api: KubeClient) -> Check:
    version_info, nodes = await asyncio.gather(api.get("/version"), list_nodes(ClusterLists(api)))
    number = version_info["gitVersion"].removeprefix("v")
    context = f"{api.access.context}, " if api.access.context else ""
    seen = ClusterSnapshot(nodes=tuple(nodes))
    counted = "simulated node: containers do not run" if seen.simulated else f"{len(nodes)} nodes"
    old = tuple(int(part) for part in number.split(".")[:2]) < OLDEST
    return Check(
        name="cluster",
        level="warning" if old else "ok",
        message=f"{number}  {safe_message(api.access.server)} ({context}{counted})",
        hint=f"upgrade the cluster: charts are made for {'.'.join(map(str, OLDEST))} and newer" if old else "",
    )


async def _rights(api: KubeClient, shared: str) -> Check:
    async def may(verb: str, kind: Kind) -> bool:
        return await is_allowed(api, verb, kind, shared)

    if shared:
        needed = ("create", SECRET), ("create", SERVICE), ("list", POD)
        lacks = [f"{verb} {kind.plural}" for verb, kind in needed if not await may(verb, kind)]
        text = f"may not {', '.join(lacks)} in {shared}" if lacks else f"may work in the namespace {shared}"
        return Check(name="rights", level="error" if lacks else "ok", message=text)
    namespaces, secrets = await asyncio.gather(may("create", NAMESPACE), may("list", SECRET))
    if namespaces and secrets:
        return Check(name="rights", level="ok", message="may create namespaces")
    text = "may not create namespaces" if not namespaces else "may not list secrets of all namespaces"
    return Check(name="rights", level="warning", message=text, hint="-n NAMESPACE works in one that exists")


async def _metrics(api: KubeClient) -> Check:
    try:
        await api.get(METRICS)
    except (NotFound, Forbidden):
        text = "no metrics API: utilization shows requests only"
        return Check(name="metrics", level="warning", message=text)
    return Check(name="metrics", level="ok", message=f"{METRICS}/pods")
