"""`deploy.placement`: what Swarm says of nodes, as Kubernetes' scheduler reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tycho.chart.names import LABEL_VALUE
from tycho.chart.translate.resources import count_gpus
from tycho.chart.yaml import Tree
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


def readable(text: str) -> bool:
    """Whether a constraint names something that nodes are labelled with."""
    found = CONSTRAINT.fullmatch(text)
    return bool(found and (found[1] in NODE_LABELS or SPREAD.fullmatch(found[1])) and LABEL_VALUE.fullmatch(found[3]))


def required(placement: Placement) -> list[Tree]:
    """Constraints as the expressions of one node selector term."""
    return [_expression(text) for text in placement.constraints if readable(text)]


def _expression(text: str) -> Tree:
    found = CONSTRAINT.fullmatch(text)
    assert found  # noqa: S101 - `readable` said so
    name, operator, value = found.groups()
    if name == "node.role":
        manager = (value == "manager") == (operator == "==")
        return {"key": NODE_LABELS[name], "operator": "Exists" if manager else "DoesNotExist"}
    label = NODE_LABELS.get(name) or name.removeprefix("node.labels.")
    values: list[Tree] = [ARCHITECTURES.get(value, value)]
    return {"key": label, "operator": "In" if operator == "==" else "NotIn", "values": values}


def affinity(placement: Placement) -> dict[str, Tree]:
    """Where a pod may run."""
    if not (expressions := required(placement)):
        return {}
    terms: list[Tree] = [{"matchExpressions": expressions}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def spread(placement: Placement) -> list[dict[str, Tree]]:
    """Labels of nodes that the pods are spread over; the selector is the workload's own, and added by Helm."""
    keys = [match[1] for item in placement.preferences if (match := SPREAD.fullmatch(str(item.get("spread"))))]
    found: list[dict[str, Tree]] = [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway"} for key in dict.fromkeys(keys)
    ]
    if placement.max_replicas_per_node and placement.max_replicas_per_node > 1:
        skew = placement.max_replicas_per_node
        found.append({"maxSkew": skew, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"})
    return found


def tolerations(services: Iterable[Service]) -> tuple[Tree, ...]:
    """Let a pod run where its devices are: such nodes keep others out."""
    names = dict.fromkeys(name for service in services for name in count_gpus(service))
    return tuple({"key": name, "operator": "Exists", "effect": "NoSchedule"} for name in names)
