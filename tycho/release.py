"""What comes back from an orchestrator: the releases, their services, their history. These are the wire types too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from tycho.expiry import Expiry
from tycho.model.node import InvalidFieldsError, Node

ORIGIN = "tycho.dev/origin"  # annotation of workloads and of kept claims: where a system was started from
CONN_STRING = "conn_string"  # annotation of workloads: how a program connects to the service
WORKSPACE = "app-name"  # label of pods: what a portal calls the system
State = Literal["deployed", "paused", "pending", "failed", "uninstalling", "superseded", "lost", "kept"]
"""What a release is. Of one that is "kept", `down --keep-volumes` has left the volumes, and nothing runs; of one that
is "paused", `pause` has left all but the pods."""


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
    done: bool = False  # ready as asked for: all replicas, or the job complete; none, where it stands still
    stopped: bool = False  # by `stop`: it has no pods until `start` or `up`, and nothing waits for it
    requests: Mapping[str, str] = {}  # cpu and memory
    url: str = ""  # where a browser opens it, where the operator has a template of URLs
    limits: Mapping[str, str] = {}  # the same, devices, and what it may write beside its volumes
    image: str = ""  # as it is asked for
    digests: tuple[str, ...] = ()  # of the images that its containers run, `sha256:…`
    nodes: tuple[str, ...] = ()  # where its containers run


class Drift(Node):
    """A field of a live object that is not what the release's manifest says.

    Args:
        kind: The object's kind.
        name: The object's name.
        path: Which field, with dots; "" where the whole object is gone.
        live: What it is; None where there is none.
        manifest: What the manifest says; None where the object is gone.
        manager: Who changed it, as the cluster knows that; "" where it does not.
    """

    kind: str
    name: str
    path: str = ""
    live: str | None = None
    manifest: str | None = None
    manager: str = ""


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
    outdated: bool | None = None  # whether its compose file is another by now; None where the file is not at hand
    drifted: tuple[Drift, ...] | None = None  # what others have changed of its objects; None where nobody asked
    expiry: Expiry | None = None  # of one whose time ends
    paused: bool = False  # `resume` has it run again; its state says so too, where there is nothing worse to say

    @property
    def ready(self) -> bool:
        """Whether every service is as it was asked for."""
        return self.state in ("deployed", "paused") and all(service.done for service in self.services)

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
    message: str
    hint: str = ""

    @property
    def row(self) -> dict[str, str]:
        """As `tycho doctor` prints it for programs."""
        return {"name": self.name, "level": self.level, "said": self.message, "hint": self.hint}


def parse_origin(text: str) -> Origin | None:
    """Parse what an annotation says of where a system was started from; None where it does not say it as Tycho does."""
    try:
        return Origin.model_validate_json(text)
    except InvalidFieldsError:
        return None


def label_value(text: str) -> str:
    """Return any text as far as a label can hold it: 63 of `[A-Za-z0-9_.-]`, letters and digits at both ends."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:63].strip("-_.")
