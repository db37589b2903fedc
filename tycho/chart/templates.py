"""The files of a chart below `templates/`, and those of the project that it carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from tycho import data_folders
from tycho.chart.actions import Helpers, ObjectNames, Texts, name_variables, reference
from tycho.chart.container import Container, Expression
from tycho.chart.filters import Safe, go_string
from tycho.chart.layout import ChartLayout
from tycho.chart.layout_actions import LayoutActions
from tycho.chart.manifests import (
    TEMPLATES,
    Manifest,
    callable_containers,
    fills,
    has_peers,
    list_routed,
    names_pods,
)
from tycho.chart.render import render
from tycho.chart.variables import list_read_variables, list_texts
from tycho.chart.workload import Workload
from tycho.kinds import WORKLOADS

GROUPS: Mapping[str, tuple[str, ...]] = {
    "_helpers": (
        "fullname", "name", "serviceName", "selectorLabels", "podLabels", "labels", "image", "securityContext",
        "podNames", "affinity", "claimPath", "secretFiles",
    ),
    "_variables": ("interpolate", "integer", "processors", "memory", "resources", "words"),
    "_wait": ("wait", "kubectl"),
    "_fill": ("fillsFromImage", "fill"),
}  # fmt: skip
"""Files of helpers, and what each holds as far as it is called, in this order."""
POD_KEYS = (
    "imagePullSecrets", "serviceAccountName", "hostAliases", "nodeSelector", "tolerations", "affinity",
    "topologySpreadConstraints", "priorityClassName", "runtimeClassName",
)  # fmt: skip
CONTAINER_KEYS = (
    "command", "args", "workingDir", "lifecycle", "startupProbe", "readinessProbe", "livenessProbe", "resources",
)  # fmt: skip
UNROLLED = ("replicas", "stopped", "service", "ingress", "httpRoute", "workloadAnnotations")
"""What values say of a service, and its pods do not show."""


class ChartTemplates:
    """Writes the templates of one chart.

    Args:
        layout: What the chart holds.
    """

    def __init__(self, layout: ChartLayout) -> None:
        self.layout = layout
        self.helpers = Helpers(layout.chart)
        self._known: dict[str, Mapping[str, Any]] = {}  # by workload
        self.names = ObjectNames(self.helpers)
        self.texts = Texts(self.helpers)
        self.places = LayoutActions(layout, self.helpers)
        self.shared: dict[str, Any] = {
            "chart": layout.chart,
            "h": self.helpers,
            "name": self.names,
            "ref": reference,
            "interpolated": self.texts.interpolated,
            "live_entries": self.texts.live_entries,
            "claims": layout.claims,
            "size": self.places.claim_size,
            "existing_config": self.places.existing_config,
            "existing_secret": self.places.existing_secret,
            "is_live": is_live,
            "words_of": _words_of,
            "container_keys": lambda container: _quote_all(*_container_keys(container)),
            "isolated": layout.isolated,
            "has_peers": has_peers(layout),
            "special_names": names_pods(layout),
            "value": self.texts.value,
            "image_of": self.places.image,
            "image_at": self.places.image_at,
            "replicas_of": self.places.replicas,
            "argument": self.texts.argument,
        }

    def list_files(self, notes_context: Mapping[str, object]) -> dict[str, str]:
        """Write every file below `templates/`.

        Args:
            notes_context: What the template of NOTES.txt is told.
        """
        files = {
            f"templates/{manifest.file}.yaml": self._render(template.name, manifest)
            for template in TEMPLATES
            for manifest in template.list_manifests(self.layout)
        }
        notes = render("templates/NOTES.txt", **{**self.shared, **self._of_published(), **notes_context})
        return {**files, "templates/NOTES.txt": notes}

    def _render(self, template: str, manifest: Manifest) -> str:
        context = {**self.shared, **manifest.context}
        if isinstance(workload := manifest.context.get("workload"), Workload):
            context |= self._of_workload(workload)
        match template:
            case "published":
                context |= self._of_published()
            case "configmaps":
                short = all(self.names.is_short(entry.slug) for entry in self.layout.configmaps)
                context["plain_name"] = self.names.variable("$name", "", short=short)
            case "secrets":
                short = all(self.names.is_short(secret.slug) for secret in self.layout.secrets)
                context["secret_name"] = self.names.variable("$component", "", short=short)
            case "ingress" | "httproute":
                context |= self._of_routes()
            case "awaited":
                context |= self._of_awaited(context["workload"])
        return render(f"templates/{template}.yaml", **context)

    def _of_workload(self, workload: Workload) -> Mapping[str, Any]:
        """Collect what the templates of a workload are told besides the workload: once for all of them."""
        if workload.name not in self._known:
            self._known[workload.name] = self._collect(workload)
        return self._known[workload.name]

    def _collect(self, workload: Workload) -> Mapping[str, Any]:
        variables = name_variables(workload)
        images = [volume for volume in workload.volumes if volume.kind == "ownImage"]
        owned = [
            volume
            for volume in workload.volumes
            if volume.kind == "claim" and self.layout.claims[volume.source].owner == workload.name
        ]
        plain = [volume for volume in workload.volumes if volume not in images and volume not in owned]
        handled = {
            "serviceAccountName": workload.asks_api,
            "affinity": bool(workload.group) or workload.single_per_node,
            "topologySpreadConstraints": bool(workload.spread),
        }
        keys = [name for name in POD_KEYS if not handled.get(name)]
        if not (plain or workload.asks_api or workload.fills):
            keys.insert(0, "volumes")
        dns = workload.dns
        return {
            "workload": workload,
            "extra_annotations": _job_annotations(workload),
            "var": variables,
            "own": variables[workload.name],
            "service_name": Safe("$service") if workload.name == workload.slug else go_string(workload.name),
            "limit": WORKLOADS[workload.kind].longest_name,
            "live_replicas": isinstance(workload.replicas, Expression),
            "replicas_key": f"services.{workload.name}.replicas",
            "owned": owned,
            "plain_volumes": plain,
            "image_volumes": [self.places.own_image(workload, volume.source, volume.name) for volume in images],
            "made_claims": sorted({volume.source for volume in workload.volumes if volume.kind == "claim"}),
            "live_sysctls": [(name, text) for name, text in workload.sysctls.items() if isinstance(text, Expression)],
            "pod_keys": (_quote_all(*keys[:-4]), _quote_all(*keys[-4:])),
            "checksums": {checksum.name: self.places.checksum(checksum) for checksum in workload.checksums},
            "rollout": Safe(f"(include {self.helpers.define('rollout', workload.slug)} .)"),
            "special_names": bool(workload.hostname or workload.host_network or dns),
            "dns_texts": {
                "nameservers": dns.nameservers,
                "searches": dns.searches,
                "options": [_join_option(name, value) for name, value in dns.options],
            },
            "selector": self.places.selector,
            "refusal": f"services.{workload.name}: a StatefulSet names its pods itself, and cannot be found in"
            " dns.scope release",
        }

    def _of_awaited(self, workload: Workload) -> dict[str, Any]:
        """Collect what tells one rollout of a workload from another: all that its pods show."""
        context = {**self.shared, **self._of_workload(workload)}
        pod = render("parts/pod", **context, depth=0)
        return {
            "digest": hashlib.sha256(pod.encode()).hexdigest()[:8],
            "unrolled": UNROLLED,
            "read": list_read_variables(_visible_in_pods(workload)),
        }

    def _of_published(self) -> dict[str, Any]:
        """Collect what the template of published ports is told."""
        containers = callable_containers(self.layout)
        short = all(self.names.is_short(f"{container.name}-published") for container, _ in containers)
        same = all(container.service == container.name == workload.slug for container, workload in containers)
        part = "$name" if same else "(index $names 1)"
        return {
            "same_slugs": same,
            "component": Safe("$name" if same else "(index $names 2)"),
            "published_name": self.names.variable(part, "-published", short=short),
            "callable": [(container.service, container.name, workload.slug) for container, workload in containers],
            "live_ports": any(
                isinstance(port.port, Expression) or isinstance(port.app_protocol, Expression)
                for container, _ in containers
                for port in container.published
            ),
            "routed": [(container.service, container.ingress.port) for container, _ in containers if container.ingress],
        }

    def _of_routes(self) -> dict[str, Any]:
        """Collect what the templates of routes are told."""
        routed = list_routed(self.layout)
        same = all(container.service == container.name == workload.slug for container, workload in routed)
        part, slug = ("$name", "$name") if same else ("(index $row 1)", "(index $row 2)")
        short = all(self.names.is_short(container.name) for container, _ in routed)
        return {
            "same_slugs": same,
            "component": Safe(part),
            "route_name": self.names.variable(part, "", short=short),
            "target": self.names.service_of(slug, short=all(self.names.is_short(entry.slug) for _, entry in routed)),
            "has_urls": any(container.ingress and container.ingress.has_url for container, _ in routed),
        }

    def list_helpers(self) -> dict[str, str]:
        """Write the helpers that were asked for, and those that these ask for."""
        written: dict[str, str] = {}
        context = {**self.shared, "longest": self.names.longest}
        while missing := [name for name in self.helpers.list_asked() if name not in written]:
            for name in missing:
                written[name] = render(f"helpers/{name}.tpl", **context)
        return {
            f"templates/{group}.tpl": "\n".join(written[name] for name in names if name in written)
            for group, names in GROUPS.items()
            if any(name in written for name in names)
        }


def _visible_in_pods(workload: Workload) -> Workload:
    """Leave out of a workload what its pods do not show."""
    containers = tuple(replace(entry, published=(), workload_annotations={}) for entry in workload.containers)
    return replace(workload, containers=containers, replicas=None)


def _job_annotations(workload: Workload) -> list[tuple[str, str]]:
    """List what a Job is annotated with besides: kept, for a rollback finds it done; ready while it runs, if so."""
    if workload.kind != "Job":
        return []
    kept = [("helm.sh/resource-policy", "keep")]
    return [*kept, ("tycho.dev/ready-when", "running")] if workload.may_run_on else kept


def _join_option(name: str, value: str) -> str:
    if isinstance(name, Expression) or isinstance(value, Expression):
        return Expression(f"{name}:{value}" if value else name)
    return f"{name}:{value}" if value else name


def is_live(value: object) -> bool:
    """Tell whether a text of a value reads a variable."""
    return bool(value) and any(isinstance(text, Expression) for text in list_texts(value))


@cache
def _quote_all(*keys: str) -> Safe:
    """Write keys of values as arguments of an action: most services have the same."""
    return Safe(" ".join(map(go_string, keys)))


def _words_of(field: str, value: str, service: str) -> dict[str, object]:
    return {"field": field, "value": Safe(value), "key": f"services.{service}.{field}"}


def _container_keys(container: Container) -> list[str]:
    """List the keys of a container that values hold as Kubernetes has them."""
    live = {
        "command": container.command.is_live,
        "args": container.args.is_live,
        "workingDir": isinstance(container.working_dir, Expression),
        "resources": container.has_live_resources,
        "lifecycle": is_live(container.lifecycle),
        **{name: is_live(probe) for name, probe in container.probes.items()},
    }
    keys = [name for name in CONTAINER_KEYS if not live.get(name)]
    return keys if container.mounts else [*keys, "volumeMounts"]


def list_contents(layout: ChartLayout) -> dict[str, str | bytes]:
    """List files that the chart carries: of the project, and the script that fills volumes."""
    files: dict[str, str | bytes] = {
        f"files/{configmap.slug}/{name}": content
        for configmap in layout.configmaps
        if not configmap.live
        for name, content in configmap.files.items()
    }
    if fills(layout):
        files["files/fill.sh"] = (data_folders.templates() / "files" / "fill.sh").read_text(encoding="utf-8")
    return files
