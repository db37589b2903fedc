"""Find services that others must reach before they are healthy: in Compose a name resolves from the start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tycho.chart.networking import WORD, Spoken
from tycho.chart.services import find_service
from tycho.chart.workload_kind import JOBS
from tycho.model import Project

PATTERN = re.compile(
    r"(?P<stem>[A-Za-z0-9][\w-]*?)(?:\[(?P<first>[0-9]{1,4})-(?P<last>[0-9]{1,4})\]"
    r"|\{(?P<from>[0-9]{1,4})\.{2,3}(?P<to>[0-9]{1,4})\})(?P<rest>[\w-]*)(?!\.?\w)"
)
MOST_PEERS = 1000  # names that one pattern may stand for


def find_reached_early(system: Project, spoken: Iterable[Spoken], kinds: Mapping[str, str]) -> frozenset[str]:
    """Find services with a health check that others must reach before they are healthy, as in Compose.

    Two that name each other anywhere, any number whose health checks call each other in a circle, and those that a
    job calls without waiting for their health: its work may be what makes them healthy.

    Args:
        system: The system.
        spoken: Its texts that may name services.
        kinds: What every service becomes.
    """
    checked = {name for name, service in system.services.items() if service.healthcheck}
    calls: dict[str, set[str]] = {name: set() for name in checked}
    checks: dict[str, set[str]] = {name: set() for name in checked}
    opened: set[str] = set()
    for name, path, text in spoken if checked else ():
        named = checked.intersection((*WORD.findall(text), *_expand_patterns(text))) - {name}
        if name in checked:
            calls[name] |= named
            if path.endswith(".healthcheck.test"):
                checks[name] |= named
        elif kinds.get(name) in JOBS:
            awaited = find_service(system, name).depends_on
            opened |= {each for each in named if each not in awaited or awaited[each].condition == "service_started"}
    pairs = {name for name, others in calls.items() if any(name in calls[other] for other in others)}
    return frozenset(pairs | opened | _find_cycles(checks))


def _expand_patterns(text: str) -> Iterator[str]:
    """Yield the names that a pattern stands for: `n[1-3]`, `minio{1...4}`, `web-{01..12}`."""
    for match in PATTERN.finditer(text):
        first, last = match["first"] or match["from"], match["last"] or match["to"]
        for number in range(int(first), min(int(last), int(first) + MOST_PEERS) + 1):
            yield f"{match['stem']}{number:0{len(first)}}{match['rest']}"


def _find_cycles(calls: Mapping[str, set[str]]) -> set[str]:
    """Find the services that call each other in a cycle: remove all that nobody calls or that call nobody."""
    left = dict(calls)
    while True:
        called = set().union(*left.values())
        kept = {name: others & left.keys() for name, others in left.items() if name in called and others & left.keys()}
        if len(kept) == len(left):
            return set(kept)
        left = kept
