"""An entry of a translator: what becomes of one Compose key, in fields of Kubernetes and in words of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tycho.chart.chart import Outcome, ReportTarget
from tycho.chart.translate.key_use import Field, FieldPlace, KeyUse
from tycho.chart.yaml_writer import YamlValue
from tycho.model import Service

MANY_NODES = "set x-tycho: {accessModes: [ReadWriteMany]} on the volume, with a storage class that supports it"

Rows = Iterator[tuple[str, "KeyRule"]]
Assess = Callable[[KeyUse], Rows]
Read = Callable[[Service], YamlValue]


class KeyRule(Struct, frozen=True):
    """What becomes of one Compose key.

    Args:
        outcome: What becomes of it, as a rule.
        target: What it becomes, in words.
        places: The fields and objects that these words claim.
        reason: Why it is not the same.
        remedy: What to do.
        assess: Looks at the value: yields the rows of this case, each with what is added to the path; none: the rule.
        read: Reads what the field of the one place is, of a service; None and "" leave it out.
        whole: Whether everything below the key shares its row.
        per_pod: Whether a pod has it once, so that services which share another's pod have that one's.
        local: Whether it is about this machine alone, and so none of the chart's business.
    """

    outcome: Outcome
    target: str = ""
    places: tuple[FieldPlace, ...] = ()
    reason: str = ""
    remedy: str = ""
    assess: Assess | None = None
    read: Read | None = None
    whole: bool = False
    per_pod: bool = False
    local: bool = False

    def find(self, use: KeyUse) -> Iterator[ReportTarget]:
        """Find what the words claim in a case."""
        for place in self.places if self.outcome in ("translated", "approximated") else ():
            yield from place(use)


Table = Mapping[str, KeyRule]


def translated(
    target: str,
    *places: FieldPlace,
    assess: Assess | None = None,
    read: Read | None = None,
    but: str = "",
    remedy: str = "",
) -> KeyRule:
    """Make the entry of a key that means the same.

    Args:
        target: What it becomes.
        places: Where that is seen.
        assess: Looks at the value.
        read: Reads the value of the field at the one place.
        but: What a program may see to be different all the same.
        remedy: What to do about that.
    """
    return KeyRule("translated", target, places, but, remedy, assess, read)


def approximated(
    target: str, reason: str, remedy: str, *places: FieldPlace, assess: Assess | None = None, read: Read | None = None
) -> KeyRule:
    """Make the entry of a key that has the nearest meaning."""
    return KeyRule("approximated", target, places, reason, remedy, assess, read)


def ignored(reason: str, remedy: str = "", assess: Assess | None = None) -> KeyRule:
    """Make the entry of a key without a meaning on Kubernetes."""
    return KeyRule("ignored", "", (), reason, remedy, assess)


def rejected(reason: str, remedy: str, assess: Assess | None = None) -> KeyRule:
    """Make the entry of a key that cannot run as asked."""
    return KeyRule("rejected", "", (), reason, remedy, assess)


def whole(key: KeyRule) -> KeyRule:
    """Make the entry of a key and of everything below it."""
    return replace(key, whole=True)


def per_pod(key: KeyRule) -> KeyRule:
    """Make the entry of a key that a pod has once: services that share another's pod have that one's."""
    return replace(key, per_pod=True)


def read_fields(table: Table, service: Service, scope: str) -> dict[str, YamlValue]:
    """Read the fields that a table's entries set in a scope, nested as Kubernetes nests them.

    Args:
        table: Entries; of two that set the same field the later one counts.
        service: The service that has the keys.
        scope: `container` or `pod`.
    """
    fields: dict[str, YamlValue] = {}
    for key in table.values():
        if key.read is None:
            continue
        place, value = key.places[0], key.read(service)
        if not isinstance(place, Field) or place.scope != scope or value is None or value is False or value in ("", []):
            continue
        *above, last = place.path.split(".")
        node = fields
        for part in above:
            node = node.setdefault(part, {})  # type: ignore[assignment]
        node[last] = value
    return fields
