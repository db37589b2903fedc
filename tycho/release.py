"""What comes back from an orchestrator: the releases, their services, their history. These are the wire types too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tycho.errors import Ambiguous, Conflict, NotFound, PreconditionFailed

LISTED = 8  # systems that a hint names
ORIGIN = "tycho.dev/origin"  # annotation of workloads and of kept claims: where a system was started from
State = Literal["deployed", "pending", "failed", "uninstalling", "superseded", "lost", "kept"]
"""What a release is; of one that is "kept", `down --keep-volumes` has left the volumes, and nothing runs."""


class Node(BaseModel):
    """The base of what comes back: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(Node):
    """Where a system was started from: the same project in another folder, or of another user, is another system.

    Args:
        user: The operating system's user.
        host: The machine's name.
        folder: The project's folder, absolute.
        project: The project's name.
        named: Whether the compose file itself names the project: then the folder is of no importance.
    """

    user: str
    host: str
    folder: str
    project: str
    named: bool = False

    @property
    def text(self) -> str:
        """As a reader knows it: `ada@laptop:/home/ada/shop`."""
        return f"{self.user}@{self.host}:{self.folder}"


class Identity(Node):
    """Which system: made once, at the first start, and kept in the release's labels.

    Args:
        guid: 32 hex digits.
        name: The compose project's name.
        release: Helm's release name, `<name[:20]>-<guid[:8]>`.
        namespace: Where it runs.
        own_namespace: Whether the namespace was made for it, and goes with it.
        username: Who asked for it, as a label holds it; "" when nobody said.
        origin: What tells its origin from others, 40 hex digits; "" when nobody said.
    """

    guid: str
    name: str
    release: str
    namespace: str
    own_namespace: bool = True
    username: str = ""
    origin: str = ""


class Endpoint(Node):
    """An address and a port that answer together.

    Args:
        service: The compose service.
        ip_address: A load balancer's, else a node's.
        port: Where it answers there.
        target: The container's port.
        published: The port that the compose file publishes, or the container's where it names none.
    """

    service: str
    ip_address: str
    port: int
    target: int
    published: int

    @property
    def host_port(self) -> str:
        """Address and port in one, as a URL has them: an IPv6 address in brackets."""
        host = f"[{self.ip_address}]" if ":" in self.ip_address else self.ip_address
        return f"{host}:{self.port}"


class ServiceStatus(Node):
    """One compose service as the cluster sees it."""

    name: str
    kind: str  # Deployment, Job, …
    ready: int
    wanted: int
    restarts: int = 0
    endpoints: tuple[Endpoint, ...] = ()
    why: str = ""  # why it is not ready; how it ended last when it was started again since the last rollout
    fatal: bool = False  # it cannot become ready by waiting
    log: tuple[str, ...] = ()  # of what failed for good: the last lines that it wrote
    done: bool = False  # ready as asked for: all replicas, or the job complete
    requests: Mapping[str, str] = {}  # cpu and memory
    url: str = ""  # where a browser opens it, where the operator has a template of URLs


class Release(Node):
    """One running system."""

    identity: Identity
    revision: int = 0
    state: State = "deployed"
    created: datetime | None = None
    updated: datetime | None = None
    compose: str = ""  # digest of the compose file
    policies: str = ""  # digest of the policies
    chart: str = ""  # name-version
    services: tuple[ServiceStatus, ...] = ()  # in compose order; empty until asked for
    simulated: bool = False  # its nodes only pretend to run containers
    notes: tuple[str, ...] = ()  # what the verb did besides what was asked: a recovery, a leftover
    origin: Origin | None = None  # known of one that was looked at with its services
    volumes: tuple[str, ...] = ()  # of one that is kept: what there is of it
    workspace_name: str = ""  # label `app-name` of its pods: what a portal calls it
    conn_string: str = ""  # how a program connects to it, where its compose file says so

    @property
    def ready(self) -> bool:
        """Whether every service is as it was asked for."""
        return self.state == "deployed" and all(service.done for service in self.services)

    @property
    def endpoint(self) -> Endpoint | None:
        """The address of the first published service, in compose order."""
        return next((endpoint for service in self.services for endpoint in service.endpoints), None)

    @property
    def url(self) -> str:
        """Where a browser opens it: the first URL of a service, else the first address outside; "" for neither."""
        if url := next((service.url for service in self.services if service.url), ""):
            return url
        return f"http://{self.endpoint.host_port}" if self.endpoint else ""


class Revision(Node):
    """One entry of a release's history."""

    revision: int
    state: State
    updated: datetime | None = None
    compose: str = ""
    policies: str = ""
    chart: str = ""
    description: str = ""
    username: str = ""  # whose it was
    origin: Origin | None = None  # where it was started from
    changes: tuple[str, ...] = ()  # since the revision before: images, variables by name, services


class Event(Node):
    """One thing that the cluster tells of a system's object.

    Args:
        time: When it happened last.
        service: Whose object it is; "" for one of the whole system.
        object: Kind and name, `Pod/web-5d8f`.
        type: How bad it is, in Kubernetes' words.
        reason: What happened, in one word.
        message: The same for people.
        count: How often.
    """

    time: datetime
    service: str
    object: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    count: int = 1


class Check(Node):
    """One line of `tycho doctor`."""

    name: str
    level: Literal["ok", "warning", "error"]
    said: str
    hint: str = ""


def parse_origin(text: str) -> Origin | None:
    """Parse what an annotation says of where a system was started from; None where it does not say it as Tycho does."""
    try:
        return Origin.model_validate_json(text)
    except ValidationError:
        return None


def label_value(text: str) -> str:
    """Return any text as far as a label can hold it: 63 of `[A-Za-z0-9_.-]`, letters and digits at both ends."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:63].strip("-_.")


def find_release(
    releases: Sequence[Release], id: str, *, prefers: Callable[[Identity], bool] = lambda identity: True
) -> Release:
    """Find the release that an id means: a GUID, a unique prefix, `<name>-<guid>`, a release's or a project's name.

    Args:
        releases: All that there are.
        id: Which.
        prefers: Which of several of one name is meant.

    Raises:
        NotFound: Nothing fits.
        Ambiguous: Several fit; the hint lists them.
    """
    for fits in (is_exact, _is_prefix, _is_project):
        if matches := [release for release in releases if id and fits(release.identity, id)]:
            preferred = [release for release in matches if prefers(release.identity)]
            return choose_only(preferred if len(preferred) == 1 else matches, id)
    raise NotFound(f'no system "{id}" runs here', hint=list_running(releases))


def list_running(releases: Sequence[Release]) -> str:
    """List the systems that run, for the hint of a message: the names of the first few."""
    names = list(dict.fromkeys(release.identity.name for release in releases))
    if not names:
        return "nothing runs"
    more = [f"and {len(names) - LISTED} more (`tycho status` lists all)"] if len(names) > LISTED else []
    return f"running: {', '.join([*names[:LISTED], *more])}"


def find_same(releases: Sequence[Release], guid: str, name: str) -> Release | None:
    """Find the release with a GUID, which is to be one of this project.

    Raises:
        Conflict: It is another project's.
    """
    release = next((release for release in releases if release.identity.guid == guid), None)
    if release and label_value(release.identity.name) != label_value(name):  # a label may hold less than the name
        raise Conflict(f"this GUID belongs to another system, {release.identity.name}")
    return release


def choose_only(releases: Sequence[Release], id: str) -> Release:
    """Return the one release that an id fits.

    Raises:
        Ambiguous: There are several; the hint lists them.
    """
    if len(releases) == 1:
        return releases[0]
    raise Ambiguous(f'"{id}" fits {len(releases)} systems', hint=f"say which: {list_candidates(releases)}")


def check_running(release: Release) -> Release:
    """Return a release of which more is left than its volumes.

    Raises:
        NotFound: Nothing else is; says which volumes, and what to do with them.
    """
    if release.state == "kept":
        raise NotFound(
            f"{release.identity.name} does not run; its volumes are kept: {', '.join(release.volumes)}",
            hint=f"`tycho up` starts it and uses them again, `tycho down {release.identity.guid[:8]}` deletes them",
        )
    return release


def check_revision(identity: Identity, wanted: int, current: int) -> None:
    """Check that a system has the revision that a caller has seen.

    Args:
        identity: Which system.
        wanted: That revision; 0 is any.
        current: The running one.

    Raises:
        PreconditionFailed: It has another one.
    """
    if wanted and wanted != current:
        raise PreconditionFailed(f"{identity.name} has revision {current} by now, not {wanted}", hint="look again")


def list_candidates(releases: Sequence[Release]) -> str:
    """List systems for a choice among them, each with its GUID, its release, and whose it is."""
    identities = [release.identity for release in releases]
    return ", ".join(
        f"{identity.guid} ({identity.release}{f' of {identity.username}' if identity.username else ''})"
        for identity in identities
    )


def is_exact(identity: Identity, id: str) -> bool:
    """Return whether an id names a system and can name no other: its GUID, its release, or `<name>-<guid>`."""
    return id in (identity.guid, identity.release, f"{identity.name}-{identity.guid}")


def _is_prefix(identity: Identity, id: str) -> bool:
    return len(id) >= 4 and identity.guid.startswith(id)


def _is_project(identity: Identity, id: str) -> bool:
    return identity.name == id
