"""values.yaml: what a chart's editor may set, as Kubernetes has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.container import Command, Container, Expression, Image, Ingress
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import fills, is_fenced, list_targets, looks_up
from tycho.chart.mounts import DATA_FOLDER, IMAGE_VOLUMES_SINCE
from tycho.chart.settings import DEFAULTS, KEYS, SETTINGS, describe_setting
from tycho.chart.variables import SHOWN
from tycho.chart.workload import Workload
from tycho.chart.workload_kind import JOBS
from tycho.chart.yaml_writer import Commented, YamlValue

KUBECTL = Image("registry.k8s.io/kubectl", "v1.37.2")
BUSYBOX = Image("docker.io/library/busybox", "1.36")
POD_KEYS = (
    "podLabels", "podSecurityContext", "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints",
    "hostAliases", "imagePullSecrets", "serviceAccountName", "automountServiceAccountToken", "priorityClassName",
    "runtimeClassName", "volumes",
)  # fmt: skip
"""Keys that a pod has once: they are those of the service that it is named for."""
PORTS_FOR_ALL = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
"""As in Docker, every user may open every port."""


def chart_values(layout: ChartLayout) -> dict[str, YamlValue]:
    """Collect the chart's values, in the order of values.yaml."""
    values: dict[str, YamlValue] = {}
    if layout.variables:
        variables = {name: Commented(None, _readers(places)) for name, places in layout.variables.items()}
        values["variables"] = Commented(variables, SETTINGS["variables"].comment, open=True)
    comments = _Comments()
    security = _common_security(layout)
    services = {
        container.service: Commented(comments.add(_service(workload, container, security)), open=True)
        for container, workload in layout.placed_containers
    }
    values["services"] = Commented(services, SETTINGS["services"].comment, open=True)
    if layout.claims:
        claims: dict[str, YamlValue] = {
            name: {
                "size": claim.size,
                "storageClass": claim.storage_class,
                "accessModes": list(claim.access_modes),
                "existingClaim": claim.existing,
                "subPath": "" if claim.existing else DATA_FOLDER,
                "annotations": _plain(claim.annotations),
            }
            for name, claim in layout.claims.items()
        }
        values["persistence"] = Commented(claims, SETTINGS["persistence"].comment, open=True)
    if configs := _configs(layout):
        values["configs"] = Commented(configs, SETTINGS["configs"].comment, open=True)
    if layout.secrets:
        secrets = {secret.name: {"existingSecret": secret.existing, "key": secret.name} for secret in layout.secrets}
        values["secrets"] = Commented(secrets, SETTINGS["secrets"].comment, open=True)
    if files := {entry.slug: dict.fromkeys(entry.secrets, "") for entry in layout.configmaps if entry.secrets}:
        values["secretFiles"] = Commented(files, SETTINGS["secretFiles"].comment, open=True)
    return values | _settings(layout, security)


def _common_security(layout: ChartLayout) -> Mapping[str, YamlValue]:
    """Find what the securityContext of every container says; {} where they differ."""
    first = layout.containers[0].security_context if layout.containers else {}
    return first if all(container.security_context == first for container in layout.containers) else {}


def _readers(places: tuple[str, ...]) -> str:
    """Name the first places that read a variable."""
    more = f", and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f"{', '.join(places[:SHOWN])}{more}".strip()


class _Comments:
    """Says what a key is where it stands for the first time."""

    def __init__(self) -> None:
        self._commented: set[str] = set()

    def add(self, tree: Mapping[str, YamlValue]) -> dict[str, YamlValue]:
        noted: dict[str, YamlValue] = {}
        for name, value in tree.items():
            comment = KEYS[name].comment if name in KEYS and name not in self._commented else ""
            self._commented.add(name)
            noted[name] = Commented(value, comment, open=name in ("env", "service"))
        return noted


def _service(
    workload: Workload, container: Container, common_security: Mapping[str, YamlValue]
) -> dict[str, YamlValue]:
    first = container is workload.containers[0]
    fields: dict[str, YamlValue] = {"image": _parts(container.image)}
    if first and workload.replicas is not None:
        fields["replicas"] = workload.replicas
    optional: dict[str, YamlValue] = {
        "command": _command(container.command),
        "args": _command(container.args),
        "workingDir": container.working_dir,
        "env": dict(container.env.values),
        "resources": {side: dict(amounts) for side, amounts in container.resources.items()},
        "securityContext": {} if common_security else dict(container.security_context),
        **{name: dict(probe) for name, probe in container.probes.items()},
        "lifecycle": {name: dict(hook) for name, hook in container.lifecycle.items()},
        "podAnnotations": _plain(container.annotations),
        "workloadAnnotations": _plain(container.workload_annotations),
    }
    if first:
        optional |= _pod_fields(workload)
    fields |= {name: value for name, value in optional.items() if value not in ({}, [], "", None)}
    if container.published:
        fields["service"] = _published(container)
    if container.ingress:
        fields |= _routes(container.ingress)
    return fields


def _parts(image: Image) -> dict[str, YamlValue]:
    parts: dict[str, YamlValue] = {
        "reference": image.reference,
        "repository": image.repository,
        "tag": image.tag,
        "digest": image.digest,
        "pullPolicy": image.pull_policy,
    }
    kept: dict[str, YamlValue] = {name: text for name, text in parts.items() if text}
    if image.repository and not (image.tag or image.digest):
        kept["tag"] = ""  # the registry's latest; said, so that an editor sees where to write another
    return kept


def _command(command: Command) -> YamlValue:
    return command.line or list(command.words)


def _plain(annotations: Mapping[str, str]) -> dict[str, YamlValue]:
    """Leave out what reads variables: it stands in the templates."""
    return {name: text for name, text in annotations.items() if not isinstance(text, Expression)}


def _pod_fields(workload: Workload) -> dict[str, YamlValue]:
    """Collect the keys that a pod has once."""
    plain = {name: text for name, text in workload.sysctls.items() if not isinstance(text, Expression)}
    security = dict(workload.security_context)
    if workload.host_network and (PORTS_FOR_ALL["name"] not in plain):
        security["sysctls"] = [{"name": name, "value": text} for name, text in plain.items()]
    elif plain:
        given = {PORTS_FOR_ALL["name"]: PORTS_FOR_ALL["value"]} | plain
        security["sysctls"] = [{"name": name, "value": text} for name, text in given.items()]
    return {
        "podSecurityContext": security,
        "nodeSelector": dict(workload.node_selector),
        "affinity": dict(workload.affinity),
        "tolerations": list(workload.tolerations),
        "topologySpreadConstraints": [dict(constraint) for constraint in workload.spread],
        "hostAliases": [{"ip": address, "hostnames": list(names)} for address, names in workload.host_aliases],
        "runtimeClassName": workload.runtime_class,
    }


def _published(container: Container) -> dict[str, YamlValue]:
    fields: dict[str, YamlValue] = {"type": container.service_type} if container.service_type else {}
    ports: dict[str, YamlValue] = {}
    for port in container.published:
        optional: dict[str, YamlValue] = {"nodePort": port.node_port, "appProtocol": port.app_protocol}
        ports[port.name] = {
            "port": port.port,
            "targetPort": port.target_port,
            "protocol": port.protocol,
            **{name: value for name, value in optional.items() if value},
        }
    return {**fields, "ports": Commented(ports, open=True)}


def _routes(ingress: Ingress) -> dict[str, YamlValue]:
    route: dict[str, YamlValue] = {
        "enabled": ingress.enabled,
        **({"ingressClassName": ingress.class_name} if ingress.class_name else {}),
        "annotations": dict(ingress.annotations),
        "path": ingress.path,
        "hosts": list(ingress.hosts),
        "tls": list(ingress.tls),
        **({"pathType": "Prefix"} if ingress.has_url else {}),
    }
    gateway: dict[str, YamlValue] = {
        "enabled": False,
        "annotations": {},
        "path": ingress.path,
        "hostnames": list(ingress.hosts),
        "parentRefs": [],
        **({"filters": []} if ingress.has_url else {}),
    }
    return {"ingress": route, "httpRoute": gateway}


def _configs(layout: ChartLayout) -> dict[str, YamlValue]:
    configs: dict[str, YamlValue] = {
        name: {"existingConfigMap": existing, "key": name} for name, existing in layout.configs.items()
    }
    return configs | {entry.name: {"content": entry.text} for entry in layout.configmaps if entry.live}


def _settings(layout: ChartLayout, common_security: Mapping[str, YamlValue]) -> dict[str, YamlValue]:
    """Collect the values that are about the whole chart."""
    sysctls: list[YamlValue] = [PORTS_FOR_ALL]
    defaults: dict[str, YamlValue] = {
        "image": {"pullPolicy": "IfNotPresent"},
        "imagePullSecrets": [],
        "resources": {},
        "securityContext": dict(common_security),
        "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}, "sysctls": sysctls},
        "automountServiceAccountToken": False,
        "podAnnotations": {},
        "podLabels": {},
        "workloadAnnotations": {},
        "nodeSelector": {},
        "tolerations": [],
        "affinity": {},
        "service": {"type": "LoadBalancer", "annotations": {}, "loadBalancerSourceRanges": []},
    }
    values: dict[str, YamlValue] = {
        "defaults": Commented(
            {name: Commented(value, DEFAULTS.get(name, "")) for name, value in defaults.items()},
            SETTINGS["defaults"].comment,
            open=True,
        )
    }
    asks_api = any(workload.asks_api for workload in layout.workloads)
    present: dict[str, YamlValue | None] = {
        "paused": False,
        "podSecurity": "baseline",
        "networkPolicy": _network_policy(layout) if layout.isolated else None,
        "dns": {"scope": "namespace"}
        | ({"clusterDomain": "cluster.local", "nameservers": []} if looks_up(layout) else {}),
        "tools": {"image": _parts(BUSYBOX), "resources": _small_resources("32Mi")} if uses_tools(layout) else None,
        "kubectl": {
            "image": _parts(KUBECTL),
            "resources": _small_resources("64Mi"),
            "serviceAccount": {"create": True, "name": ""},
        }
        if asks_api
        else None,
        "fill": {"fromImage": True, "since": IMAGE_VOLUMES_SINCE} if fills(layout) else None,
        "test": {"timeoutSeconds": 60} if is_tested(layout) else None,
        "global": {"imageRegistry": ""},
        "commonLabels": {},
        "nameOverride": "",
        "fullnameOverride": "",
        "extraObjects": [],
    }
    for name, value in present.items():
        if value is not None:
            values[name] = Commented(value, describe_setting(name, value))
    return values


def _network_policy(layout: ChartLayout) -> dict[str, YamlValue]:
    policy: dict[str, YamlValue] = {"enabled": True}
    return policy | ({"apiServer": {"cidrs": [], "ports": [443, 6443]}} if is_fenced(layout) else {})


def _small_resources(memory: str) -> dict[str, YamlValue]:
    """Bound what a container that only asks around may take."""
    return {"requests": {"cpu": "10m", "memory": memory}, "limits": {"cpu": "500m", "memory": memory}}


def is_tested(layout: ChartLayout) -> bool:
    """Tell whether `helm test` has a port to call."""
    return bool(list_targets(layout))


def uses_tools(layout: ChartLayout) -> bool:
    """Tell whether a container of the chart's own runs a shell: to wait, to fill volumes, to test."""
    waits = any(not wait.api for workload in layout.workloads for wait in workload.waits)
    return waits or fills(layout) or is_tested(layout)


def list_unused_keys(workload: Workload, container: Container) -> Iterator[str]:
    """List the keys that would do nothing for a service, as the templates have no place for them."""
    first = container is workload.containers[0]
    if workload.replicas is None or not first:
        yield "replicas"
    if not first:
        yield from ("stopped", *POD_KEYS)
    if not container.env.secret:
        yield "secretEnv"
    if not container.env.from_file:
        yield "envFile"
    if not container.ingress:
        yield from ("ingress", "httpRoute")
    if workload.kind in JOBS and not container.published:
        yield "service"
