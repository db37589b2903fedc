"""Every object that a chart can make, by kind and name; and those that would be one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tycho import kinds
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import (
    callable_containers,
    fills,
    has_budget,
    has_peers,
    has_service,
    is_fenced,
    list_rights,
    list_targets,
    list_unconnected,
)
from tycho.errors import Problem
from tycho.kinds import Kind

SCOPES = ("namespace", "release")


class ChartObject(Struct, frozen=True):
    """An object, as far as others of its kind are told apart from it.

    Args:
        kind: Its kind.
        suffix: What stands after the release's name.
        path: The part of the compose file that it is made for, "" for all of it.
        role: What it is to that part, "" where it is the part itself.
        bare: Whether its name is the suffix alone where `dns.scope` is "namespace".
        scopes: The values of `dns.scope` with which there is one.
    """

    kind: Kind
    suffix: str
    path: str = ""
    role: str = ""
    bare: bool = False
    scopes: tuple[str, ...] = SCOPES

    @property
    def text(self) -> str:
        """As a reader knows it."""
        return f"{self.role} of {self.path}" if self.role else self.path


def list_objects(layout: ChartLayout) -> Iterator[ChartObject]:
    """List every object that a chart makes with some values; those that values and policies spell out left out."""
    yield from _list_workloads(layout)
    for container, _ in callable_containers(layout):
        path = layout.locate(container.service)
        yield ChartObject(kinds.SERVICE, f"{container.name}-published", path, "the published ports")
        if layout.isolated:
            yield ChartObject(kinds.NETWORK_POLICY, f"{container.name}-published", path, "the callers")
    for alias, names in layout.aliases.items():
        path = layout.locate(names[0])
        yield ChartObject(kinds.SERVICE, alias, path, f'the name "{alias}"', bare=True, scopes=SCOPES[:1])
    if has_peers(layout):
        yield ChartObject(kinds.SERVICE, "", scopes=SCOPES[1:])
    yield from _list_data(layout)
    if any(list_rights(layout)):
        yield from (ChartObject(kind, "wait") for kind in (kinds.SERVICE_ACCOUNT, kinds.ROLE, kinds.ROLE_BINDING))
    for network in layout.networks if layout.isolated else ():
        yield ChartObject(kinds.NETWORK_POLICY, f"network-{network.slug}", f"networks.{network.name}")
    if is_fenced(layout):
        yield ChartObject(kinds.NETWORK_POLICY, "wait")
    for workload in list_unconnected(layout):
        path = layout.locate(workload.name)
        yield ChartObject(kinds.NETWORK_POLICY, f"{workload.slug}-isolated", path, "the isolation")
    if list_targets(layout):
        yield ChartObject(kinds.POD, "test")
    if fills(layout):
        yield ChartObject(kinds.CONFIG_MAP, "tycho-fill")


def _list_workloads(layout: ChartLayout) -> Iterator[ChartObject]:
    """List workloads, and what each has besides."""
    for workload in layout.workloads:
        path = layout.locate(workload.name)
        yield ChartObject(kinds.KINDS[workload.kind], workload.slug, path)
        if has_service(workload):
            yield ChartObject(kinds.SERVICE, workload.slug, path, bare=True)
        if workload.awaited:
            yield ChartObject(kinds.SERVICE, f"{workload.slug}-awaited", path, "the healthy pods")
        if has_budget(workload):
            yield ChartObject(kinds.POD_DISRUPTION_BUDGET, workload.slug, path)
        for container in workload.containers:
            path = layout.locate(container.service)
            if container.env.has_secret:
                yield ChartObject(kinds.SECRET, f"{container.name}-env", path, "the environment")
            if container.env.from_file:
                yield ChartObject(kinds.SECRET, f"{container.name}-env-file", path, "the env_file")
            if container.ingress:
                yield ChartObject(kinds.INGRESS, container.name, path)
                yield ChartObject(kinds.HTTP_ROUTE, container.name, path)


def _list_data(layout: ChartLayout) -> Iterator[ChartObject]:
    """List what holds data; what exists already is not the chart's."""
    for secret in layout.secrets:
        if not secret.existing:
            yield ChartObject(kinds.SECRET, secret.slug, f"secrets.{secret.name}")
    for configmap in layout.configmaps:
        if configmap.needed:
            yield ChartObject(kinds.CONFIG_MAP, configmap.slug, configmap.place)
        if configmap.secrets:
            yield ChartObject(kinds.SECRET, f"{configmap.slug}-secret-files", configmap.place, "the secret files")
    for claim in layout.claims.values():
        if not claim.owner and not claim.existing:
            yield ChartObject(kinds.CLAIM, claim.slug, f"volumes.{claim.name}")


def find_collisions(layout: ChartLayout) -> Iterator[Problem]:
    """Find the parts of a file that would be one object: names that a chart makes meet names that the file gives."""
    pairs: dict[tuple[ChartObject, ChartObject], None] = {}
    objects = list(list_objects(layout))
    for scope in SCOPES:
        known: dict[tuple[Kind, str, bool], ChartObject] = {}
        for chart_object in objects:
            if scope in chart_object.scopes:
                bare = chart_object.bare and scope == "namespace"  # another name, whatever a release is called
                first = known.setdefault((chart_object.kind, chart_object.suffix, bare), chart_object)
                if first is not chart_object:
                    pairs[first, chart_object] = None
    for pair in pairs:
        # The name that the file gives is the one to change; what a chart adds to another one follows that.
        other, named = sorted(pair, key=lambda chart_object: not chart_object.role)
        subject, clear = (named.text, False) if named.role else ("this", bool(other.role))
        message = f"{subject} and {other.text} would both be the {named.kind.name} {named.suffix}"
        hint = f"rename {named.path}" if clear else f"rename {named.path} or {other.path}"
        yield layout.system.make_problem(named.path, message, hint)
