"""What a service's keys become in the values of its pod and container: Kubernetes' own shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tycho.chart.kinds import drain, written
from tycho.chart.names import DNS_LABEL
from tycho.chart.placement import affinity, spread
from tycho.chart.workload import Pod
from tycho.chart.yaml import Tree
from tycho.model import Hook, Resource, Service, template
from tycho.model.numbers import is_digits, parse_id
from tycho.model.rights import normalize_capability, parse_option

PULL = {"always": "Always", "build": "IfNotPresent", "never": "Never", "missing": "IfNotPresent",
        "if_not_present": "IfNotPresent"}  # fmt: skip
LOOPBACK = re.compile(r"127\..*|::1|\[::1\]|localhost")
RESOLVERS = 2  # that a pod may have after the cluster's
VENDORS = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "intel": "gpu.intel.com/i915"}


def policy(service: Service) -> dict[str, Tree]:
    """`pull_policy`."""
    if not service.pull_policy:
        return {}
    return {"pullPolicy": PULL.get(service.pull_policy, "Always")}


def resources(service: Service) -> dict[str, Tree]:
    """Limits and requests: `deploy.resources`, and the older keys beside it."""
    limits = _amounts(service.deploy.resources.limits, service.cpus, service.mem_limit)
    requests = _amounts(service.deploy.resources.reservations, None, service.mem_reservation)
    for name, count in gpus(service).items():
        limits[name] = count
    return {key: side for key, side in (("limits", limits), ("requests", requests)) if side}


def gpus(service: Service) -> dict[str, int]:
    """Devices asked for, by the name that their vendor's plugin gives them."""
    found: dict[str, int] = {}
    for device in (*service.gpus, *service.deploy.resources.reservations.devices):
        about = device if isinstance(device, Mapping) else {}
        name = VENDORS.get(str(about.get("driver") or "nvidia"), "nvidia.com/gpu")
        count = about.get("count", len(about.get("device_ids") or ()) or 1)
        found[name] = found.get(name, 0) + (count if isinstance(count, int) and count > 0 else 1)
    return found


def _amounts(side: Resource, cpus: float | None, memory: int | None) -> dict[str, Tree]:
    cpus = side.cpus if side.cpus is not None else cpus
    memory = side.memory if side.memory is not None else memory
    found: dict[str, Tree] = {}
    if cpus is not None:
        found["cpu"] = _text(cpus)
    if memory is not None:
        found["memory"] = size(memory)
    return found


def _text(number: float) -> str:
    text = template(number)
    return text.removesuffix(".0")


def size(number: int) -> str:
    """Bytes in the largest of Compose's units that says them exactly."""
    text = template(number)
    if "$" in text:
        return text
    for unit, factor in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return text


def security(service: Service) -> dict[str, Tree]:
    """`securityContext` of the container."""
    user, _, group = (service.user or "").partition(":")
    ids = {"runAsUser": parse_id(user), "runAsGroup": parse_id(group)}
    found: dict[str, Tree] = {key: number for key, number in ids.items() if number is not None}
    if service.privileged:
        found["privileged"] = True
    if service.read_only:
        found["readOnlyRootFilesystem"] = True
    add, drop = ([normalize_capability(name) for name in names] for names in (service.cap_add, service.cap_drop))
    capabilities: dict[str, Tree] = {key: sorted(names) for key, names in (("add", add), ("drop", drop)) if names}
    if capabilities:
        found["capabilities"] = capabilities
    for option in service.security_opt:
        found |= dict(_option(option, rising=service.privileged or "SYS_ADMIN" in add))
    return found


def _option(option: str, *, rising: bool) -> Iterator[tuple[str, Tree]]:
    match parse_option(option):
        case "no-new-privileges", "true":
            # the API server refuses it together with privileged or SYS_ADMIN, where it means nothing
            if not rising:
                yield "allowPrivilegeEscalation", False
        case "seccomp", "unconfined":
            yield "seccompProfile", {"type": "Unconfined"}
        case "seccomp", path if path and not path.startswith("{"):
            yield "seccompProfile", {"type": "Localhost", "localhostProfile": path.removeprefix("./")}
        case "apparmor", "unconfined":
            yield "appArmorProfile", {"type": "Unconfined"}
        case "apparmor", profile if profile:
            yield "appArmorProfile", {"type": "Localhost", "localhostProfile": profile}


def labels_of(service: Service) -> dict[str, str]:
    """`security_opt: label:…`, SELinux's."""
    found = {}
    for option in service.security_opt:
        key, value = parse_option(option)
        field, _, said_value = value.partition(":")
        if key == "label" and field in ("user", "role", "type", "level"):
            found[field] = said_value
    return found


def scheduling(pod: Pod) -> dict[str, Tree]:
    """Where a pod may run, and how it looks names up."""
    service = pod.service
    hostname = (service.hostname or "").lower()
    modes = {member.service.network_mode for member in pod.containers}
    found: dict[str, Tree] = {
        "hostname": hostname if DNS_LABEL.fullmatch(hostname) else "",
        "affinity": affinity(service.deploy.placement),
        "topologySpreadConstraints": spread(service.deploy.placement),
        "tolerations": [
            {"key": name, "operator": "Exists", "effect": "NoSchedule"}
            for name in dict.fromkeys(name for one in pod.containers for name in gpus(one.service))
        ],
        "onePerNode": service.deploy.placement.max_replicas_per_node == 1 or "",
        "hostNetwork": "host" in modes or "",
        "hostPID": service.pid == "host" or "",
        "hostIPC": service.ipc == "host" or "",
        "shareProcessNamespace": any((one.service.pid or "").startswith("service:") for one in pod.containers) or "",
        "hostAliases": _hosts(service),
        "dnsConfig": _dns(service),
        "sysctls": {key: template(value) for key, value in sorted(service.sysctls.items())},
        "runtimeClassName": service.runtime or "",
    }
    context: dict[str, Tree] = {}
    groups = {number for group in service.group_add if (number := parse_id(group)) is not None}
    if groups:
        context["supplementalGroups"] = list[Tree](sorted(groups))
    if options := labels_of(service):
        context["seLinuxOptions"] = dict[str, Tree](options)
    found["podSecurityContext"] = context
    if service.platform:
        system, _, machine = service.platform.partition("/")
        selector: dict[str, Tree] = {"kubernetes.io/os": system}
        if machine:
            selector["kubernetes.io/arch"] = machine.split("/")[0]
        found["nodeSelector"] = selector
    return found


def _hosts(service: Service) -> Sequence[Tree]:
    names: dict[str, list[Tree]] = {}
    for host, addresses in service.extra_hosts.items():
        for address in addresses:
            if address != "host-gateway":
                names.setdefault(address.strip("[]"), []).append(host)
    return [{"ip": address, "hostnames": hosts} for address, hosts in sorted(names.items())]


def _dns(service: Service) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    if service.dns:
        found["nameservers"] = [template(address) for address in service.dns[:RESOLVERS]]
    if search := [*map(template, service.dns_search), *filter(None, [written(service.domainname)])]:
        found["searches"] = search
    if service.dns_opt:
        found["options"] = [_option_of(template(option)) for option in service.dns_opt]
    return found


def _option_of(text: str) -> Tree:
    """A resolver's option; one whose variable may bring the colon is split by the chart."""
    name, _, value = text.partition(":")
    return {"name": text} if "${" in name else {"name": name, "value": value} if value else {"name": name}


def hooks(service: Service, *, held: bool) -> dict[str, Tree]:
    """`pre_start`, `post_start`, `pre_stop`."""
    found: dict[str, Tree] = {}
    if service.pre_start:
        found["preStart"] = [_before(hook, service) for hook in service.pre_start]
    for key, listed in (("postStart", service.post_start), ("preStop", service.pre_stop)):
        if listed:
            found[key] = [template(word) for word in listed[0].command]
    if seconds := drain(service, held=held):
        found["drainSeconds"] = seconds
    return found


def _before(hook: Hook, service: Service) -> Tree:
    found: dict[str, Tree] = {"command": [template(word) for word in hook.command]}
    if hook.image is not None:
        found["image"] = template(hook.image)
    if directory := written(hook.working_dir):
        found["workingDir"] = directory
    if environment := dict(_own(hook, service)):
        found["environment"] = environment
    context = security(Service(user=hook.user, privileged=hook.privileged))
    if hook.privileged:  # the API server refuses it together with what the service itself says
        context["allowPrivilegeEscalation"] = True
    if context:
        found["securityContext"] = context
    return found


def _own(hook: Hook, service: Service) -> Iterator[tuple[str, Tree]]:
    """The variables of a hook that are not its service's: those the container gets from where the service's are."""
    passed = {*hook.rest.get("environment_pass", ())}
    for name, value in sorted(hook.environment.items()):
        if name in passed:
            if name not in service.environment_pass:
                yield name, f"${{{name}}}"
        elif value is not None:
            theirs = service.environment.get(name)
            if theirs is None or template(theirs) != template(value):
                yield name, template(value)


def publish(service: Service) -> dict[str, Tree]:
    """`ports`: where each answers outside the system."""
    inside = [bool(LOOPBACK.fullmatch(port.host_ip or "")) for port in service.ports]
    found: dict[str, Tree] = {}
    for port, loopback in zip(service.ports, inside, strict=True):
        if (loopback and not all(inside)) or port.mode == "host":
            continue
        name = base = port.name or f"{port.protocol}-{port.target}"
        number = 2
        while name in found:
            name, number = f"{base}-{number}", number + 1
        entry: dict[str, Tree] = {
            "port": _published(written(port.published), port.target),
            "targetPort": port.target,
            "protocol": port.protocol.upper(),
        }
        if protocol := written(port.app_protocol):
            entry["appProtocol"] = protocol
        found[name] = entry
    if not found:
        return {}
    kind: dict[str, Tree] = {"type": "ClusterIP"} if all(inside) else {}
    return {**kind, "ports": found}


def _published(text: str, target: int) -> Tree:
    if "$" in text:
        return text
    first = text.partition("-")[0]
    return (int(first) if is_digits(first) else 0) or target  # 0: any port will do
