"""Write the pages of a chart: README.md, and the words of NOTES.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tycho.chart.chart import ReportEntry
from tycho.chart.container import Container
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import callable_containers
from tycho.chart.names import COMPOSE
from tycho.chart.render import render
from tycho.chart.values import is_tested
from tycho.chart.workload import CONDITIONS, Workload

SUMMARY = 60  # rows of a table that a page can hold
AFTER = dict(zip(CONDITIONS, ("started", "healthy", "completed"), strict=True))


def write_pages(layout: ChartLayout, rows: Sequence[ReportEntry]) -> dict[str, str]:
    """Write the pages for people that are no templates."""
    changed = sum(row.outcome != "translated" for row in rows)
    context: dict[str, object] = {
        "chart": layout.chart,
        "services": [
            {
                "name": container.service,
                "kind": workload.kind if container is workload.containers[0] else f"in the pod of {workload.name}",
                "image": container.image.text,
                "published": ", ".join(
                    f"{port.port} → {port.target_port}/{port.protocol}" for port in container.published
                ),
                "waits": ", ".join(f"{wait.name}, {AFTER[wait.condition]}" for wait in workload.waits)
                if container is workload.containers[0]
                else "",
            }
            for container, workload in layout.placed_containers
        ],
        "values": list(_list_values(layout)),
        "kept": _kept(layout),
        "tested": is_tested(layout),
        "changed": changed,
        "most": SUMMARY,
        **_given(layout),
    }
    return {"README.md": render("README.md", **context)}


def _given(layout: ChartLayout) -> dict[str, object]:
    """Collect the secrets that a release must set, by their places in values."""
    return {
        "secrets": [secret.name for secret in layout.secrets if not secret.existing],
        "passwords": [
            (container.service, name)
            for container in layout.containers
            for name in container.env.secret
            if COMPOSE.fullmatch(name)
        ],
        "hidden": [entry.variable for entry in layout.concealed if entry.variable],
        "files": [(configmap.slug, name) for configmap in layout.configmaps for name in configmap.secrets],
    }


def _list_values(layout: ChartLayout) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the values that a reader looks for first, of those that do something here: keys, default, meaning."""
    if names := ", ".join(list(layout.variables)[:SUMMARY]):
        more = len(layout.variables) - SUMMARY
        yield ("variables.NAME",), "null", names + (f", and {more} more" if more > 0 else "")
    if layout.secrets:
        names = ", ".join(secret.name for secret in layout.secrets)
        yield ("secrets.NAME.value", "secrets.NAME.existingSecret"), "", names
    counted = any(workload.replicas is not None for workload in layout.workloads)
    replicas = ("services.NAME.replicas",) if counted else ()
    yield ("services.NAME.image.tag", *replicas, "services.NAME.resources", "services.NAME.env"), "", "what runs"
    if any(container.published for container in layout.containers):
        yield ("services.NAME.service.type",), "LoadBalancer", "how it is reached; or NodePort, ClusterIP"
    if any(container.ingress for container in layout.containers):
        yield ("services.NAME.ingress.enabled", "services.NAME.httpRoute"), "", "the same by host name"
    if layout.claims:
        made = any(not claim.existing for claim in layout.claims.values())
        sized = ("persistence.NAME.size", "persistence.NAME.storageClass") if made else ()
        yield ("persistence.NAME.existingClaim", *sized), "", f"where data is stored: {', '.join(layout.claims)}"
    keys = ("defaults.resources", "defaults.nodeSelector", "defaults.imagePullSecrets")
    yield keys, "", "pods of every service; values of a service override them"
    yield ("paused",), "false", "whether no service has pods; volumes and addresses stay"
    yield ("global.imageRegistry",), "", "replaces the registry of every image"
    yield ("podSecurity",), "baseline", "or restricted"
    if layout.isolated:
        yield ("networkPolicy.enabled",), "true", "isolation of compose networks"
    if not any(workload.kind == "StatefulSet" for workload in layout.workloads):
        yield ("dns.scope",), "namespace", "or release, if releases share a namespace"


def _kept(layout: ChartLayout) -> tuple[str, str]:
    """Return what Helm keeps when a release is removed, in words and as kubectl names it."""
    match bool(layout.claims), any(workload.kind == "Job" for workload in layout.workloads):
        case True, True:
            return "Volumes and finished Jobs", "pvc,job"
        case True, False:
            return "Volumes", "pvc"
        case False, True:
            return "Finished Jobs", "job"
        case _:
            return "", ""


def collect_notes(layout: ChartLayout) -> dict[str, object]:
    """Collect what NOTES.txt is told."""
    pairs: list[tuple[Container, Workload]] = callable_containers(layout)
    filled = {
        step.claim or step.path for container in layout.containers for step in container.steps if step.verb == "content"
    }
    return {
        "published": [(container.service, container.name) for container, _ in pairs],
        "routed": [container.service for container, _ in pairs if container.ingress and not container.ingress.has_url],
        "with_url": [container.service for container, _ in pairs if container.ingress and container.ingress.has_url],
        "aliases": list(layout.aliases),
        "runs": [workload for workload in layout.workloads if workload.kind == "CronJob"],
        "tested": is_tested(layout),
        "filled": sorted(filled),
        **_given(layout),
    }
