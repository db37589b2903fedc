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
            policies, pods, namespaces = (node.api.get(path)["items"] for path in asked)
        except OrchestratorError:  # all is ending
            continue
        if (text := rules(policies, pods, namespaces)) != last:
            subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
            last = text
        time.sleep(0.3)


def rules(policies: Sequence[Json], pods: Sequence[Json], namespaces: Sequence[Json]) -> str:
    """A table that replaces the one before it: for each pod that a policy selects, what may come and go."""
    spaces = {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in namespaces}
    living = [
        one
        for one in pods
        if one["status"].get("podIP") and one["status"].get("phase") in ("Pending", "Running") and not _hosted(one)
    ]
    chains, jumps = [], []
    for pod in living:
        mine = [one for one in policies if _space(one) == _space(pod) and _selects(one["spec"]["podSelector"], pod)]
        address = pod["status"]["podIP"]
        for kind, key, peers, direction, short in SIDES:
            ours = [one for one in mine if kind in one["spec"].get("policyTypes", ["Ingress"])]
            if ours:
                name = f"{short}-{address.replace('.', '-')}"
                allowed = [
                    line
                    for one in ours
                    for rule in one["spec"].get(key) or ()
                    for line in _allowed(rule, peers, direction, _space(one), living, spaces, pod)
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
    wanted = [
        pod["status"]["podIP"]
        for pod in pods
        if _selects(peer.get("podSelector") or {}, pod)
        and (
            _matches(peer["namespaceSelector"], spaces.get(_space(pod), {}))
            if "namespaceSelector" in peer
            else _space(pod) == space
        )
    ]
    if wanted:
        yield f"ip {direction} {{ {', '.join(sorted(wanted))} }}"


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
        asked = [one for pod in pods for spec in pod["spec"]["containers"] for one in spec.get("ports") or ()]
        wanted = (port["port"], protocol)
        numbers = [one["containerPort"] for one in asked if (one.get("name"), one.get("protocol", "TCP")) == wanted]
    for number in dict.fromkeys(numbers):
        yield f"{protocol.lower()} dport {number}" + (f"-{port['endPort']}" if "endPort" in port else "")


def _selects(selector: Json, pod: Json) -> bool:
    return _matches(selector, pod["metadata"].get("labels") or {})


def _matches(selector: Json, labels: Json) -> bool:
    """Whether labels are as a selector wants them."""
    tests = {
        "In": lambda one: labels.get(one["key"]) in one["values"],
        "NotIn": lambda one: labels.get(one["key"]) not in one["values"],
        "Exists": lambda one: one["key"] in labels,
        "DoesNotExist": lambda one: one["key"] not in labels,
    }
    said = (selector or {}).get("matchExpressions") or ()
    return ((selector or {}).get("matchLabels") or {}).items() <= labels.items() and all(
        tests[one["operator"]](one) for one in said
    )


def _space(one: Json) -> str:
    return str(one["metadata"]["namespace"])


def _hosted(pod: Json) -> bool:
    return bool(pod["spec"].get("hostNetwork"))
