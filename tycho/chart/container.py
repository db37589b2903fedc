"""Containers of a chart, by Kubernetes' names: templates, values, schema and pages read these and nothing else.

Everything here is decided, and nothing here is a type of Compose: the templates only write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, field

from tycho.chart.mounts import VolumeMount, VolumeStep
from tycho.chart.yaml_writer import YamlValue

_OTHER = re.compile(r"\W", re.ASCII)


class Expression(str):
    """Text with variables, in Compose's syntax: what it says is known when a release is made of the chart."""

    __slots__ = ()


Text = str
"""Text as it is, or an `Expression`."""


class Image(Struct, frozen=True):
    """An image, as values have it.

    Args:
        repository: With the registry in front, unless that is Docker Hub.
        tag: "" beside a digest.
        digest: `sha256:…`, "" where none is said.
        reference: The whole of it, where a variable may hold more than one of its parts.
        pull_policy: "" for the default.
    """

    repository: Text = ""
    tag: Text = ""
    digest: str = ""
    reference: Text = ""
    pull_policy: str = ""

    @property
    def text(self) -> str:
        """The image in one piece, as a compose file has it."""
        if self.reference:
            return self.reference
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def is_live(self) -> bool:
        """Whether a part of it reads a variable."""
        return any(isinstance(part, Expression) for part in (self.repository, self.tag, self.reference))


class ContainerPort(Struct, frozen=True):
    """A port that a container listens at."""

    number: int
    protocol: str = "TCP"
    host: int = 0  # the node's own port, where a policy lets that pass
    guessed: str = ""  # how it is known, if the file does not say it: "call", "image"

    @property
    def name(self) -> str:
        """Its name in containers and Services."""
        return f"{self.protocol.lower()}-{self.number}"


class ServicePort(Struct, frozen=True):
    """A port of the Service to the outside."""

    name: str
    port: int | Text
    target_port: int
    protocol: str
    node_port: int = 0
    app_protocol: Text = ""


class Command(Struct, frozen=True):
    """Words of a command, or of its arguments.

    Args:
        words: Each a text of its own.
        line: All of them in one text, which is split once its variables are known: they bring blanks or quotes.
    """

    words: tuple[Text, ...] = ()
    line: Text = ""

    def __bool__(self) -> bool:
        """Tell whether there is any word."""
        return bool(self.words or self.line)

    @property
    def is_live(self) -> bool:
        """Whether a word reads a variable."""
        return bool(self.line) or any(isinstance(word, Expression) for word in self.words)


class Environment(Struct, frozen=True):
    """Environment of a container, by where its entries come from.

    Args:
        values: Name to text.
        secret: Names whose texts the release brings, and the chart does not have.
        passed: Names that are there if a variable of that name is.
        from_file: Whether an env_file brings more.
    """

    values: Mapping[str, Text] = field(default_factory=dict)
    secret: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    from_file: bool = False

    @property
    def live(self) -> tuple[str, ...]:
        """Names whose texts read variables: like secret ones they are kept in a Secret."""
        return tuple(name for name, text in self.values.items() if isinstance(text, Expression))

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the file itself says."""
        return (*self.values, *self.secret, *self.passed)

    @property
    def has_secret(self) -> bool:
        """Whether the container has a Secret of its own."""
        return bool(self.secret or self.passed or self.live)


class HookContainer(Struct, frozen=True):
    """An init container that runs in the place of its service's container, before it."""

    name: str
    image: Image | None
    command: Command
    args: Command
    working_dir: Text
    env: Mapping[str, Text]
    security_context: Mapping[str, YamlValue]


class Container(Struct, frozen=True):
    """One container of a pod: one compose service.

    Args:
        name: Its name in the pod, a DNS label.
        service: The compose service, which values know it by.
        stage: "" for an ordinary one; "sidecar" or "init" for one that others of its pod start after: it runs on beside
            them, or has done its work.
        steps: What is done to its volumes before it starts.
        published: Ports that the outside calls.
        service_type: Of that Service; "" for the default.
        ingress: Hosts, path and port of an Ingress; port 0 where there is none.
    """

    name: str
    service: str
    image: Image
    command: Command = Command()
    args: Command = Command()
    working_dir: Text = ""
    env: Environment = field(default_factory=Environment)
    ports: tuple[ContainerPort, ...] = ()
    mounts: tuple[VolumeMount, ...] = ()
    resources: Mapping[str, Mapping[str, Text | int]] = field(default_factory=dict)
    security_context: Mapping[str, YamlValue] = field(default_factory=dict)
    probes: Mapping[str, Mapping[str, YamlValue]] = field(default_factory=dict)
    lifecycle: Mapping[str, Mapping[str, YamlValue]] = field(default_factory=dict)
    annotations: Mapping[str, Text] = field(default_factory=dict)  # of the pod
    workload_annotations: Mapping[str, Text] = field(default_factory=dict)
    hooks: tuple[HookContainer, ...] = ()
    steps: tuple[VolumeStep, ...] = ()
    stdin: bool = False
    tty: bool = False
    stage: str = ""
    published: tuple[ServicePort, ...] = ()
    service_type: str = ""
    ingress: Ingress | None = None

    @property
    def has_live_resources(self) -> bool:
        """Whether a request or limit reads a variable."""
        return any(isinstance(amount, Expression) for side in self.resources.values() for amount in side.values())


class Ingress(Struct, frozen=True):
    """Where an Ingress or HTTPRoute leads to, and what it is by default."""

    port: int
    path: str = "/"
    hosts: tuple[str, ...] = ()
    enabled: bool = False
    class_name: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    tls: tuple[YamlValue, ...] = ()
    has_url: bool = False  # of a template of URLs: it may take a prefix off


@lru_cache(maxsize=4096)  # each is asked for again and again
def go_identifier(name: str) -> str:
    """Make a variable's name of Go templates of a compose name."""
    plain = _OTHER.sub("_", name)
    return plain if not plain[:1].isdigit() else f"_{plain}"
