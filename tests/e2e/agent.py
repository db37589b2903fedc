"""A network policy agent: what NetworkPolicies allow, as nftables rules of the node.

Of everything between pods, and from and to the outside, what is not allowed is refused at once; the node itself may
call its pods, as everywhere.

Source: kubernetes.io/docs/concepts/services-networking/network-policies.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tycho.errors import OrchestratorError

if TYPE_CHECKING:
    from tests.e2e.node import Node

Json = Mapping[str, Any]
SIDES = (("Ingress", "ingress", "from", "saddr", "in"), ("Egress", "egress", "to", "daddr", "out"))


def enforce(node: Node) -> None:
    """Keep the rules as the policies and pods are, until the node ends."""
    last = ""
    while not node.ended.is_set():
        try:
            asked = ("/apis/networking.k8s.io/v1/networkpolicies", "/api/v1/pods", "/api/v1/namespaces")
            policies, pods, namespaces = (node.api.request("GET", path)["items"] for path in asked)
        except OrchestratorError:  # all is ending
            continue
        if (text := rules(policies, pods, namespaces)) != last:
            subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
            last = text
        time.sleep(0.3)


def rules(policies: Sequence[Json], pods: Sequence[Json], namespaces: Sequence[Json]) -> str:
    """A table that replaces the one before it: for each pod that a policy selects, what may come and go."""
    spaces = {space["metadata"]["name"]: space["metadata"].get("labels") or {} for space in namespaces}
    living = [
        pod
        for pod in pods
        if pod["status"].get("podIP") and pod["status"].get("phase") in ("Pending", "Running") and not _hosted(pod)
    ]
    chains, jumps = [], []
    for pod in living:
        mine = [
            policy
            for policy in policies
            if _space(policy) == _space(pod) and _selects(policy["spec"]["podSelector"], pod)
        ]
        address = pod["status"]["podIP"]
        for kind, key, peers, direction, short in SIDES:
            ours = [policy for policy in mine if kind in policy["spec"].get("policyTypes", ["Ingress"])]
            if ours:
                name = f"{short}-{address.replace('.', '-')}"
                allowed = [
                    line
                    for policy in ours
                    for rule in policy["spec"].get(key) or ()
                    for line in _allowed(rule, peers, direction, _space(policy), living, spaces, pod)
                ]
                chains.append(f"chain {name} {{\n" + "\n".join([*dict.fromkeys(allowed), "reject", "}"]))
                jumps.append(f"ip {'daddr' if short == 'in' else 'saddr'} {address} jump {name}")
    check = "\n".join(["chain check {", "ct state established,related accept", *jumps, "}"])
    hooks = [f"chain {hook} {{ type filter hook {hook} priority 10; jump check; }}" for hook in ("forward", "input")]
    empty = "table ip policies {}\ndelete table ip policies\n"
    return empty + "\n".join(["table ip policies {", *chains, check, *hooks, "}"]) + "\n"


def _allowed(
    rule: Json, peers: str, direction: str, space: str, pods: Sequence[Json], spaces: Mapping[str, Json], pod: Json
) -> Iterator[str]:
    """One line for each peer and port of a rule; none of either means all. A port's name is what its pod says it is."""
    called = [pod] if direction == "saddr" else pods
    sources = [""]
    if rule.get(peers):
        sources = [match for peer in rule[peers] for match in _peer(peer, direction, space, pods, spaces)]
    for source in sources:
        for port in rule.get("ports") or [None]:
            for number in _numbers(port, called):
                yield f"{source} {number} return".strip()


def _peer(peer: Json, direction: str, space: str, pods: Sequence[Json], spaces: Mapping[str, Json]) -> Iterator[str]:
    if block := peer.get("ipBlock"):
        but = f" ip {direction} != {{ {', '.join(block['except'])} }}" if block.get("except") else ""
        yield f"ip {direction} {block['cidr']}{but}"
        return
    addresses = [
        pod["status"]["podIP"]
        for pod in pods
        if _selects(peer.get("podSelector") or {}, pod)
        and (
            _matches(peer["namespaceSelector"], spaces.get(_space(pod), {}))
            if "namespaceSelector" in peer
            else _space(pod) == space
        )
    ]
    if addresses:
        yield f"ip {direction} {{ {', '.join(sorted(addresses))} }}"


def _numbers(port: Json | None, pods: Sequence[Json]) -> Iterator[str]:
    if port is None:
        yield ""
        return
    protocol = port.get("protocol", "TCP")
    if "port" not in port:
        yield f"meta l4proto {protocol.lower()}"
        return
    numbers = [port["port"]]
    if isinstance(port["port"], str):
        containers = [container for pod in pods for container in pod["spec"]["containers"]]
        numbers = [
            container_port["containerPort"]
            for container in containers
            for container_port in container.get("ports") or ()
            if (container_port.get("name"), container_port.get("protocol", "TCP")) == (port["port"], protocol)
        ]
    for number in dict.fromkeys(numbers):
        yield f"{protocol.lower()} dport {number}" + (f"-{port['endPort']}" if "endPort" in port else "")


def _selects(selector: Json, pod: Json) -> bool:
    return _matches(selector, pod["metadata"].get("labels") or {})


def _matches(selector: Json, labels: Json) -> bool:
    """Whether labels are as a selector wants them."""
    tests = {
        "In": lambda expression: labels.get(expression["key"]) in expression["values"],
        "NotIn": lambda expression: labels.get(expression["key"]) not in expression["values"],
        "Exists": lambda expression: expression["key"] in labels,
        "DoesNotExist": lambda expression: expression["key"] not in labels,
    }
    expressions = (selector or {}).get("matchExpressions") or ()
    return ((selector or {}).get("matchLabels") or {}).items() <= labels.items() and all(
        tests[expression["operator"]](expression) for expression in expressions
    )


def _space(resource: Json) -> str:
    return str(resource["metadata"]["namespace"])


def _hosted(pod: Json) -> bool:
    return bool(pod["spec"].get("hostNetwork"))
