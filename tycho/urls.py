"""The URL of a system: a template of the operator's settings, and what it gives for one system.

A placeholder is replaced by a name that DNS and a path can hold; nobody's text is read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from tycho.errors import UsageError
from tycho.text import printable

ANNOTATION = "tycho.dev/url"  # of a workload: where a browser opens its service
NAME = "TYCHO_URL_TEMPLATE"
PLACEHOLDERS = ("name", "user", "guid", "service")
GUID = 32  # characters of a GUID
LABEL, HOST = 63, 253  # characters of a DNS label, and of a host name
MOST, LEAST = 40, 10  # characters of a name in a URL, and those without which it cannot be told from others
NOBODY = "nobody"  # in the place of a user who did not say who they are

CONTROLLERS: Mapping[str, str] = {"nginx": "ingress-nginx", "ingress-nginx": "ingress-nginx", "traefik": "traefik"}
"""Names of IngressClasses, and the controller that is known to serve each."""

Route = Literal["ingress", "httproute"]
_SHAPE = re.compile(r"(?P<scheme>https?)://(?P<host>[^/:]*)(?P<port>:[0-9]{1,5})?(?P<path>/.*)?", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HOST_TEXT = re.compile(r"[a-z0-9-]*")
_PATH_TEXT = re.compile(r"[A-Za-z0-9._~-]*")
_GATEWAY = re.compile(r"(?:(?P<namespace>[a-z0-9-]{1,63})/)?(?P<name>[a-z0-9.-]{1,253})(?:/(?P<section>[a-z0-9.-]+))?")


class Address(Struct, frozen=True):
    """Where a browser opens a service.

    Args:
        scheme: http or https.
        host: A DNS name.
        path: The prefix of all its paths, without a slash at its end; "" for none.
        port: `:8443`, or "" for the scheme's own.
    """

    scheme: str
    host: str
    path: str = ""
    port: str = ""

    @property
    def url(self) -> str:
        """The whole of it, with a slash at its end, so that relative links stay below it."""
        return f"{self.scheme}://{self.host}{self.port}{self.path}/"


class UrlTemplate(Struct, frozen=True):
    """A URL with placeholders, split where DNS and paths are.

    Args:
        scheme: http or https.
        port: `:8443`, or "".
        labels: Of the host.
        segments: Of the path.
    """

    scheme: str
    port: str
    labels: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def placeholders(self) -> frozenset[str]:
        """Those that it has."""
        return frozenset(_PLACEHOLDER.findall("/".join((*self.labels, *self.segments))))

    def place(self, *, name: str, user: str, guid: str, service: str) -> Address:
        """Return the address of one service.

        Args:
            name: The system's.
            user: Whose it is; "" when nobody said.
            guid: 32 hex digits.
            service: The compose service.

        Example:
            >>> template = parse_template("https://{name}-{guid}.apps.example.org/")
            >>> template.place(name="shop", user="", guid="0" * 32, service="web").host
            'shop-00000000000000000000000000000000.apps.example.org'
        """
        names = {"name": name, "user": user or NOBODY, "service": service}

        def fill(part: str, limit: int) -> str:
            room = _measure_room(part, limit)
            texts = {key: dns_name(text, room) for key, text in names.items()} | {"guid": guid}
            return _PLACEHOLDER.sub(lambda match: texts[match[1]], part)

        host = ".".join(fill(label, LABEL) for label in self.labels)
        path = "".join(f"/{fill(segment, HOST)}" for segment in self.segments)
        return Address(self.scheme, host, path, self.port)


class Gateway(Struct, frozen=True):
    """The Gateway that an HTTPRoute hangs on.

    Args:
        name: Its name.
        namespace: Its namespace; "" for the system's own.
        section: One of its listeners; "" for all.
    """

    name: str
    namespace: str = ""
    section: str = ""


class UrlOptions(Struct, frozen=True):
    """What an operator says of the URLs of systems.

    Args:
        template: What they look like.
        route: What leads there: an Ingress or an HTTPRoute.
        class_name: The IngressClass; "" for the cluster's default.
        controller: What serves that class, as far as it is known to take a prefix off: ingress-nginx or traefik.
        gateway: Of HTTPRoutes.
    """

    template: UrlTemplate
    route: Route = "ingress"
    class_name: str = ""
    controller: str = ""
    gateway: Gateway | None = None

    @property
    def each_service(self) -> bool:
        """Whether every service that publishes a port has a URL, not one of them alone."""
        return "service" in self.template.placeholders

    @property
    def strips(self) -> bool:
        """Whether a prefix can be taken off on the way; where there is none, nothing has to be."""
        return self.route == "httproute" or not self.template.segments or bool(self.controller)


def read_options(env: Mapping[str, str]) -> UrlOptions | None:
    """Read what the environment says of URLs; None where it has no template.

    Args:
        env: With `TYCHO_URL_TEMPLATE`, `_ROUTE`, `_CLASS`, `_CONTROLLER` and `_GATEWAY`.

    Raises:
        UsageError: One of them has no meaning.
    """
    if not (text := env.get(NAME, "").strip()):
        return None
    template = parse_template(text)
    route, class_name = env.get("TYCHO_URL_ROUTE") or "ingress", env.get("TYCHO_URL_CLASS", "")
    controller = env.get("TYCHO_URL_CONTROLLER", "") or CONTROLLERS.get(class_name, "")
    if controller and controller not in CONTROLLERS.values():
        raise UsageError(
            f'TYCHO_URL_CONTROLLER: "{printable(controller)}" is not a controller that is known here',
            hint=f"write {' or '.join(sorted(set(CONTROLLERS.values())))}, or leave it out",
        )
    if class_name and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", class_name):
        raise UsageError(f'TYCHO_URL_CLASS: "{printable(class_name)}" is not the name of an IngressClass',
                         hint="`kubectl get ingressclass` lists them")  # fmt: skip
    if route == "ingress":
        return UrlOptions(template, "ingress", class_name, controller)
    if route != "httproute":
        raise UsageError(
            f'TYCHO_URL_ROUTE: "{printable(route)}" is not a kind of route', hint="write ingress or httproute"
        )
    match = _GATEWAY.fullmatch(env.get("TYCHO_URL_GATEWAY", ""))
    if not match:
        raise UsageError("TYCHO_URL_GATEWAY: an HTTPRoute needs a Gateway",
                         hint="write NAMESPACE/NAME, or NAMESPACE/NAME/LISTENER")  # fmt: skip
    gateway = Gateway(match["name"], match["namespace"] or "", match["section"] or "")
    return UrlOptions(template, "httproute", gateway=gateway)


def parse_template(text: str) -> UrlTemplate:
    """Parse a template: `https://{name}-{guid}.apps.example.org/`, `https://example.org/private/{user}/{name}/{guid}/`.

    Args:
        text: As the setting has it.

    Raises:
        UsageError: It is none, it leaves no room for names, or two systems could get the same URL.
    """
    match = _SHAPE.fullmatch(text)
    if not match:
        raise _wrong(f'"{printable(text)}" is not a URL', "write for example https://{name}-{guid}.apps.example.org/")
    if not match["host"]:
        raise _wrong("it has no host", "write for example https://apps.example.org/{user}/{name}/{guid}/")
    if re.fullmatch(r"[0-9]+", match["host"].rpartition(".")[2]):
        raise _wrong(f"{match['host']} is an address, and a route goes by a name", "write a host name")
    if match["port"] and not 1 <= int(match["port"][1:]) <= 65535:
        raise _wrong(f"{match['port'][1:]} is not a port", "leave it out for the scheme's own")
    labels = tuple(match["host"].split("."))
    path = (match["path"] or "").strip("/")
    segments = tuple(path.split("/")) if path else ()
    for part in (*labels, *segments):
        for placeholder in _PLACEHOLDER.findall(part):
            if placeholder not in PLACEHOLDERS:
                known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                raise _wrong(f"{{{printable(placeholder)}}} is not a placeholder", f"there are {known}")
    for label in labels:
        _check_part(label, _HOST_TEXT, LABEL, "a part of a host name: a-z, 0-9 and -")
        if label.startswith("-") or label.endswith("-"):
            raise _wrong(f'"{label}" begins or ends with a dash', "take the dash away")
    for segment in segments:
        _check_part(segment, _PATH_TEXT, HOST, "a part of a path: letters, digits, -, _, . and ~")
    template = UrlTemplate(match["scheme"], match["port"] or "", labels, segments)
    if sum(_measure_most(label) + 1 for label in labels) - 1 > HOST:
        raise _wrong(f"host names can become longer than {HOST} characters", "use fewer placeholders before the path")
    _check_unique(template)
    return template


def dns_name(text: str, room: int = MOST) -> str:
    """Return any name as DNS and paths can hold it: itself where that can be, else a part of it with a hash of it.

    Args:
        text: The name.
        room: Characters that there are for it, 10 at least.

    Example:
        >>> dns_name("shop"), dns_name("My_Shop")
        ('shop', 'my-shop-0da13f5b')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if plain == text and len(plain) <= room:
        return plain
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{plain[: room - 9].strip('-') or 'x'}-{digest}"


def _check_part(part: str, allowed: re.Pattern[str], limit: int, words: str) -> None:
    """Refuse a label or segment that no name could be put into."""
    if not part or part in (".", ".."):
        raise _wrong(f'"{part}" stands between two separators', "write something there, or take one of them away")
    if not allowed.fullmatch(_PLACEHOLDER.sub("", part)):
        raise _wrong(f'"{printable(part)}" is not {words}', "write placeholders as {name}")
    if len(_PLACEHOLDER.sub("", part)) > limit or _measure_room(part, limit) < LEAST:
        raise _wrong(f'"{printable(part)}" leaves no room for names in {limit} characters',
                     "put a dot or a slash between placeholders")  # fmt: skip


def _measure_room(part: str, limit: int) -> int:
    """Count the characters that each name has in a label or segment."""
    names = _PLACEHOLDER.findall(part)
    fixed = len(_PLACEHOLDER.sub("", part)) + GUID * names.count("guid")
    flexible = len(names) - names.count("guid")
    return min(MOST, (limit - fixed) // flexible) if flexible else (MOST if fixed <= limit else 0)


def _measure_most(label: str) -> int:
    """Count the characters that a label can have at most."""
    names = _PLACEHOLDER.findall(label)
    flexible = len(names) - names.count("guid")
    return len(_PLACEHOLDER.sub("", label)) + GUID * names.count("guid") + flexible * _measure_room(label, LABEL)


def _check_unique(template: UrlTemplate) -> None:
    """Refuse a template that gives two systems the same URL whatever they are called."""
    if "guid" in template.placeholders:
        return
    if not {"name", "user"} <= template.placeholders:
        raise _wrong("two systems could get the same URL", "add {guid}, or both {name} and {user}")
    for part in _list_crowded(template):
        raise _wrong(f'"{part}" could be the same for two systems', "add {guid}, or put a dot or a slash between them")


def _list_crowded(template: UrlTemplate) -> Iterator[str]:
    """List labels and segments in which two names run together."""
    return (part for part in (*template.labels, *template.segments) if len(_PLACEHOLDER.findall(part)) > 1)


def _wrong(message: str, hint: str) -> UsageError:
    return UsageError(f"{NAME}: {message}", hint=hint)
