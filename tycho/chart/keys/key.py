"""What a row of the key table is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel

from tycho.chart.artifact import Fate
from tycho.chart.layout import ChartLayout
from tycho.chart.workload import Workload
from tycho.model import Json, Service


@dataclass(frozen=True, slots=True)
class Case:
    """A key in use.

    Args:
        value: What the model holds.
        layout: What the chart will hold.
        name: The service (or network, volume, …) that it belongs to.
        service: The service, where it belongs to one.
        entry: The entry of a list that the key stands in.
    """

    value: Json
    layout: ChartLayout
    name: str
    service: Service
    entry: BaseModel | None = None

    def written(self, key: str) -> bool:
        """Whether the file itself says a key of the service: some follow from others."""
        return any(f"{section}.{self.name}.{key}" in self.layout.system.lines for section in ("services", "jobs"))

    @property
    def pod(self) -> Workload:
        """The workload that the service is part of."""
        return self.layout.homes[self.name]

    @property
    def kind(self) -> str:
        """The kind of that workload."""
        return self.pod.kind


Rows = Iterator[tuple[str, "Key"]]
Judge = Callable[[Case], Rows]


@dataclass(frozen=True, slots=True)
class Key:
    """The row of one Compose key.

    Args:
        fate: What becomes of it, as a rule.
        target: What it becomes.
        reason: Why it is not the same.
        remedy: What to do.
        judge: Looks at the value: yields the rows of this case, each with what is added to the path; none: the rule.
        whole: Whether everything below the key shares its row.
        local: Whether it is about this machine alone, and so none of the chart's business.
    """

    fate: Fate
    target: str = ""
    reason: str = ""
    remedy: str = ""
    judge: Judge | None = None
    whole: bool = False
    local: bool = False


Table = Mapping[str, Key]


def translated(target: str, judge: Judge | None = None, *, but: str = "", remedy: str = "") -> Key:
    """The same meaning.

    Args:
        target: What it becomes.
        judge: Looks at the value.
        but: What a program may see to be different all the same.
        remedy: What to do about that.
    """
    return Key("translated", target, but, remedy, judge)


def approximated(target: str, reason: str, remedy: str = "", judge: Judge | None = None) -> Key:
    """The nearest meaning."""
    return Key("approximated", target, reason, remedy, judge)


def ignored(reason: str, remedy: str = "", judge: Judge | None = None) -> Key:
    """No meaning on Kubernetes."""
    return Key("ignored", "", reason, remedy, judge)


def rejected(reason: str, remedy: str, judge: Judge | None = None) -> Key:
    """Cannot run as asked."""
    return Key("rejected", "", reason, remedy, judge)


def whole(key: Key) -> Key:
    """The row of a key and of everything below it."""
    return replace(key, whole=True)
