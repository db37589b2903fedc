"""`networks` and `network_mode` of a service, and the networks of a file: labels of pods, and NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterator

from tycho.chart.chart import ReportTarget
from tycho.chart.names import DNS_LABEL
from tycho.chart.objects import NetworkMembers
from tycho.chart.translate.further_names import LETTERS, refuse_name
from tycho.chart.translate.key_rule import Rows, Table, approximated, ignored, rejected, translated, whole
from tycho.chart.translate.key_use import (
    RELEASE,
    FieldPlace,
    KeyUse,
    container,
    locate,
    named_object,
    pod,
    release_object,
    template,
)

INTERFACE = (
    "a pod has one interface, and its name resolves on every network; connections from other networks are refused"
)
NAMES = "call services by their names"
WORDS = "labels of the pod, one NetworkPolicy for each network"
SHARED_NETWORK = "a label that pods of other systems can have, too"
OTHER_SYSTEMS = "call services of other systems <name>.<namespace>"
DRIVER = "the cluster has one network, with its own driver"
LEAVE = "remove it"
GUESSED = "helm install allows ports 443 and 6443 of every address, as it does not know the API server's address"
CLOSED = "a NetworkPolicy without egress"


def find_networks(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the labels of a service's pod, and the policies of its networks."""
    for network in use.layout.networks if use.layout.isolated else ():
        if use.name in network.members:
            yield from template(f"metadata.labels[{network.label}]")(use)
            yield name_policy(network)


def name_policy(network: NetworkMembers, path: str = "") -> ReportTarget:
    """Name the policy of a network."""
    return ReportTarget("NetworkPolicy", f"{RELEASE}-network-{network.slug}", path)


def find_policy(path: str) -> FieldPlace:
    """Name a field of the policy of the network that a key belongs to."""

    def find(use: KeyUse) -> Iterator[ReportTarget]:
        for network in use.layout.networks if use.layout.isolated else ():
            if network.name == use.name:
                yield name_policy(network, path)

    return find


def find_shared(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the label of a network that others have too: on pods, and in its policy."""
    for network in use.layout.networks if use.layout.isolated else ():
        for name in network.members if network.name == use.name else ():
            yield locate(use.layout.pod_by_service[name], "template", f"metadata.labels[{network.label}]")
    yield from find_policy("spec")(use)


def assess_networks(use: KeyUse) -> Rows:
    """Assess what a pod cannot choose about its network."""
    for name, attachment in use.value.items():
        for key in sorted(
            attachment.model_fields_set - {"aliases", "x", "use_service_name_alias"} if attachment else ()
        ):
            yield f".{name}.{key}", ignored("the cluster's network decides", NAMES)
        for alias in attachment.aliases if attachment else ():
            if not DNS_LABEL.fullmatch(alias.lower()):
                yield f".{name}.aliases", refuse_name(use, alias, LETTERS)
            else:
                but, place = "every network knows it", named_object("Service", alias.lower())
                yield f".{name}.aliases", translated("a Service of that name", place, but=but)
    if not any(find_networks(use)):
        yield "", translated("nothing: no policy keeps networks apart")
    elif any(attachment and attachment.aliases for attachment in use.value.values()):
        yield "", KEYS["networks"]


def assess_network_mode(use: KeyUse) -> Rows:
    """Assess networks that are not the project's."""
    kind, _, name = str(use.value).partition(":")
    if kind == "none":
        but = "the pod has an interface and a name, but no traffic is allowed"
        place = release_object("NetworkPolicy", f"{use.pod.slug}-isolated")
        yield "", translated("a NetworkPolicy that allows no traffic", place, but=but)
    elif kind == "host":
        yield "", translated("hostNetwork", pod("hostNetwork"))
    elif kind == "service":
        yield "", translated(f"a container in the pod of {name}", container(""))
    elif kind == "container":
        yield "", rejected("a container outside the project is not in the cluster", "write network_mode: service:NAME")
    elif kind not in ("bridge", "default"):
        yield "", ignored("the cluster has one network", "write network_mode: host or none, or networks")
    else:
        yield "", translated("nothing: every pod is in the cluster's network")


def assess_internal(use: KeyUse) -> Rows:
    """Assess `internal`: pods that wait ask the API server, which lies outside."""
    members = next((network.members for network in use.layout.networks if network.name == use.name), ())
    if not use.layout.isolated or not members:
        yield "", translated("nothing: no policy keeps networks apart")
    elif use.value and any(
        use.layout.pod_by_service[name].asks_api for name in members if name in use.layout.pod_by_service
    ):
        words = f"{CLOSED}, but to the API server for pods that wait"
        places = (find_policy("spec.egress"), release_object("NetworkPolicy", "wait"))
        remedy = "tycho up sets networkPolicy.apiServer from the cluster"
        yield "", translated(words, *places, but=GUESSED, remedy=remedy)


def assess_driver(use: KeyUse) -> Rows:
    """Assess a driver: the usual ones mean nothing more."""
    if use.value in ("bridge", "overlay", "default"):
        yield "", translated("the cluster's network")


def assess_name(use: KeyUse) -> Rows:
    """Assess the name of a network that others have too: it is that of its label."""
    if getattr(use.service, "external", False):  # of a network, not of a service
        yield "", approximated(SHARED_NETWORK, "networks end with the system", OTHER_SYSTEMS, find_shared)


KEYS: Table = {
    "networks": whole(translated(WORDS, find_networks, assess=assess_networks, but=INTERFACE, remedy=NAMES)),
    "network_mode": translated("the pod's network", assess=assess_network_mode),
}
NETWORK: Table = {
    "name": ignored("objects are named after the release", "nothing: services call it by its key", assess=assess_name),
    "driver": ignored(DRIVER, LEAVE, assess=assess_driver),
    "driver_opts": whole(ignored(DRIVER, LEAVE)),
    "ipam": whole(ignored("the cluster gives the addresses", "call services by their names")),
    "external": whole(approximated(SHARED_NETWORK, "networks end with the system", OTHER_SYSTEMS, find_shared)),
    "internal": translated(CLOSED, find_policy("spec.egress"), assess=assess_internal),
    "attachable": ignored("pods are selected by labels", "nothing: NetworkPolicies select pods"),
    "enable_ipv4": ignored(DRIVER, LEAVE),
    "enable_ipv6": ignored(DRIVER, LEAVE),
    "labels": whole(ignored("labels of a NetworkPolicy have no use", "label the services")),
}
