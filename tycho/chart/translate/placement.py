"""`deploy.placement`, `platform`: what a file says of nodes, as Kubernetes' scheduler reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.names import LABEL_VALUE
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, per_pod, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, pod
from tycho.chart.translate.resources import count_gpus
from tycho.chart.yaml_writer import YamlValue
from tycho.model import Placement, Service

NODE_LABELS = {
    "node.hostname": "kubernetes.io/hostname",
    "node.role": "node-role.kubernetes.io/control-plane",
    "node.platform.os": "kubernetes.io/os",
    "node.platform.arch": "kubernetes.io/arch",
}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CONSTRAINT = re.compile(r"\s*(node\.[A-Za-z0-9_./-]+?)\s*(==|!=)\s*(\S*)\s*")
SPREAD = re.compile(r"node\.labels\.([A-Za-z0-9][A-Za-z0-9_./-]*)")


def is_readable(text: str) -> bool:
    """Tell whether a constraint names something that nodes are labelled with."""
    match = CONSTRAINT.fullmatch(text)
    return bool(match and (match[1] in NODE_LABELS or SPREAD.fullmatch(match[1])) and LABEL_VALUE.fullmatch(match[3]))


def _expression(text: str) -> YamlValue:
    match = CONSTRAINT.fullmatch(text)
    assert match  # noqa: S101 - `is_readable` said so
    name, operator, value = match.groups()
    if name == "node.role":
        manager = (value == "manager") == (operator == "==")
        return {"key": NODE_LABELS[name], "operator": "Exists" if manager else "DoesNotExist"}
    label = NODE_LABELS.get(name) or name.removeprefix("node.labels.")
    values: list[YamlValue] = [ARCHITECTURES.get(value, value)]
    return {"key": label, "operator": "In" if operator == "==" else "NotIn", "values": values}


def translate_constraints(placement: Placement) -> dict[str, YamlValue]:
    """Translate constraints into the expressions of one node selector term."""
    expressions = [_expression(text) for text in placement.constraints if is_readable(text)]
    if not expressions:
        return {}
    terms: list[YamlValue] = [{"matchExpressions": expressions}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def translate_spread(placement: Placement) -> list[dict[str, YamlValue]]:
    """Translate into labels of nodes to spread over; the selector is the workload's own, and added by Helm."""
    keys = [
        match[1] for preference in placement.preferences if (match := SPREAD.fullmatch(str(preference.get("spread"))))
    ]
    constraints: list[dict[str, YamlValue]] = [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway"} for key in dict.fromkeys(keys)
    ]
    if placement.max_replicas_per_node and placement.max_replicas_per_node > 1:
        skew = placement.max_replicas_per_node
        constraints.append(
            {"maxSkew": skew, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
        )
    return constraints


def list_tolerations(services: Iterable[Service]) -> tuple[YamlValue, ...]:
    """Let a pod run where its devices are: such nodes keep others out."""
    names = dict.fromkeys(name for service in services for name in count_gpus(service))
    return tuple({"key": name, "operator": "Exists", "effect": "NoSchedule"} for name in names)


def translate_platform(service: Service) -> dict[str, str]:
    """Translate `platform` into labels of nodes."""
    if not service.platform:
        return {}
    system, _, machine = service.platform.partition("/")
    return {"kubernetes.io/os": system} | ({"kubernetes.io/arch": machine.split("/")[0]} if machine else {})


def find_platform(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the labels that a node must have."""
    for name in use.pod.node_selector:
        yield from pod(f"nodeSelector[{name}]")(use)


def assess_platform(use: KeyUse) -> Rows:
    """Assess `platform`: labels of nodes."""
    if not all(part and LABEL_VALUE.fullmatch(part) for part in str(use.value).split("/")):
        yield "", rejected(f'"{use.value}" is not a platform', "write for example linux/amd64")


def assess_constraints(use: KeyUse) -> Rows:
    """Assess what Swarm says of nodes, as labels that Kubernetes gives them."""
    for index, text in enumerate(use.value):
        if not is_readable(str(text)):
            known = f"{', '.join(NODE_LABELS)}, node.labels.NAME"
            yield f"[{index}]", ignored(f'"{text}" names no label of nodes', f"write one of {known}")


def assess_preferences(use: KeyUse) -> Rows:
    """Assess labels of nodes to spread over."""
    for index, preference in enumerate(use.value):
        if not SPREAD.fullmatch(str(preference.get("spread", ""))):
            yield f"[{index}]", ignored("it names no label of nodes", "write spread: node.labels.NAME")


def assess_most(use: KeyUse) -> Rows:
    """Assess how many pods a node may have: one for each node is exact."""
    if use.value == 1:
        yield "", translated("podAntiAffinity", pod("affinity.podAntiAffinity"))


SPREADING = pod("topologySpreadConstraints")
KEYS: Table = {
    "platform": per_pod(
        translated(
            "nodeSelector kubernetes.io/os, kubernetes.io/arch",
            find_platform,
            assess=assess_platform,
        )
    ),
    "deploy.placement.constraints": per_pod(
        translated("nodeAffinity", pod("affinity.nodeAffinity"), assess=assess_constraints)
    ),
    "deploy.placement.preferences": per_pod(
        whole(translated("topologySpreadConstraints", SPREADING, assess=assess_preferences))
    ),
    "deploy.placement.max_replicas_per_node": per_pod(
        approximated(
            "topologySpreadConstraints",
            "pods are spread over nodes, not limited to a number",
            "write 1: that is exact",
            SPREADING,
            assess=assess_most,
        )
    ),
}
