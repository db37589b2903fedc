"""Rights in one spelling: what Docker reads as the same is the same text here; and whether a grant covers a right.

A right is a path in a service, or a path and its value: `privileged`, `cap_add=NET_ADMIN`, `sysctls.kernel.msgmax`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

SIGN = re.compile(r"[=:]")
CAPABILITY_PREFIX = re.compile(r"^(CAP_)+")
BOOLEANS = {
    **dict.fromkeys(("1", "t", "true", ""), "true"),
    **dict.fromkeys(("0", "f", "false"), "false"),
}
MODES = frozenset({"host", "none", "private", "shareable", "bridge", "default", "ingress"})
OPTIONS = frozenset({"no-new-privileges", "seccomp", "apparmor", "label", "systempaths", "disable"})


def normalize_capability(name: str) -> str:
    """Spell a capability as Kubernetes does.

    Args:
        name: In any case, with or without `CAP_`.

    Returns:
        Upper case, without `CAP_`; `ALL` for every capability.
    """
    return CAPABILITY_PREFIX.sub("", name.strip().upper(), count=1)


def parse_option(text: str) -> tuple[str, str]:
    """Split an entry of `security_opt` into its key and its value.

    Docker takes `=`, and the older `:`; whichever comes first is taken here, so that no mixture hides a key.
    """
    key, _, value = SIGN.sub("=", text.strip(), count=1).partition("=")
    key, value = key.strip().lower(), value.strip()
    if key == "disable" and not value:
        return "label", "disable"
    if key == "no-new-privileges":
        return key, BOOLEANS.get(value.lower(), value.lower())
    if key == "label":
        field, sign, setting = SIGN.sub(":", value, count=1).partition(":")
        return key, f"{field.strip().lower()}{sign}{setting.strip()}"
    return key, "unconfined" if value.lower() == "unconfined" else value


def normalize_option(text: str) -> str:
    """Spell an entry of `security_opt` as `key=value`."""
    key, value = parse_option(text)
    return f"{key}={value}" if value else key


def normalize_mode(text: str) -> str:
    """Spell a namespace's mode, such as `host` or `service:web`: the kind in lower case, nothing around it."""
    kind, sign, name = text.strip().partition(":")
    return f"{kind.strip().lower()}{sign}{name.strip()}" if sign or kind.lower() in MODES else kind


def find_setting(text: str) -> str:
    """Name the setting that an entry of a list makes: two entries of one name contradict each other."""
    if SIGN.split(text.strip(), maxsplit=1)[0].strip().lower() in OPTIONS:
        key, value = parse_option(text)
        return f"{key}={value.partition(':')[0]}" if key == "label" else key
    plain = text.strip().removeprefix("!")
    return plain.partition(":")[0] if plain.startswith("/") else plain.partition("=")[0]


def covers(grants: Iterable[object], path: str, value: str = "true") -> bool:
    """Tell whether one of the grants covers a right.

    Args:
        grants: Globs `path` or `path=value`, as selectors have them; values compare without case.
        path: The right's path, without indices.
        value: What is there.
    """
    for grant in grants:
        path_glob, sign, value_glob = str(grant).partition("=")
        if fnmatchcase(path, path_glob) and fnmatchcase(value.lower(), value_glob.lower() if sign else "*"):
            return True
    return False


def read_grants(part: object, key: str = "grants") -> tuple[str, ...]:
    """Read what policies granted to a part of the project, from its `x-tycho`."""
    extension = getattr(part, "x", {}).get("x-tycho")
    grants = extension.get(key) if isinstance(extension, Mapping) else None
    return tuple(str(grant) for grant in grants) if isinstance(grants, list | tuple) else ()


class ServiceRights(Struct, frozen=True):
    """What policies granted to one service.

    Args:
        name: Its compose name.
        slug: The name of its container.
        path: Its compose path, `services.web`.
        file: The file that it is written in, or "".
        line: The line there, 0 when unknown.
        grants: Globs of rights.
        host_paths: Paths of the node that it may mount.
    """

    name: str
    slug: str
    path: str
    file: str = ""
    line: int = 0
    grants: tuple[str, ...] = ()
    host_paths: tuple[str, ...] = ()


class PodRights(Struct, frozen=True):
    """The services of one pod, its own first, and the file of the chart that renders it."""

    template: str
    services: tuple[ServiceRights, ...]


class Rights(Struct, frozen=True):
    """What policies granted: pod by pod, and to the system as a whole."""

    pods: tuple[PodRights, ...] = ()
    grants: tuple[str, ...] = ()
