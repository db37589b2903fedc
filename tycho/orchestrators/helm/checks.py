"""`tycho doctor`: what is needed, whether it is there, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tycho.errors import Forbidden, NotFound, TychoError
from tycho.orchestrators.helm.api import Api, at
from tycho.orchestrators.helm.cluster import look
from tycho.orchestrators.helm.process import Helm, find
from tycho.release import Check

ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OLDEST = (1, 29)


async def checks(api: Api, helm: Helm) -> list[Check]:
    """One line for each need."""
    parts: tuple[Callable[[], Awaitable[Check]], ...] = (
        lambda: _helm(helm), lambda: _cluster(api), lambda: _rights(api), lambda: _metrics(api)
    )  # fmt: skip
    found = await asyncio.gather(*(part() for part in parts), return_exceptions=True)
    said: list[Check] = []
    for name, one in zip(("helm", "cluster", "rights", "metrics"), found, strict=True):
        if isinstance(one, Check):
            said.append(one)
        elif isinstance(one, TychoError):
            said.append(Check(name=name, level="error", said=one.message, hint=one.hint))
        elif isinstance(one, BaseException):
            raise one
    if any(one.name == "cluster" and one.level == "error" for one in said):
        said = [one for one in said if one.name in ("helm", "cluster")]
    return said


async def _helm(helm: Helm) -> Check:
    return Check(name="helm", level="ok", said=f"{await helm.version()}  {find()}")


async def _cluster(api: Api) -> Check:
    version, seen = await asyncio.gather(api.get("/version"), look(api, "default"))
    number = version["gitVersion"].removeprefix("v")
    context = f"{api.access.context}, " if api.access.context else ""
    nodes = "simulated node: containers do not run" if seen.simulated else f"{len(seen.nodes)} nodes"
    old = tuple(int(part) for part in number.split(".")[:2]) < OLDEST
    return Check(
        name="cluster",
        level="warning" if old else "ok",
        said=f"{number}  {api.access.server} ({context}{nodes})",
        hint=f"charts are made for {'.'.join(map(str, OLDEST))} and newer" if old else "",
    )


async def _rights(api: Api) -> Check:
    async def may(verb: str, resource: str) -> bool:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": verb, "resource": resource}},
        }
        return bool((await api.create(ACCESS, review))["status"].get("allowed"))

    namespaces, secrets = await asyncio.gather(may("create", "namespaces"), may("list", "secrets"))
    if namespaces and secrets:
        return Check(name="rights", level="ok", said="may create namespaces")
    lacks = "may not create namespaces" if not namespaces else "may not list secrets of all namespaces"
    return Check(name="rights", level="warning", said=lacks, hint="-n NAMESPACE works in one that exists")


async def _metrics(api: Api) -> Check:
    try:
        await api.get("/apis/metrics.k8s.io/v1beta1")
    except (NotFound, Forbidden):
        said = "no metrics API: utilization shows requests only"
        return Check(name="metrics", level="warning", said=said)
    return Check(name="metrics", level="ok", said=at("metrics.k8s.io/v1beta1/pods"))
