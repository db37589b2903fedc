"""What becomes of a key where that depends on its value: each yields rows, with what is added to the key's path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tycho.chart.keys.key import Case, Key, approximated, ignored, rejected, translated
from tycho.chart.kinds import MODES, restarts, said
from tycho.chart.names import DNS_LABEL, DNS_NAME, QUALIFIED
from tycho.chart.pods import LOOPBACK, PULL
from tycho.chart.storage import fate
from tycho.model import template

Rows = Iterator[tuple[str, Key]]
ENV_NAME = re.compile(r"[\x20-\x3c\x3e-\x7e]+")
SAFE_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
})  # fmt: skip
CONSTRAINT = re.compile(r"\s*(node\.[A-Za-z0-9_./-]+)\s*(==|!=)\s*([A-Za-z0-9_.-]*)\s*")


def build(case: Case) -> Rows:
    """An image has to come from somewhere."""
    if case.service.image:
        yield "", ignored("a chart holds no build", f"push {template(case.service.image)} before it is installed")


def pull_policy(case: Case) -> Rows:
    """Kubernetes knows no age of an image."""
    if case.value == "build":
        yield "", approximated("imagePullPolicy: IfNotPresent", "a cluster does not build", "build and push the image")
    elif case.value not in PULL:
        yield "", approximated("imagePullPolicy: Always", "Kubernetes knows no age of an image")


def entrypoint(case: Case) -> Rows:
    """An entrypoint can be replaced, not taken away."""
    if case.value == ():
        if case.service.command:
            yield "", translated("command, from the compose file's command (live)")
        else:
            yield "", approximated("", "an image's entrypoint cannot be taken away alone", "write the command out")


def off(case: Case) -> Rows:
    """A key that asks for nothing."""
    if not case.value:
        yield "", translated("nothing to do")


def user(case: Case) -> Rows:
    """Kubernetes does not read /etc/passwd of an image."""
    names = [part for part in str(case.value).split(":")[:2] if part and not part.isdigit()]
    if names:
        yield (
            "",
            rejected(f'"{names[0]}" is a name, and Kubernetes takes numbers', 'write the number, as `id` prints it in the'
                     ' image: "1000:1000"'),
        )  # fmt: skip


def group_add(case: Case) -> Rows:
    """Groups are numbers."""
    for index, group in enumerate(case.value):
        if not str(group).isdigit():
            yield f"[{index}]", rejected(f'"{group}" is a name, and Kubernetes takes numbers', "write the group's number")


def environment(case: Case) -> Rows:
    """Any printable name will do."""
    for name, value in case.value.items():
        if not ENV_NAME.fullmatch(name):
            yield f".{name}", rejected("its name is not printable ASCII", "rename it")
        elif isinstance(value, str) and UNWRITABLE.search(value):
            yield f".{name}", rejected("it holds a control character that the API server refuses", "take it from a file")


UNWRITABLE = re.compile("[\x00\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")


def annotated(case: Case) -> Rows:
    """Annotations have names of a certain form."""
    for name, value in case.value.items():
        if not QUALIFIED.fullmatch(name):
            yield f".{name}", ignored("an annotation cannot have this name", "use letters, digits, - _ . up to 63")
        elif UNWRITABLE.search(str(value)):
            yield f".{name}", rejected("it holds a control character that the API server refuses", "remove it")


def restart(case: Case) -> Rows:
    """Pods are always started again; jobs are not."""
    wanted = restarts(case.service)
    if case.kind in ("Job", "CronJob"):
        if wanted in ("always", "unless-stopped"):
            yield "", approximated(case.kind, "others wait for its end: it is run until it succeeds")
    elif wanted in ("no", "on-failure"):
        yield (
            "",
            approximated(
                case.kind, "what serves others is always started again", "x-tycho: {kind: Job} makes it run once"
            ),
        )


def max_attempts(case: Case) -> Rows:
    """Only jobs give up."""
    if case.kind not in ("Job", "CronJob"):
        yield "", ignored("what serves others is started again for ever")


def mode(case: Case) -> Rows:
    """Swarm's modes."""
    if case.value not in MODES:
        yield "", rejected(f'"{case.value}" is not a mode', f"one of {', '.join(MODES)}")
    elif case.value == "global-job":
        yield "", approximated("Job", "Kubernetes has no job for every node", "set deploy.replicas")


def endpoint_mode(case: Case) -> Rows:
    """Addresses of the pods, or one of the Service."""
    if case.value not in ("vip", "dnsrr"):
        yield "", rejected(f'"{case.value}" is not a mode', "vip or dnsrr")


def replicas(case: Case) -> Rows:
    """A DaemonSet has as many pods as there are nodes."""
    if case.kind in ("DaemonSet", "CronJob"):
        yield "", ignored(f"a {case.kind} has no number of replicas")


def failure_action(case: Case) -> Rows:
    """A rollout that does not become ready stops."""
    if case.value == "pause":
        yield "", translated("a failed rollout stops where it is")


def constraints(case: Case) -> Rows:
    """What Swarm says of nodes, as labels that Kubernetes gives them."""
    for index, text in enumerate(case.value):
        found = CONSTRAINT.fullmatch(str(text))
        known = found and (found[1].startswith("node.labels.") or found[1] in NODE_LABELS)
        if not known:
            yield (
                f"[{index}]",
                rejected(f'"{text}" has no node label', "use node.hostname, node.role, node.platform, node.labels"),
            )


NODE_LABELS = {
    "node.hostname": "kubernetes.io/hostname",
    "node.role": "node-role.kubernetes.io/control-plane",
    "node.platform.os": "kubernetes.io/os",
    "node.platform.arch": "kubernetes.io/arch",
}


def preferences(case: Case) -> Rows:
    """Spread over a label of the nodes."""
    for index, preference in enumerate(case.value):
        if not str(preference.get("spread", "")).startswith("node.labels."):
            yield f"[{index}]", ignored("it names no label of nodes", "spread: node.labels.NAME")


def max_per_node(case: Case) -> Rows:
    """One for each node is exact."""
    if case.value == 1:
        yield "", translated("podAntiAffinity")


def whole_seconds(case: Case) -> Rows:
    """Kubernetes counts seconds."""
    if isinstance(case.value, float) and (case.value % 1 or not case.value):
        yield "", approximated("the next whole second", "Kubernetes counts in seconds")


def gpus(case: Case) -> Rows:
    """Devices are counted, not chosen."""
    for index, device in enumerate(case.value):
        about = device if isinstance(device, Mapping) else {}
        if about.get("device_ids"):
            yield f"[{index}].device_ids", approximated("as many devices", "a device plugin chooses them")
        elif about.get("count") in ("all", -1) or (not about.get("count") and not about.get("device_ids")):
            yield f"[{index}].count", approximated("1 device", "all of a node's devices cannot be asked for", "set count")


def depends_on(case: Case) -> Rows:
    """Waiting, as far as it can be seen from outside."""
    kinds = {pod.name: pod.kind for pod in case.plan.pods}
    for name, dependency in case.value.items():
        if dependency.condition == "service_completed_successfully" and kinds.get(name) not in ("Job", None):
            yield f".{name}", rejected(f"{name} is a {kinds[name]}, and never completes", "make it a job: restart: \"no\"")
        elif dependency.condition == "service_healthy" and kinds.get(name) in ("Job", "CronJob"):
            yield f".{name}", rejected(f"{name} is a {kinds[name]}, and never becomes healthy", "wait for its completion:"
                                       " condition: service_completed_successfully")  # fmt: skip
        elif dependency.condition != "service_started" and case.service.network_mode == "none":
            yield f".{name}", rejected("a pod without a network cannot see whether others are ready", "remove network_mode")
        elif dependency.restart:
            yield f".{name}.restart", ignored(f"pods are not restarted with those of {name}", "have it reconnect")


def pre_start(case: Case) -> Rows:
    """Containers before the container."""
    for index, hook in enumerate(case.value):
        if hook.rest:
            yield f"[{index}]", ignored(f"{', '.join(sorted(hook.rest))} of the service hold here too")
        if hook.user and not hook.user.replace(":", "").isdigit():
            yield f"[{index}].user", rejected(f'"{hook.user}" is a name, and Kubernetes takes numbers', "write the number")


def hook(case: Case) -> Rows:
    """One command, as the container's own user and in its own folder."""
    for index, one in enumerate(case.value):
        said_too = [key for key in ("user", "privileged", "working_dir", "environment") if getattr(one, key)]
        if index:
            yield f"[{index}]", rejected("Kubernetes runs one command", "put them into one: sh -c 'first && second'")
        elif said_too:
            yield f"[{index}].{said_too[0]}", rejected("a hook runs as its container does", "say it in the command")


def stop_signal(case: Case) -> Rows:
    """SIGTERM is what everybody gets."""
    if str(case.value).upper().removeprefix("SIG") in ("TERM", "15"):
        yield "", translated("what Kubernetes sends")


def triggers(case: Case) -> Rows:
    """Schedules."""
    schedule = (case.value or {}).get("schedule") or ()
    if len(schedule) > 1:
        yield ".schedule", rejected("a CronJob has one schedule", "make it a job for each")
    elif any(isinstance(one, Mapping) and one.get("concurrency") == "queue" for one in schedule):
        yield ".schedule[0].concurrency", approximated("Forbid", "a CronJob leaves out what it cannot start")
    elif not schedule:
        yield "", approximated("a suspended CronJob", "somebody has to start it", "kubectl create job --from=cronjob/NAME")


def ports(case: Case) -> Rows:
    """Ports that mean another thing in a cluster, each on its own."""
    inside = [bool(LOOPBACK.fullmatch(port.host_ip or "")) for port in case.value]
    for index, port in enumerate(case.value):
        at = f"[{index}]"
        if port.mode == "host" and not said(case.service).get("hostPorts"):
            yield at, rejected("a port of the node itself is a matter of policy", "leave mode out: a Service publishes it")
        elif inside[index] and not all(inside):
            yield at, ignored("loopback: nobody outside may call it", "kubectl port-forward reaches it")
        elif inside[index]:
            yield at, approximated("Service of type ClusterIP", "loopback: nobody outside may call it",
                                   "kubectl port-forward reaches it")  # fmt: skip
        elif port.host_ip and port.host_ip not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            yield at, approximated("published at every address", "a Service has addresses of its own")
        elif "-" in str(port.published or ""):
            yield at, approximated(f"port {str(port.published).partition('-')[0]}", "a Service has one port, not a range")
        elif port.name and not (DNS_LABEL.fullmatch(port.name)):
            yield f"{at}.name", rejected(f'"{port.name}" is not a DNS label', "use lower-case letters, digits and dashes")
    if case.value:
        yield "", translated("Service <name>-published, and the Service that peers call")


def networks(case: Case) -> Rows:
    """What a pod cannot choose about its network."""
    for name, attachment in case.value.items():
        for key in sorted(attachment.model_fields_set - {"aliases", "x", "use_service_name_alias"} if attachment else ()):
            yield f".{name}.{key}", ignored("the cluster's network decides", "call services by their names")
        for alias in attachment.aliases if attachment else ():
            if not DNS_LABEL.fullmatch(alias):
                yield f".{name}.aliases", ignored(f'"{alias}" is not a DNS label', "use letters, digits and dashes")


def network_mode(case: Case) -> Rows:
    """Networks that are not the project's."""
    kind, _, name = str(case.value).partition(":")
    if kind == "none":
        yield "", translated("a NetworkPolicy that admits nothing")
    elif kind == "host":
        yield "", translated("hostNetwork")
    elif kind == "service":
        yield "", translated(f"a container in the pod of {name}")
    elif kind == "container":
        yield "", rejected("a container outside the project is not in the cluster", "network_mode: service:NAME")
    elif kind not in ("bridge", "default"):
        yield "", ignored("the cluster has one network")


def namespaced(case: Case) -> Rows:
    """`pid` and `ipc`."""
    kind, _, name = str(case.value).partition(":")
    if kind == "container":
        yield "", rejected("a container outside the project is not in the cluster", "service:NAME")
    elif kind not in ("host", "service"):
        yield "", ignored("containers of a pod share what a pod shares")


def hostname(case: Case) -> Rows:
    """A DNS label."""
    if not DNS_LABEL.fullmatch(str(case.value).lower()):
        yield "", ignored(f'"{case.value}" is not a DNS label', "use letters, digits and dashes; domainname for the rest")


def container_name(case: Case) -> Rows:
    """A name to call it by."""
    if not DNS_LABEL.fullmatch(str(case.value)):
        yield "", ignored("pods are named by Kubernetes, and this is not a DNS label")


def extra_hosts(case: Case) -> Rows:
    """Lines of /etc/hosts."""
    for host, addresses in case.value.items():
        if "host-gateway" in addresses:
            yield f".{host}", rejected("a pod has no host to reach", "give an address, or a Service of type ExternalName")
        elif not DNS_NAME.fullmatch(host):
            yield f".{host}", rejected("it is not a DNS name", "use lower-case letters, digits, dashes and dots")


MOUNTS: Mapping[str, Key] = {
    "context": ignored("the image is built of it, or it is too big to carry", "copy it into the image"),
    "clock": ignored("a container has the time of its own image", "set TZ in environment"),
    "forbidden": rejected("it is the host's, and a cluster's nodes are not yours", "remove it; a policy may allow it with"
                          " x-tycho: {hostPaths: […]}"),
    "pipe": rejected("it is about Docker on Windows, or Swarm", "use a volume"),
}  # fmt: skip


def volumes(case: Case) -> Rows:
    """Mounts that mean another thing in a cluster, each on its own."""
    for index, mount in enumerate(case.value):
        at, becomes = f"[{index}]", fate(case.service, mount)
        if becomes in MOUNTS:
            yield at, MOUNTS[becomes]
        elif becomes == "claim" and mount.type == "bind":
            yield at, approximated("PersistentVolumeClaim", "there is no such folder to carry along", "name a volume instead")
        elif becomes == "files" and not mount.read_only:
            yield at, approximated("ConfigMap, read-only", "what is carried along cannot be written to", "use a volume")
        elif becomes == "files":
            yield at, translated("ConfigMap")
        elif becomes == "image":
            yield at, translated("image volume")
    if case.value:
        yield "", translated("volumes of the pod")


def tmpfs(case: Case) -> Rows:
    """Options beyond the size."""
    for index, text in enumerate(case.value):
        options = [option for option in str(text).partition(":")[2].split(",") if option and "size=" not in option]
        if options:
            yield f"[{index}]", approximated("emptyDir in memory", f"{', '.join(options)}: a pod's memory is mounted plainly")


def security_opt(case: Case) -> Rows:
    """Options that have no counterpart."""
    for index, option in enumerate(case.value):
        key, _, value = str(option).replace("=", ":", 1).partition(":")
        if key not in ("no-new-privileges", "seccomp", "apparmor", "label") or value.startswith("{"):
            yield f"[{index}]", ignored(f"{key} is Docker's", "set services.X.securityContext")
        elif key == "label" and value == "disable":
            yield f"[{index}]", ignored("SELinux is the node's business")


def sysctls(case: Case) -> Rows:
    """The kubelet lets few through."""
    for name in case.value:
        if name not in SAFE_SYSCTLS:
            yield f".{name}", approximated("sysctls", "a kubelet refuses it where it is not allowed", "--allowed-unsafe-sysctls")


def userns_mode(case: Case) -> Rows:
    """The host's users, or a mapping."""
    if case.value != "host":
        yield "", approximated("", "the cluster maps users", "set services.X.podSecurityContext")


def network_driver(case: Case) -> Rows:
    """The usual ones mean nothing more."""
    if case.value in ("bridge", "overlay", "default"):
        yield "", translated("the cluster's network")


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
        return
    for name in sorted(set(options) - {"size"}):
        yield f".{name}", ignored("it is about a folder of one machine", "x-tycho: {size, class}")
