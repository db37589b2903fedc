"""What becomes of keys about what a service reaches: each judge yields rows, with what is added to the key's path."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tycho.chart.keys.extension import SIZE
from tycho.chart.keys.key import Case, Key, Rows, approximated, ignored, rejected, translated
from tycho.chart.keys.naming import LETTERS, unnamed
from tycho.chart.keys.wording import LEAVE_OUT, is_address, seccomp_path
from tycho.chart.names import DNS_LABEL
from tycho.chart.podsecurity import SAFE_SYSCTLS
from tycho.chart.translate.networking import RESOLVERS
from tycho.chart.translate.ports import LOOPBACK
from tycho.model import Live
from tycho.model.rights import parse_option


def triggers(case: Case) -> Rows:
    """Schedules."""
    schedule = (case.value or {}).get("schedule") or ()
    if len(schedule) > 1:
        yield ".schedule", rejected("a CronJob has one schedule", "make it a job for each")
    elif any(isinstance(one, Mapping) and one.get("concurrency") == "queue" for one in schedule):
        yield (
            ".schedule[0].concurrency",
            approximated("Forbid", "a CronJob leaves out what it cannot start", "have runs end before the next begins"),
        )
    elif not schedule:
        yield (
            "",
            approximated("a suspended CronJob", "somebody has to start it", "kubectl create job --from=cronjob/NAME"),
        )


def ports(case: Case) -> Rows:
    """Ports that mean another thing in a cluster, each on its own."""
    if case.name in case.layout.enclosed:
        yield "", translated("nothing is published: all its networks are internal, and Docker publishes nothing then")
        return
    inside = [bool(LOOPBACK.fullmatch(port.host_ip or "")) for port in case.value]
    for index, port in enumerate(case.value):
        at = f"[{index}]"
        if port.mode == "host":
            yield at, translated("hostPort")
        elif inside[index] and not all(inside):
            yield at, approximated("port of the Service that peers call", "loopback: nobody outside may call it",
                                   "kubectl port-forward reaches it")  # fmt: skip
        elif inside[index]:
            yield at, approximated("Service of type ClusterIP", "loopback: nobody outside may call it",
                                   "kubectl port-forward reaches it")  # fmt: skip
        elif port.host_ip and port.host_ip not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            yield (
                at,
                approximated(
                    "published at every address",
                    "a Service has addresses of its own",
                    "name clients in service metadata",
                ),
            )
        elif "-" in str(port.published or ""):
            yield (
                at,
                approximated(
                    "the first port"
                    if isinstance(port.published, Live)
                    else f"port {str(port.published).partition('-')[0]}",
                    "a Service has one port, not a range",
                    "choose one port",
                ),
            )
        elif port.name and not (DNS_LABEL.fullmatch(port.name)):
            yield (
                f"{at}.name",
                rejected(f'"{port.name}" is not a DNS label', "use lower-case letters, digits and dashes"),
            )
    if case.value:
        but = STRANGERS if _has_strangers(case) else ""
        yield "", translated("Service <name>-published, and the Service that peers call", but=but)


STRANGERS = "a published port can be called by every pod: those that share no network with it as well"


def _has_strangers(case: Case) -> bool:
    """Tell whether another service is on none of a service's networks."""
    own = case.service.networks.keys()
    others = [service.networks.keys() for service in case.layout.system.services.values()]
    return bool(own) and any(networks and own.isdisjoint(networks) for networks in others)


ONE_INTERFACE = "a pod has one interface, and names are known on every network: calls from others are refused"
NAMES = "call services by their names"


def networks(case: Case) -> Rows:
    """What a pod cannot choose about its network."""
    for name, attachment in case.value.items():
        for key in sorted(
            attachment.model_fields_set - {"aliases", "x", "use_service_name_alias"} if attachment else ()
        ):
            yield f".{name}.{key}", ignored("the cluster's network decides", "call services by their names")
        for alias in attachment.aliases if attachment else ():
            if not DNS_LABEL.fullmatch(alias.lower()):
                yield f".{name}.aliases", unnamed(case, alias, LETTERS)
            else:
                yield f".{name}.aliases", translated("a Service of that name", but="every network knows it")
    if any(attachment and attachment.aliases for attachment in case.value.values()):
        yield "", translated("labels of the pod, one NetworkPolicy for each network", but=ONE_INTERFACE, remedy=NAMES)


def network_mode(case: Case) -> Rows:
    """Networks that are not the project's."""
    kind, _, name = str(case.value).partition(":")
    if kind == "none":
        but = "the pod has an interface, and its name is known, but it reaches nothing and nobody reaches it"
        yield "", translated("a NetworkPolicy that admits nothing", but=but)
    elif kind == "host":
        yield "", translated("hostNetwork")
    elif kind == "service":
        yield "", translated(f"a container in the pod of {name}")
    elif kind == "container":
        yield (
            "",
            rejected("a container outside the project is not in the cluster", "network_mode: service:NAME"),
        )
    elif kind not in ("bridge", "default"):
        yield "", ignored("the cluster has one network", "network_mode: host or none, or networks")


def namespaced(case: Case) -> Rows:
    """`pid` and `ipc`."""
    kind = str(case.value).partition(":")[0]
    if kind == "container":
        yield "", rejected("a container outside the project is not in the cluster", "service:NAME")
    elif kind == "service":
        but = "they share name, address and what a pod shares, too"
        yield "", translated("one pod for both", but=but, remedy="call both by the name of the other")
    elif kind != "host":
        yield "", ignored("containers of a pod share what a pod shares", "remove it, or service:NAME")


def dns(case: Case) -> Rows:
    """A pod has few resolvers, each by its address."""
    for index, server in enumerate(case.value):
        if isinstance(server, Live):
            continue
        if not server:
            yield f"[{index}]", ignored("it is empty", LEAVE_OUT)
        elif not is_address(server):
            yield f"[{index}]", rejected(f'"{server}" is not an address', "192.0.2.53, for example")
    if len(case.value) > RESOLVERS:
        yield (
            "",
            approximated(f"the first {RESOLVERS}, after the cluster's", "a pod has no more resolvers", "name fewer"),
        )


SERVER = "o: addr=192.0.2.7,rw"
SHARED_NETWORK = "a label that pods of other systems may carry too"
OTHER_SYSTEMS = "services of other systems: <name>.<namespace>"
GUESSED = "helm alone allows ports 443 and 6443 of any address: it does not know where the API server is"
HARDENING = "10-hardening.yaml"
GAINS = f"{HARDENING} asks for it: sudo, su and other setuid programs of the image gain no rights; in Docker they do"
KEEP_OUT = "security_opt: [no-new-privileges=false] keeps it out"


def internal(case: Case) -> Rows:
    """Pods that wait ask the API server, which lies outside."""
    members = next((network.members for network in case.layout.networks if network.name == case.name), ())
    if case.value and any(case.layout.homes[name].waits for name in members):
        target = "a NetworkPolicy without egress, but to the API server for pods that wait"
        yield "", Key("translated", target, GUESSED, "tycho up sets networkPolicy.apiServer from the cluster")


def security_opt(case: Case) -> Rows:
    """Options that have no counterpart, and one that Docker does not have of itself."""
    file, _ = case.layout.system.at(f"services.{case.name}.security_opt")
    options = [parse_option(str(option)) for option in case.value]
    if ("no-new-privileges", "true") in options and file.endswith(HARDENING):
        yield "", Key("translated", "securityContext, with allowPrivilegeEscalation: false", GAINS, KEEP_OUT)
    for index, option in enumerate(case.value):
        key, value = parse_option(str(option))
        if key not in ("no-new-privileges", "seccomp", "apparmor", "label") or value.startswith("{"):
            yield f"[{index}]", ignored(f"{key} is Docker's", "set services.X.securityContext")
        elif key == "seccomp" and value != "unconfined" and not seccomp_path(value):
            yield (
                f"[{index}]",
                rejected("a profile lies below the kubelet's seccomp folder", "name it relative to that"),
            )
        elif key == "label" and value == "disable":
            yield (
                f"[{index}]",
                ignored("SELinux is the node's business", "set services.X.podSecurityContext.seLinuxOptions"),
            )


def sysctls(case: Case) -> Rows:
    """The kubelet lets few through."""
    for name in case.value:
        if name not in SAFE_SYSCTLS:
            yield (
                f".{name}",
                approximated("sysctls", "a kubelet refuses it where it is not allowed", "--allowed-unsafe-sysctls"),
            )


def userns_mode(case: Case) -> Rows:
    """The host's users, which a pod has by itself, or a mapping."""
    if case.value != "host":
        yield "", approximated("", "the cluster maps users", "set services.X.podSecurityContext")


def network_driver(case: Case) -> Rows:
    """The usual ones mean nothing more."""
    if case.value in ("bridge", "overlay", "default"):
        yield "", translated("the cluster's network")


def network_name(case: Case) -> Rows:
    """The name of a network that others have too is that of its label."""
    if getattr(case.service, "external", False):  # of a network, not of a service
        yield "", approximated(SHARED_NETWORK, "networks end with the system", OTHER_SYSTEMS)


def external_name(case: Case) -> Rows:
    """The name of what exists already."""
    if case.value is None or getattr(case.service, "external", False):
        yield "", translated("the name of what exists")


def volume_driver(case: Case) -> Rows:
    """The local one."""
    if case.value in ("local", "default"):
        yield "", translated("PersistentVolumeClaim")


def driver_opts(case: Case) -> Rows:
    """Options of the local driver."""
    options = {str(key): str(value) for key, value in case.value.items()}
    if options.get("type", "").startswith("nfs"):
        if re.search(r"addr=(,|$)", options.get("o", "")):
            yield ".o", rejected("it names no server", SERVER)
        elif "addr=" not in options.get("o", ""):
            yield "", ignored("it names no server", SERVER)
        return
    size = case.value.get("size", "")
    if size and not isinstance(size, Live) and not SIZE.fullmatch(str(size)):
        yield ".size", rejected(f'"{size}" is not a size', "write 10g")
    for name in sorted(set(options) - {"size"}):
        yield f".{name}", ignored("it is about a folder of one machine", "x-tycho: {size, class}")
