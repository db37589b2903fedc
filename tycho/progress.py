"""The words for how far a system is: what a terminal shows and what the service sends are the same lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from msgspec import Struct

from tycho.release import Release, ServiceStatus
from tycho.text import printable
from tycho.wire import ProgressData

MARK = 8  # hex digits that stand for what was said of a service
END = "end"
Kind = Literal["progress", "log", "report", "ready", "failed"]


class ProgressEvent(Struct, frozen=True):
    """One event: what it is, its place among all, and what it says."""

    kind: Kind
    id: str
    progress: ProgressData


class ProgressEvents:
    """Tells of a system look by look, each thing once; what was told is in the events' ids, so that anybody can go on.

    Args:
        report: Rows of the chart's report, which come first.
        last_id: The id of the last event that was heard, or "".
    """

    def __init__(self, report: Sequence[Mapping[str, Any]] = (), last_id: str = "") -> None:
        self.ended = False
        self._report = report
        self._revision = self._count = -1
        self._marks: list[str] = []
        if match := re.fullmatch(rf"([0-9]{{1,9}})\.([0-9]{{1,9}})\.((?:[0-9a-f]{{{MARK}}})*)", last_id):
            self._revision, self._count = int(match[1]), int(match[2])
            self._marks = [match[3][start : start + MARK] for start in range(0, len(match[3]), MARK)]

    def tell(self, release: Release) -> Iterator[ProgressEvent]:
        """Tell what is new at a look; the last event of all is `ready` or `failed`."""
        if self._revision != release.revision:
            self._revision, self._count, self._marks = release.revision, 0, []
        self._marks += ["0" * MARK] * (len(release.services) - len(self._marks))
        for row in self._report[self._count :]:
            self._count += 1
            text = f"{row['path']}: {row.get('reason') or row.get('target') or row['outcome']}"
            yield self._make_event("report", release, text, why=row.get("remedy", ""))
        if self._count == len(self._report):
            self._count += 1
            yield self._make_event("progress", release, describe_system(release))
        for place, service in enumerate(release.services):
            words = describe_service(service)
            mark = sha256(words.encode()).hexdigest()[:MARK]
            if self._marks[place] != mark:
                self._marks[place] = mark
                yield self._make_event("progress", release, f"{service.name}: {words}", service)
        yield from self._end(release)

    def _end(self, release: Release) -> Iterator[ProgressEvent]:
        if release.ready:
            self.ended = True
            yield self._make_event("ready", release, f"{release.identity.name} is ready", url=release.url)
        elif failure := describe_failure(release):
            self.ended = True
            for service in release.services:
                for line in service.log if service.fatal else ():
                    yield self._make_event("log", release, f"{service.name}  {line}", service)
            yield self._make_event("failed", release, failure, why=failure)

    def gone(self, release: Release, message: str) -> ProgressEvent:
        """Tell that a system is not there any more."""
        self.ended = True
        return self._make_event("failed", release, message, why=message)

    def _make_event(self, kind: Kind, release: Release, message: str, service: ServiceStatus | None = None, *,
              why: str = "", url: str = "") -> ProgressEvent:  # fmt: skip
        last = kind in ("ready", "failed")
        id = f"{release.revision}.{END}" if last else f"{release.revision}.{self._count}.{''.join(self._marks)}"
        counts: dict[str, Any] = (
            {"service": service.name, "ready": service.ready, "wanted": service.wanted} if service else {}
        )
        why = why or (service.why if service else "")
        progress = ProgressData(
            revision=release.revision, percent=count_percent(release), message=message, why=why, url=url, **counts
        )
        return ProgressEvent(kind, id, progress)


def is_last(id: str, release: Release) -> bool:
    """Return whether an id is that of the last event that there is to tell of a system."""
    return id == f"{release.revision}.{END}"


def describe_system(release: Release) -> str:
    """Return the line above all services: `shop · 2 services · namespace shop-0123abcd`."""
    count = len(release.services)
    services = f"{count} service{'' if count == 1 else 's'}"
    return printable(f"{release.identity.name} · {services} · namespace {release.identity.namespace}")


def describe_service(service: ServiceStatus) -> str:
    """Return how far a service is: that it is ready, or why it is not yet."""
    if service.done and not service.wanted and service.why:  # paused, or stopped
        return printable(service.why)
    if service.done:
        if service.kind == "Job":
            return "complete"
        return "ready" if service.wanted == 1 else f"{service.ready}/{service.wanted} ready"
    return printable(service.why) or f"{service.ready}/{service.wanted} ready"


def describe_failure(release: Release) -> str:
    """Return why a system cannot become ready by waiting; "" where it may."""
    name = release.identity.name
    if failed := [service for service in release.services if service.fatal]:
        return f"{name} cannot start: {'; '.join(f'{service.name}: {service.why}' for service in failed)}"
    return f"{name} is {release.state}" if release.state not in ("deployed", "paused", "pending") else ""


def count_percent(release: Release) -> int:
    """Return which part of a system's services is as asked for, 0 to 100."""
    services = release.services
    return 100 * sum(service.done for service in services) // len(services) if services else 0
