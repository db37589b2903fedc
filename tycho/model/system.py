"""A system: the services and what they share, and the same system after the policies."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Literal

from tycho.errors import Problem
from tycho.model.checks import Between, Converted
from tycho.model.interpolated import Json, Text
from tycho.model.node import Node
from tycho.model.parts import ProjectFile
from tycho.model.service import Service


class Resourceful(Node):
    """What the top-level networks, volumes, configs and secrets share."""

    name: Text | None = None
    external: bool = False
    driver: Text | None = None
    driver_opts: Mapping[str, Text] = {}
    labels: Mapping[str, Text] = {}
    x: Mapping[str, Json] = {}


class Network(Resourceful):
    """`networks.X`."""

    internal: bool = False
    attachable: bool | None = None
    enable_ipv4: bool | None = None
    enable_ipv6: bool | None = None
    ipam: Mapping[str, Json] | None = None


class ComposeVolume(Resourceful):
    """`volumes.X`."""


class Config(Resourceful):
    """`configs.X`; content is part of the project, and so of the chart."""

    file: Text | None = None
    content: Text | None = None
    environment: Text | None = None
    template_driver: str | None = None
    files: tuple[ProjectFile, ...] | None = None  # what `file` held (a folder gives several)
    left_out: tuple[tuple[str, str], ...] = ()  # paths below the folder that do not travel, and why
    copied: tuple[str, ...] = ()  # links below the folder whose target's content travels


class Secret(Resourceful, hidden=["files"]):
    """`secrets.X`; what it holds is environment, and so travels in the release, never in the chart."""

    file: Text | None = None
    environment: Text | None = None
    template_driver: str | None = None
    files: tuple[ProjectFile, ...] | None = None


class Variable(Node, hidden=["value"]):
    """A variable that live values read: where, and what it is worth in the environment at hand."""

    name: str
    places: tuple[str, ...]  # "compose.yaml:14 services.web.image"
    value: str | None = None


class DialectUse(Node):
    """A use of the first Tycho's dialect: a key that Compose does not have, and what the loader made of it."""

    path: str
    file: str
    line: int
    outcome: Literal["translated", "approximated", "ignored"]
    target: str = ""  # what it became, in words
    becomes: str = ""  # the Compose path of that
    reason: str = ""
    remedy: str = ""


class Project(Node):
    """One compose project, loaded."""

    name: str
    services: Mapping[str, Service] = {}
    jobs: Mapping[str, Service] = {}
    networks: Mapping[str, Network] = {}
    volumes: Mapping[str, ComposeVolume] = {}
    configs: Mapping[str, Config] = {}
    secrets: Mapping[str, Secret] = {}
    models: Mapping[str, Json] = {}
    x: Mapping[str, Json] = {}
    version: str | None = None
    variables: Mapping[str, Variable] = {}  # of live values
    baked: Mapping[str, tuple[str, ...]] = {}  # name -> places, of values decided when compiled
    sensitive: tuple[str, ...] = ()  # those of `baked` whose values show credentials
    lines: Mapping[str, tuple[str, int]] = {}  # compose path -> (file, line), for every node of the file
    dialect: tuple[DialectUse, ...] = ()
    warnings: tuple[Problem, ...] = ()
    digest: str = ""  # sha256 of the canonical project content: no environment in it

    def at(self, path: str) -> tuple[str, int]:
        """File and line of a compose path, or of the nearest node above it."""
        while path not in self.lines and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, ("", 0))

    def make_problem(self, path: str, message: str, hint: str = "") -> Problem:
        """Make the problem of what stands at a compose path."""
        return Problem(*self.at(path), path, message, hint)

    def image_name(self, name: str) -> str:
        """Return the image that a service or job runs: its own, or what Compose calls the one that is built for it."""
        service = self.services[name] if name in self.services else self.jobs[name]
        return str(service.image) if service.image else f"{self.name}-{name}".lower()


def _to_network(client: str) -> str:
    return str(ip_network(client, strict=False))


Client = Annotated[str, Converted(_to_network)]
"""A CIDR, or one address, as a CIDR."""


class ServiceMetadata(Node, hidden=["values"]):
    """What the caller says of a service, beside the compose file: it belongs to the release, not to the chart.

    Where port or clients are given for any service (or nothing at all is said of it), only these are published.
    """

    port: Annotated[int | None, Between(1, 65535)] = None  # the container port to publish
    clients: tuple[Client, ...] = ()  # who may call it
    values: Mapping[str, Json] = {}  # keys of services.X in the chart's values, for a release

    @property
    def publishes(self) -> bool:
        """Whether it says that the service is to be published: all but what gives values alone does."""
        return self.model_fields_set != {"values"}


class EmitTemplate(Node, hidden=["text"]):
    """An object that a policy adds: a Jinja template of the operator's."""

    policy: str
    template: str  # path of the file
    text: bytes
    services: tuple[str, ...] = ()  # the matching ones: rendered once for each


class PolicyResult(Node):
    """A system after the policies: what is compiled."""

    system: Project
    emits: tuple[EmitTemplate, ...] = ()
    policies: tuple[str, ...] = ()  # names in force, in order
    digest: str = ""  # sha256 of the policies in force
    own: Mapping[str, Json] = {}  # path -> the `x-tycho` that the file wrote, where policies changed it
    warnings: tuple[Problem, ...] = ()
