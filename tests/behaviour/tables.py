"""The law's tables: what a row of the compile report may change, and what Kubernetes does otherwise everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
CHANGED = ("approximated", "ignored", "rejected")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which kinds of observation a row of the report may change.

    Args:
        path: Pattern of the compose path; what lies below it is meant too.
        kinds: The kinds; none, when nothing of it can be seen from outside or inside.
        outcomes: Of the row; any but translated by default.
        keys: Pattern of the observations' keys.
        everyone: Whether it changes what other services see, too.
        silent: Why no difference need be seen; "" when one must.
        reason: Pattern of the row's reason: one key may be changed in several ways.
        file: Pattern of the row's file: what a policy says is a row of that policy's file.
        docker: Pattern of what Docker shows, as text.
        kubernetes: Pattern of what Kubernetes shows, as text.
        moments: When; any by default.
        beyond: Whether it is about ports alone that the row's target does not list.
        named: Whether it is about the name alone that the row's path ends with.
        seen: Patterns of what else Docker showed of the service at that moment, by kind.
    """

    path: str
    kinds: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = CHANGED
    keys: str = "*"
    everyone: bool = False
    silent: str = ""
    reason: str = "*"
    file: str = "*"
    docker: str = "*"
    kubernetes: str = "*"
    moments: tuple[str, ...] = ()
    beyond: bool = False
    named: bool = False
    seen: Mapping[str, str] = field(default_factory=dict)

    def is_about(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row is one of these."""
        return (
            row["outcome"] in self.outcomes
            and _below(row["path"], self.path)
            and fnmatchcase(row.get("reason", ""), self.reason)
            and fnmatchcase(row.get("file", ""), self.file)
        )

    def allows(self, row: Mapping[str, Any], moment: str, key: str, docker: Any, kubernetes: Any) -> bool:
        """Tell whether a difference is one that the row may make."""
        return (
            fnmatchcase(key, self.keys)
            and (not self.moments or moment in self.moments)
            and _means(self.docker, docker)
            and _means(self.kubernetes, kubernetes)
            and not (self.named and not row["path"].endswith(f".{key}"))
            and not (self.beyond and _port(key) in re.findall(r"[0-9]+", row.get("target", "")))
        )


@dataclass(frozen=True, slots=True)
class Exemption:
    """A difference that no row tells, as Kubernetes cannot do otherwise.

    Args:
        kind: Of the observations.
        key: Pattern of their keys.
        documented: The line of the documentation that says it.
        docker: Pattern of what Docker shows, as text.
        kubernetes: Pattern of what Kubernetes shows, as text.
        everywhere: Whether every container shows it: it is a trait of the platform then, and hides nothing of a system.
            One that is not may cover a small share of its kind only.
        unsaid: A key of the service: where the file says it, this is no exception.
    """

    kind: str
    key: str
    documented: str
    docker: str = "*"
    kubernetes: str = "*"
    everywhere: bool = False
    unsaid: str = ""

    def covers(self, kind: str, key: str, docker: Any, kubernetes: Any) -> bool:
        """Tell whether a difference is this one."""
        return (
            kind == self.kind
            and fnmatchcase(key, self.key)
            and _means(self.docker, docker)
            and _means(self.kubernetes, kubernetes)
        )

    def is_void(self, rows: Sequence[Mapping[str, Any]], service: str) -> bool:
        """Tell whether a file says itself, for a service, what the exception takes to be unsaid."""
        paths = tuple(f"{section}.{service}.{self.unsaid}" for section in ("services", "jobs"))
        return bool(self.unsaid) and any(row["path"].startswith(paths) for row in rows)


@dataclass(frozen=True, slots=True)
class Law:
    """The law's tables.

    Args:
        explanations: What rows may change.
        exceptions: What differs everywhere.
    """

    explanations: tuple[Explanation, ...] = ()
    exceptions: tuple[Exemption, ...] = ()


def load_law(path: Path = HERE / "law.yaml") -> Law:
    """Read the tables."""
    tree = yaml.safe_load(path.read_text())
    explanations = [
        Explanation(
            **{**entry, **{name: tuple(entry[name]) for name in ("kinds", "outcomes", "moments") if name in entry}}
        )
        for entry in tree["rows"]
    ]
    return Law(tuple(explanations), tuple(Exemption(**entry) for entry in tree["exceptions"]))


def _below(path: str, pattern: str) -> bool:
    """Tell whether a path is what a pattern means, or below it; `*` stands for one part of a path."""
    parts = path.replace("[", ".[").split(".")
    expected_parts = pattern.replace("[", ".[").split(".")
    if len(parts) < len(expected_parts):
        return False
    return all(
        want in ("*", part) or (want == "[]" and part.startswith("["))
        for part, want in zip(parts, expected_parts, strict=False)
    )


def _port(key: str) -> str:
    """The port of a call: `name:80/tcp`."""
    return key.rpartition(":")[2].partition("/")[0]


def _means(pattern: str, value: Any) -> bool:
    """Tell whether a value is what a pattern says; brackets of a list stand for themselves."""
    return fnmatchcase(str(value), pattern.replace("[", "[[]"))
