"""Names that Kubernetes takes, made of names that Compose allows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from tycho.errors import Problem
from tycho.model import Project
from tycho.model.compose_paths import SECTIONS

COMPOSE = re.compile(r"[a-zA-Z0-9._-]+")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
QUALIFIED = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
UNWRITABLE = re.compile("[\x00\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
"""What the API server refuses in any text, or takes for a line's end: it reads the objects it is sent as YAML."""
UNWRITABLE_REASON = "it holds a control character that the API server refuses"

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
DNS_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@lru_cache(maxsize=4096)  # each is asked for again and again
def label(name: str, limit: int = 63) -> str:
    """Make a DNS label (RFC 1123) of any name, always the same; a long one is cut, and ends with a hash."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"
    if "--" in name:  # runs of dashes are legal, and tell names apart
        plain = re.sub(r"[^a-z0-9-]", "-", name.lower()).strip("-") or "x"
    if len(plain) <= limit:
        return plain
    return f"{plain[: limit - 9].rstrip('-')}-{short_hash(name)}"


def short_hash(text: str, length: int = 8) -> str:
    """Return a hash that tells cut names apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


class Names:
    """A set of taken names; a name that is asked for again gets a number.

    Args:
        taken: Names to begin with.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self.last: dict[str, int] = {}  # so that thousands that want one name do not all count from the start

    def take(self, preferred: str) -> str:
        """Take the preferred name, or the first free one of it with a number."""
        number = self.last.get(preferred, 0) + 1
        name = preferred if number == 1 else f"{preferred}-{number}"
        while name in self.taken:
            number += 1
            name = f"{preferred}-{number}"
        self.last[preferred] = number
        self.taken.add(name)
        return name


def find_name_collisions(system: Project) -> Iterable[Problem]:
    """Find names that differ in Compose but not in Kubernetes, and names that no chart can hold."""
    for section in SECTIONS:
        seen: dict[str, str] = {}
        for name in getattr(system, section):
            path = f"{section}.{name}"
            if not COMPOSE.fullmatch(name):
                yield system.make_problem(path, f'"{name}" is not a valid name', "use letters, digits, dots, dashes, _")
            elif (other := seen.setdefault(label(name), name)) != name:
                message = f'"{name}" and "{other}" are both named "{label(name)}" in Kubernetes'
                yield system.make_problem(path, message, "rename one of them")
    for job in system.jobs:
        if job in system.services:
            yield system.make_problem(f"jobs.{job}", f'a service is named "{job}", too', "rename one of them")
