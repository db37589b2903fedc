"""What all routes have in common: the errors that they may answer, and the way from a message to a verb."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Response
from msgspec.structs import replace

from tycho.api.dependencies import SandboxDep
from tycho.api.messages import Compile, Start
from tycho.api.preconditions import check_match, tag
from tycho.api.queries import LONGEST_WAIT, WaitQuery
from tycho.api.responses import Envelope, Failure
from tycho.api.schemas import Plan
from tycho.compose.dialect.volumes import NFS_VARIABLE
from tycho.errors import Forbidden
from tycho.expiry import set_ttl
from tycho.lifecycle import Compiled as Chart
from tycho.lifecycle import Lifecycle
from tycho.model import ServiceMetadata
from tycho.modification import Modified
from tycho.orchestrators import WaitOptions
from tycho.release import Release
from tycho.settings import settings
from tycho.wire import System, to_system

FAILURES: dict[int | str, dict[str, Any]] = {
    429: {
        "model": Envelope[Failure],
        "description": "Too many requests of this caller wait already.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    },
    "4XX": {"model": Envelope[Failure], "description": "The request is wrong, or refused."},
    "5XX": {"model": Envelope[Failure], "description": "The cluster, or Helm, refuses."},
}

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Envelope[System],
        "description": "It is accepted, and not waited for: the revision tells how far it is.",
        "headers": {"Location": {"description": "The revision.", "schema": {"type": "string"}}},
    }
}
IfMatch = Annotated[str, Header(max_length=1024, description="The ETag that the system must have: else 412.")]


def find_account(name: str | None) -> str:
    """Return the service account that containers are to run as; "" for the namespace's own.

    Args:
        name: As a request asks for it.

    Raises:
        Forbidden: The operator does not list it.
    """
    listed = settings().api_accounts
    if not name or name == "default":
        return ""
    if name not in listed:
        known = f"it lists {', '.join(listed)}" if listed else "it lists none"
        hint = f"leave serviceaccount out; TYCHO_API_SERVICE_ACCOUNTS of the service says which there are, and {known}"
        raise Forbidden(f"serviceaccount: {name} is no account that the operator allows for containers", hint=hint)
    return name


async def compile_start(charts: SandboxDep, message: Start) -> Chart:
    """Compile what a message is to start, with the account that its containers run as."""
    account = find_account(message.serviceaccount)
    if message.ttl:
        message = message.model_copy(update={"system": set_ttl(message.system, message.ttl)})
    return replace(await compile_system(charts, message), service_account=account)


async def compile_system(charts: SandboxDep, message: Compile) -> Chart:
    """Compile what a message holds, apart from the service."""
    env = {key: value for key, value in message.env.items() if value is not None}
    if claim := settings().nfs_claim:
        env[NFS_VARIABLE] = claim  # the operator's to say
    metadata = {
        name: ServiceMetadata(port=service.port, clients=tuple(service.clients))
        for name, service in message.services.items()
    }
    files = {path: (file.decoded, file.executable) for path, file in message.files.items()}
    return await charts.compile({**message.system, "name": message.name}, env, metadata, files)


def wait_options(seconds: float = LONGEST_WAIT, *, wait: bool = True, force_conflicts: bool = False) -> WaitOptions:
    """Return how long a verb may take.

    Args:
        seconds: For the whole verb; 0 is no waiting for the system.
        wait: Whether to wait for the system at all.
        force_conflicts: Whether it takes back what others have changed in the cluster.
    """
    timeout = seconds or LONGEST_WAIT
    return WaitOptions(wait=wait and seconds > 0, timeout=timeout, force_conflicts=force_conflicts)


async def find_revision(verbs: Lifecycle, id: str, if_match: str) -> int:
    """Find the revision that a caller has seen, as his `If-Match` names it; 0 for any.

    Raises:
        PreconditionFailed: The system has another one by now.
    """
    return check_match(if_match, await verbs.find(id)) if if_match else 0


def list_warnings(compiled: Chart) -> list[Any]:
    """List what was noticed of a document."""
    return [*compiled.policy_result.system.warnings, *compiled.policy_result.warnings]


def answer_system(release: Release, response: Response, wait: float, message: str) -> Envelope[System]:
    """Answer with a system: 202 and the place of its revision, where it was not waited for."""
    system = to_system(release)
    response.headers["ETag"] = tag(system)
    if not wait:
        response.status_code = 202
        response.headers["Location"] = f"/system/{system.sid}/revisions/{system.revision}"
    return Envelope(result=system, message=message)


def answer_modified(modified: Modified, response: Response, query: WaitQuery) -> Any:
    """Answer with a system whose values were changed, or with what would change of them."""
    release, changes = modified.release, [difference.words for difference in modified.differences]
    if query.dry_run:
        name, _, version = release.chart.rpartition("-")
        plan = Plan(name=name, version=version, digest="", changes=changes, report=[])
        return Envelope(result=plan, message="Nothing was changed")
    return answer_system(release, response, query.wait, "; ".join([*changes, *release.notes]))
