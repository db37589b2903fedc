"""The law: what differs between Docker and Kubernetes is told by the compile report, or is one of a few exceptions.

    equal      both sides show the same
    reported   a row of the report, at a key that changes this kind of observation
    excepted   Kubernetes must do otherwise everywhere; a documented line tells it
    different  nobody tells it: a fault

A row that explains nothing where it should is a fault as well; so is an exception that is not needed or too wide.
Nothing here runs anything: see `run` for that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from tests.behaviour.tables import CHANGED, Exemption, Explanation, Law

# What is seen of a container without looking into it: all else is compared where both sides have one that runs.
OUTER = (
    *("up", "replicas", "state", "exit-code", "restarts", "health", "log", "order", "observable", "recreated"),
    *("written", "published", "outside", "outside-sees", "signal", "ending"),
)
Outcome = Literal["equal", "reported", "excepted", "different"]
MOST = 20  # exceptions
WIDEST = 0.02  # of its kind, that one of them may cover
FEW = 0.1  # of the containers, where a file may say itself what the platform says elsewhere
ABSENT = "(absent)"
CIRCUMSTANCES = ("state", "exit-code", "health")  # of a container: what a row may depend on
Shown = Mapping[tuple[str, str, str, str], Any]  # what Docker showed: system, moment, service, kind
# What tells how something is; that one side lacks the thing itself is a finding of its own.
ASPECTS = (
    *("mount-options", "mount-writable", "mount-mode", "mount-owner", "mount-type", "mount-size", "shm-size"),
    *("owner", "mode", "content", "writable", "peer-sees", "peer-replicas", "outside", "outside-sees"),
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at one side of a system gave.

    Args:
        system: The name of its compose file.
        moment: When in its life: `first`, `again`, `changed`, …
        kind: What sort of thing, as `env` or `mount-mode`.
        service: Whose container saw it, or whom it is about; "" for the whole system.
        key: Which of its kind: a variable's name, a path, a peer's name and port.
        value: What was seen.
    """

    system: str
    moment: str
    kind: str
    service: str
    key: str
    value: Any

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        """What the other side's observation must be equal in to be compared."""
        return self.system, self.moment, self.kind, self.service, self.key


@dataclass(frozen=True, slots=True)
class Finding:
    """Both sides of one observation, and what they mean."""

    system: str
    moment: str
    kind: str
    service: str
    key: str
    docker: Any
    kubernetes: Any
    outcome: Outcome = "equal"
    because: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the law says of a run.

    Args:
        findings: All that was compared.
        faults: What breaks the law, a line each.
    """

    findings: tuple[Finding, ...]
    faults: tuple[str, ...]

    def count(self, outcome: Outcome) -> int:
        """Count the findings of one outcome."""
        return sum(finding.outcome == outcome for finding in self.findings)


def judge(
    docker: Iterable[Observation],
    kubernetes: Iterable[Observation],
    reports: Mapping[str, Sequence[Mapping[str, Any]]],
    law: Law,
    *,
    whole: bool = True,
) -> Verdict:
    """Compare both sides, and hold each difference against the report.

    Args:
        docker: What Docker showed.
        kubernetes: What Kubernetes showed.
        reports: The rows of each system's compile report.
        law: The tables.
        whole: Whether all systems ran: only then can an exception be without use.
    """
    docker = list(docker)
    shown = {
        (seen.system, seen.moment, seen.service, seen.kind): seen.value for seen in docker if seen.kind in CIRCUMSTANCES
    }
    findings = [
        _explain(finding, reports.get(finding.system, ()), law, shown) for finding in compare(docker, kubernetes)
    ]
    faults = [
        f"{finding.system} {finding.moment}: {finding.kind} of {finding.service or 'the system'}"
        f"{f' [{finding.key}]' if finding.key else ''}: Docker {finding.docker!r}, Kubernetes {finding.kubernetes!r}"
        for finding in findings
        if finding.outcome == "different"
    ]
    faults += _idle_rows(findings, reports, law, shown)
    faults += _bad_exceptions(findings, law, whole=whole)
    return Verdict(tuple(findings), tuple(faults))


def compare(docker: Iterable[Observation], kubernetes: Iterable[Observation]) -> list[Finding]:
    """Lay both sides beside each other; what only one of them has is absent on the other."""
    sides = [_gather(observations) for observations in (docker, kubernetes)]
    findings = []
    up = {place[:2]: {side.get(place) for side in sides} for place in sides[0] if place[2] == "up"}
    unequal = {moment for moment, outcomes in up.items() if len(outcomes) > 1}
    inside = [{(*place[:2], place[3]) for place in side if place[2] not in OUTER} for side in sides]
    for place in sorted(sides[0].keys() | sides[1].keys()):
        ours, theirs = (side.get(place, ABSENT) for side in sides)
        if place[:2] in unequal and place[2] != "up":
            continue  # it did not come up on one of them: all else follows from that
        if ABSENT in (ours, theirs) and (
            place[2] in ASPECTS
            or (place[2] not in OUTER and not all((*place[:2], place[3]) in looked for looked in inside))
        ):
            continue
        system, moment, kind, service, key = place
        outcome: Outcome = "equal" if ours == theirs else "different"
        findings.append(Finding(system, moment, kind, service, key, ours, theirs, outcome))
    return findings


def _gather(observations: Iterable[Observation]) -> dict[tuple[str, ...], Any]:
    """One value for each place: replicas that agree are one, those that do not are a list."""
    values: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for observation in observations:
        if observation.value not in values[observation.place]:
            values[observation.place].append(observation.value)
    return {place: seen[0] if len(seen) == 1 else sorted(seen, key=str) for place, seen in values.items()}


def _explain(finding: Finding, rows: Sequence[Mapping[str, Any]], law: Law, shown: Shown) -> Finding:
    if finding.outcome == "equal":
        return finding
    place = (finding.system, finding.moment, finding.kind, finding.service, finding.key)
    for row in rows:
        for explanation in law.explanations:
            if explanation.is_about(row) and _may_change(explanation, row, finding, shown):
                return Finding(*place, finding.docker, finding.kubernetes, "reported", row["path"])
    for number, exception in enumerate(law.exceptions):
        covered = exception.covers(finding.kind, finding.key, finding.docker, finding.kubernetes)
        if covered and not exception.is_void(rows, finding.service):
            return Finding(*place, finding.docker, finding.kubernetes, "excepted", str(number))
    return finding


def _may_change(explanation: Explanation, row: Mapping[str, Any], finding: Finding, shown: Shown) -> bool:
    if finding.kind not in explanation.kinds:
        return False
    if not explanation.allows(row, finding.moment, finding.key, finding.docker, finding.kubernetes):
        return False
    owner = _owner(row["path"])
    for kind, pattern in explanation.seen.items():
        if not fnmatchcase(str(shown.get((finding.system, finding.moment, owner, kind), ABSENT)), pattern):
            return False
    return explanation.everyone or not owner or not finding.service or owner == finding.service


def _idle_rows(
    findings: Iterable[Finding], reports: Mapping[str, Sequence[Mapping[str, Any]]], law: Law, shown: Shown
) -> Iterable[str]:
    """Tell rows that say something changes where nothing did, and rows that the table does not know."""
    differing = [finding for finding in findings if finding.outcome != "equal"]
    for system, rows in reports.items():
        for row in rows:
            if row["outcome"] not in CHANGED:
                continue
            known = [explanation for explanation in law.explanations if explanation.is_about(row)]
            if not known:
                yield f"{system}: the row {row['path']} ({row['outcome']}) is not in the table: {row.get('reason', '')}"
                continue
            mine = [finding for finding in differing if finding.system == system]
            if not any(
                explanation.silent or any(_may_change(explanation, row, finding, shown) for finding in mine)
                for explanation in known
            ):
                yield f"{system}: the row {row['path']} ({row['outcome']}) says that it changes, and nothing does"


def _bad_exceptions(findings: Sequence[Finding], law: Law, *, whole: bool) -> Iterable[str]:
    """Tell exceptions that are too many, too wide, without use, or not everywhere where they say so."""
    if len(law.exceptions) > MOST:
        yield f"there are {len(law.exceptions)} exceptions, and may be {MOST}"
    kinds = Counter(finding.kind for finding in findings)
    uses = Counter(finding.because for finding in findings if finding.outcome == "excepted")
    for number, exception in enumerate(law.exceptions):
        name = f"the exception for {exception.kind} [{exception.key}]"
        used = uses[str(number)]
        if not used:
            if whole:
                yield f"{name} has no use"
        elif exception.everywhere:
            everyone = _viewers(findings, exception.kind)
            lacking = everyone - _viewers(findings, exception.kind, exception)
            if len(lacking) > FEW * len(everyone):
                yield f"{name} is not met everywhere: not in {', '.join(sorted(map('/'.join, lacking))[:3])}"
        elif used > max(1.0, WIDEST * kinds[exception.kind]):
            yield f"{name} covers {used} of {kinds[exception.kind]}: more than {WIDEST:.0%}"


def _viewers(findings: Iterable[Finding], kind: str, exception: Exemption | None = None) -> set[tuple[str, str, str]]:
    """Whose containers showed a kind on both sides; or showed there what an exception means, or what a row explains."""
    return {
        (finding.system, finding.moment, finding.service)
        for finding in findings
        if finding.kind == kind
        and (
            finding.outcome in ("excepted", "reported") and fnmatchcase(finding.key, exception.key)
            if exception
            else ABSENT not in (finding.docker, finding.kubernetes)
        )
    }


def _owner(path: str) -> str:
    """The service that a path belongs to; "" for what is the whole file's."""
    parts = path.split(".")
    return parts[1].partition("[")[0] if len(parts) > 1 and parts[0] in ("services", "jobs") else ""
