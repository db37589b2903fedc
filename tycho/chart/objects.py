"""Which object exists when: one row per kind, one file per object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tycho.chart.kinds import JOBS, several
from tycho.chart.names import UNWRITABLE, label
from tycho.chart.plan import Plan
from tycho.chart.pods import publish
from tycho.chart.wiring import alias_label, isolated
from tycho.chart.workload import Pod

Context = Mapping[str, object]


class Object(NamedTuple):
    """One file of `templates/`: its name, and what its template is told."""

    file: str
    context: Context


def workloads(kind: str) -> Callable[[Plan], Iterator[Object]]:
    """A workload for every pod of a kind."""

    def each(plan: Plan) -> Iterator[Object]:
        for pod in plan.pods:
            if pod.kind == kind:
                mounted = (volume.source for volume in pod.volumes if volume.kind == "claim")
                owned = {source for source in mounted if plan.claims[source].owner == pod.name}
                others = [volume for volume in pod.volumes if volume.kind != "claim" or volume.source not in owned]
                images = [volume for volume in others if volume.kind == "ownImage"]
                plain = [volume for volume in others if volume.kind != "ownImage"]
                context = {"pod": pod, "owned": owned, "plain": plain, "images": images}
                yield Object(f"{pod.slug}-{kind.lower()}", context)

    return each


def services(plan: Plan) -> Iterator[Object]:
    """A name for every pod that others can call."""
    for pod in plan.pods:
        if has_service(plan, pod):
            context = {"pod": pod, "ports": plan.ports.get(pod.name, ()), "headless": plan.is_headless(pod)}
            yield Object(f"{pod.slug}-service", context)


def has_service(plan: Plan, pod: Pod) -> bool:
    """Tell whether a pod has a name: a job has one where the file says that it listens at a port."""
    return pod.kind not in JOBS or any(not port.guessed for port in plan.ports.get(pod.name, ()))


def published(plan: Plan) -> Iterator[Object]:
    """A Service for every compose service that publishes ports."""
    for pod in plan.pods:
        for container in pod.containers:
            if container.name not in plan.enclosed and publish(container.service):
                yield Object(f"{container.slug}-published-service", {"pod": pod, "container": container})


def callers(plan: Plan) -> Iterator[Object]:
    """Services for ports that only the caller names."""
    unpublished = [pod for pod in plan.pods if pod.name in plan.enclosed or not publish(pod.service)]
    pods = [pod for pod in unpublished if pod.kind not in JOBS]
    if pods:
        yield Object("system/further-published-services", {"pods": pods})


def names(_plan: Plan) -> Iterator[Object]:
    """The Service that gives bare names to a release that shares its namespace."""
    yield Object("system/names-service", {})


def aliases(plan: Plan) -> Iterator[Object]:
    """A Service for every further name."""
    for alias, names in plan.aliases.items():
        ports = {port: None for name in names for port in plan.ports.get(name, ())}
        slugs = [label(name) for name in names]
        context = {
            "alias": alias,
            "label": alias_label(alias),
            "slugs": slugs,
            "ports": tuple(ports),
            "services": names,
        }
        yield Object(f"{alias}-alias-service", context)


def claims(plan: Plan) -> Iterator[Object]:
    """A claim for every volume."""
    for claim in plan.claims.values():
        if not claim.owner:
            yield Object(f"{claim.slug}-persistentvolumeclaim", {"claim": claim})


def configmaps(plan: Plan) -> Iterator[Object]:
    """A ConfigMap for every config, mounted file and mounted folder."""
    for tree in plan.trees:
        if tree.secrets and not tree.files:
            continue
        files = [_file(tree.slug, name, content) for name, content in tree.files.items()]
        sections = {
            "data": [file for file in files if not file["binary"]],
            "binaryData": [file for file in files if file["binary"]],
        }
        entries = [(section, files) for section, files in sections.items() if files]
        yield Object(f"{tree.slug}-configmap", {"tree": tree, "files": files, "sections": entries})


def _file(slug: str, name: str, content: bytes) -> dict[str, object]:
    try:
        binary = bool(UNWRITABLE.search(content.decode()))
    except UnicodeDecodeError:
        binary = True
    # Helm takes the mark off the front of every file of a chart; the template puts it back.
    mark = content.startswith(b"\xef\xbb\xbf")
    return {"key": name, "path": f"files/{slug}/{name}", "binary": binary, "mark": mark}


def secrets(plan: Plan) -> Iterator[Object]:
    """A Secret for every secret of the file."""
    for name in plan.system.secrets:
        yield Object(f"{label(name)}-secret", {"name": name, "slug": label(name)})


def secret_files(plan: Plan) -> Iterator[Object]:
    """A Secret for the secret files of every config, mounted file and mounted folder."""
    for tree in plan.trees:
        if tree.secrets:
            yield Object(f"{tree.slug}-secret-files-secret", {"slug": tree.slug})


def environments(plan: Plan) -> Iterator[Object]:
    """Secrets for the environment of services: what reads variables, and what is in an env_file."""
    helpers = {"env": "secretEnv", "env-file": "envFile"}
    for pod in plan.pods:
        for container in pod.containers:
            for part in container.secrets:
                context = {"pod": pod, "container": container, "part": part, "helper": helpers[part]}
                yield Object(f"{container.slug}-{part}-secret", context)


def waiting(plan: Plan) -> Iterator[Object]:
    """Once, where something waits for something."""
    awaited: dict[str, dict[str, None]] = {}
    for pod in plan.pods:
        for wait in pod.waits:
            if wait.condition != "service_started":
                awaited.setdefault(wait.kind, {})[wait.slug] = None
    waiting = [pod.name for pod in plan.pods if pod.waits]
    if waiting:
        started = any(wait.condition == "service_started" for pod in plan.pods for wait in pod.waits)
        kinds = {kind: list(awaited[kind]) for kind in sorted(awaited)}
        yield Object("system/wait", {"awaited": kinds, "started": started, "waiting": waiting})


def budgets(plan: Plan) -> Iterator[Object]:
    """For every service that has, or may have, several pods."""
    for pod in plan.pods:
        if pod.kind in ("Deployment", "StatefulSet") and several(pod.service):
            yield Object(f"{pod.slug}-poddisruptionbudget", {"pod": pod})


def networkpolicies(plan: Plan) -> Iterator[Object]:
    """One for every compose network, where a policy asks for isolation."""
    for network in plan.networks if isolated(plan.system) else ():
        yield Object(f"system/network-{network.slug}-networkpolicy", {"network": network})


def unconnected(plan: Plan) -> Iterator[Object]:
    """One for every service without a network."""
    for pod in plan.pods:
        if pod.service.network_mode == "none":
            yield Object(f"{pod.slug}-networkpolicy", {"pod": pod})


def isolating(objects: Callable[[Plan], Iterator[Object]], suffix: str) -> Callable[[Plan], Iterator[Object]]:
    """The same objects again, where a policy asks for isolation."""

    def each(plan: Plan) -> Iterator[Object]:
        if isolated(plan.system):
            for file, context in objects(plan):
                yield Object(file.removesuffix("-service").removesuffix("-services") + suffix, context)

    return each


def entrances(plan: Plan) -> Iterator[Object]:
    """Admission of an Ingress's or Gateway's controller."""
    if isolated(plan.system):
        yield Object("system/entrance-networkpolicy", {})


def fenced(plan: Plan) -> Iterator[Object]:
    """The way to the API server for pods that wait on internal networks alone."""
    internal = {name for network in plan.networks if network.internal for name in network.members}
    if isolated(plan.system) and any(pod.waits and pod.name in internal for pod in plan.pods):
        yield Object("system/wait", {})


def tests(plan: Plan) -> Iterator[Object]:
    """`helm test`, where there is a port to call."""
    targets = [
        (pod.slug, port.number)
        for pod in plan.pods
        if pod.kind not in ("Job", "CronJob") and pod.service.network_mode != "none"
        for port in plan.ports.get(pod.name, ())
        if port.protocol == "TCP" and port.guessed != "image"  # which an image need not open
    ]
    if targets:
        labels = [network.label for network in plan.networks] if isolated(plan.system) else []
        yield Object("tests/connect", {"targets": targets, "labels": labels})


def always(file: str) -> Callable[[Plan], Iterator[Object]]:
    """One in every chart."""
    return lambda _plan: iter([Object(file, {})])


OBJECTS: tuple[tuple[str, Callable[[Plan], Iterator[Object]]], ...] = (
    ("deployment", workloads("Deployment")),
    ("statefulset", workloads("StatefulSet")),
    ("daemonset", workloads("DaemonSet")),
    ("job", workloads("Job")),
    ("cronjob", workloads("CronJob")),
    ("service", services),
    ("published", published),
    ("publish", callers),
    ("names", names),
    ("alias", aliases),
    ("persistentvolumeclaim", claims),
    ("configmap", configmaps),
    ("secret", secrets),
    ("secretfiles", secret_files),
    ("environment", environments),
    ("serviceaccount", waiting),
    ("role", waiting),
    ("rolebinding", waiting),
    ("poddisruptionbudget", budgets),
    ("networkpolicy", networkpolicies),
    ("isolation", unconnected),
    ("admission", isolating(published, "-networkpolicy")),
    ("callers", isolating(callers, "-networkpolicies")),
    ("apiserver", fenced),
    ("entrance", entrances),
    ("ingress", always("system/ingress")),
    ("httproute", always("system/httproute")),
    ("tests/connect", tests),
    ("extraobjects", always("system/extraobjects")),
)
