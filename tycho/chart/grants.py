"""Compare objects with what policies granted: a setting that is forbidden and not granted is a problem."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from tycho.chart.chart import ReportEntry
from tycho.chart.podsecurity import Object, Violation, as_list, as_mapping, find_pod, find_violations
from tycho.chart.reserved import is_acting
from tycho.errors import Problem
from tycho.model import PodRights, Rights, ServiceRights
from tycho.model.compose_paths import parent_path
from tycho.model.rights import covers

Document = tuple[str, Object]
"""An object, with the file of the chart that it comes from."""

Place = Callable[[str], tuple[str, int]]
"""The file and line of a compose path."""

WAITING_ACCOUNT = "tycho-wait"
"""The ServiceAccount of a namespace that may look at Jobs and Pods, where releases may make none of their own."""
REFUSAL = "refused: no policy grants the rights that it needs"
POLICIES = "templates/policies/"
KEYS = {"x-tycho.hostPaths": "volumes"}


def find_ungranted(rights: Rights, documents: Iterable[Document], place: Place) -> Iterator[Problem]:
    """Yield the forbidden settings of objects that no policy granted.

    Args:
        rights: What policies granted to whom.
        documents: The objects; those of policies' own templates are not checked.
        place: Where a compose path is written.
    """
    pods = {pod.template: pod for pod in rights.pods}
    objects = [(source, rendered) for source, document in documents for rendered in _flatten(document)]
    accounts = {_name(rendered) for _, rendered in objects if rendered.get("kind") == "ServiceAccount"}
    for source, rendered in objects:
        if not source.startswith(POLICIES):
            yield from dict.fromkeys(_find_object_violations(rights, pods.get(source), rendered, accounts, place))


def find_line(rows: Iterable[ReportEntry]) -> Place:
    """Make a finder of the places that a report knows."""
    lines = {row.path: (row.file, row.line) for row in rows if row.line}

    def find(path: str) -> tuple[str, int]:
        while path not in lines and path:
            path = parent_path(path)
        return lines.get(path, ("", 0))

    return find


def describe_grant(service: str, right: str) -> str:
    """Write the policy that grants a right to a service."""
    key, entry = ("hostPaths", right.partition("=")[2]) if right.startswith("x-tycho.hostPaths=") else ("grants", right)
    return _describe(service, f"match: {{name: {json.dumps(service)}}}, add: {_extension(key, entry)}")


def describe_system_grant(right: str) -> str:
    """Write the policy that grants a right to the whole system."""
    return _describe("the system", f"system: {{add: {_extension('grants', right)}}}")


def _extension(key: str, entry: str) -> str:
    return f"{{x-tycho: {{{key}: [{json.dumps(entry, ensure_ascii=False)}]}}}}"


def _describe(whom: str, what: str) -> str:
    where = "remove it, or grant it by a policy, such as 80-grants.yaml, in a folder for --policies"
    return f"{where}: {{description: A right for {whom}., {what}}}"


def _flatten(document: object) -> Iterator[Object]:
    rendered = as_mapping(document)
    if str(rendered.get("kind", "")).endswith("List") and "items" in rendered:
        for inner in as_list(rendered["items"]):
            yield from _flatten(inner)
    else:
        yield rendered


def _name(rendered: Object) -> str:
    return str(as_mapping(rendered.get("metadata")).get("name", ""))


def _find_object_violations(
    rights: Rights, asking: PodRights | None, rendered: Object, accounts: set[str], place: Place
) -> Iterator[Problem]:
    pod = find_pod(rendered)
    services = asking.services if asking else ()
    violations = [*_find_acting_names(rendered)]
    if pod is not None:
        if pod is not rendered:
            violations += _find_acting_names(pod)
        violations += find_violations(pod)
        account = str(as_mapping(pod.get("spec")).get("serviceAccountName") or "")
        if account not in {"", "default", WAITING_ACCOUNT, *accounts}:
            violations.append(
                Violation("serviceAccountName", account, f"the service account {account}, which is not the release's")
            )
    for violation in violations:
        service = _find_service(services, violation.container)
        if not _is_granted(rights, services, service, violation):
            yield _describe_problem(rendered, service, violation, place)


def _find_acting_names(rendered: Object) -> Iterator[Violation]:
    """Yield labels and annotations that a node, a runtime or a controller acts upon."""
    metadata = as_mapping(rendered.get("metadata"))
    for section in ("labels", "annotations"):
        for key, value in as_mapping(metadata.get(section)).items():
            if is_acting(str(key), str(value)):
                message = f"{key}, which configures a node, a container runtime or a controller"
                yield Violation(f"annotations.{key}", str(value), message)


def _find_service(services: tuple[ServiceRights, ...], container: str) -> ServiceRights | None:
    """Find the service that a container belongs to; what is the pod's is the first one's."""
    for service in services:
        if container == service.slug or container.startswith(f"{service.slug}-pre-start-"):
            return service
    return services[0] if services else None


def _is_granted(
    rights: Rights, services: tuple[ServiceRights, ...], service: ServiceRights | None, violation: Violation
) -> bool:
    holders = (service,) if violation.container and service is not None else services
    if violation.path == "x-tycho.hostPaths":
        return any(violation.value in holder.host_paths for holder in holders)
    grants = [grant for holder in holders for grant in holder.grants]
    paths = [violation.path]
    if service and violation.container.startswith(f"{service.slug}-pre-start-"):
        paths.append(f"pre_start.{violation.path}")
    return any(covers([*rights.grants, *grants], path, violation.value) for path in paths)


def _describe_problem(rendered: Object, service: ServiceRights | None, violation: Violation, place: Place) -> Problem:
    message = f"{violation.message}: Pod Security's baseline profile forbids it, and no policy grants it"
    if violation.path.startswith(("annotations.", "serviceAccountName")):
        message = f"{violation.message}: no policy grants it"
    if service is None:
        path = f"{rendered.get('kind', 'object')} {_name(rendered)}"
        return Problem("", 0, path, message, describe_system_grant(violation.right))
    path = f"{service.path}.{KEYS.get(violation.path, violation.path)}"
    file, line = place(path)
    if not line:
        file, line = service.file, service.line
    return Problem(file, line, path, message, describe_grant(service.name, violation.right))
