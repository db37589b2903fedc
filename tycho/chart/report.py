"""Build the report: an entry for every key in use, as the translators assess it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tycho.chart.chart import ReportEntry
from tycho.chart.compile_time import list_compile_time_rows
from tycho.chart.hidden_rows import list_hidden_rows
from tycho.chart.layout import ChartLayout
from tycho.chart.reserved import CONTROLLERS, ingress_annotations, is_allowed
from tycho.chart.services import find_service
from tycho.chart.translate.extension import assess_extension
from tycho.chart.translate.further_names import list_renamed
from tycho.chart.translate.key_rule import KeyRule, Table, ignored, translated
from tycho.chart.translate.key_use import KeyUse, container, workload
from tycho.chart.translate.metadata import RESERVED_NAME
from tycho.chart.translate.ports import assess_calls
from tycho.chart.translate.tables import PROJECT, SECTIONS
from tycho.chart.workload import Workload
from tycho.chart.workload_kind import JOBS, restart_policy
from tycho.model import DialectUse, Live, Node, Project, Service
from tycho.model.rights import read_grants

DERIVED_FIELDS = frozenset({
    "x", "environment_pass", "environment_secret", "files", "entries", "note", "advice", "left_out", "copied",
    "outside", "single", "built",
})  # fmt: skip
"""Fields of the model that are no keys of their own."""
RESTARTED = "restart is not set: Kubernetes restarts a container whatever its exit code; Docker leaves it stopped"
RUNS_ONCE = 'restart: on-failure (or "no") makes it a job'
NO_SERVICE = Service()
SHIPPED_KEYS = frozenset({".secretFiles", ".networkPolicy"})
"""Words of `x-tycho` that a shipped policy says in every system."""
URL_KEYS = frozenset({".url", ".urlVariables"})
"""Words about the URL of a service that publishes a TCP port."""


def list_rows(layout: ChartLayout) -> tuple[ReportEntry, ...]:
    """List a row for every key in use, in the order of the file's sections."""
    return tuple(_Report(layout).list_rows())


class _Report(Struct, frozen=True):
    """The rows of one layout."""

    layout: ChartLayout

    def list_rows(self) -> Iterator[ReportEntry]:
        layout, system = self.layout, self.layout.system
        nothing = KeyUse(None, layout, "", NO_SERVICE)
        if system.version is not None:
            yield self._row("version", PROJECT["version"], nothing)
        yield from self._extensions("", "", nothing, system)
        for name, value in ingress_annotations(system).items():
            if not is_allowed(name, str(value), read_grants(system), CONTROLLERS):
                yield self._row(f"x-tycho.ingress.annotations.{name}", RESERVED_NAME, nothing)
        for name in system.models:
            yield self._row(f"models.{name}", PROJECT["models"], nothing)
        for name, path, key in list_renamed(layout):
            yield self._row(path, key, self._key_use(name))
        yield from self._called()
        yield from self._ended()
        rows: list[ReportEntry] = []
        for row in self._parts():
            rows.append(row)
            yield row
        for path, key in (*list_hidden_rows(layout), *list_compile_time_rows(layout, SECTIONS)):
            yield _inherit(self._row(path, key, nothing), rows)
        yield from self._list_dialect(rows)
        for path in layout.unused:
            yield self._row(path, translated("nothing: no service uses it"), nothing)

    def _list_dialect(self, rows: Sequence[ReportEntry]) -> Iterator[ReportEntry]:
        """Tell what was written in the first Tycho's words; where that is seen, the key says that it became."""
        for use in self.layout.system.dialect:
            if _is_there(self.layout.system, use):
                becomes = _inherit(ReportEntry(use.becomes, use.file, use.line, use.outcome), rows)
                row = ReportEntry(use.path, use.file, use.line, use.outcome, use.target, use.reason, use.remedy)
                yield replace(row, targets=becomes.targets if use.becomes else ())

    def _key_use(self, name: str) -> KeyUse:
        return KeyUse(None, self.layout, name, find_service(self.layout.system, name))

    def _called(self) -> Iterator[ReportEntry]:
        """Tell where peers can call a service."""
        for pod in self.layout.workloads:
            use = self._key_use(pod.name)
            if key := assess_calls(use):
                yield self._row(f"{self.layout.locate(pod.name)}.expose", key, use)

    def _ended(self) -> Iterator[ReportEntry]:
        """Tell what becomes of a program that ends, where the file does not say `restart`."""
        for pod in self.layout.workloads:
            for each in pod.containers:
                if pod.kind not in JOBS and not restart_policy(find_service(self.layout.system, each.service)):
                    path = f"{self.layout.locate(each.service)}.restart"
                    key = translated(pod.kind, workload(""), but=RESTARTED, remedy=RUNS_ONCE)
                    yield self._row(path, key, self._key_use(each.service))

    def _parts(self) -> Iterator[ReportEntry]:
        for section in filter(None, SECTIONS):
            for name, part in getattr(self.layout.system, section).items():
                yield from self._part(section, name, part)

    def _part(self, section: str, name: str, part: Node) -> Iterator[ReportEntry]:
        path, use = f"{section}.{name}", KeyUse(None, self.layout, name, part)  # type: ignore[arg-type]
        yield from self._extensions(section, path, use, part)
        yield from self._fields(SECTIONS[section], path, "", part, use)

    def _fields(self, table: Table, path: str, pattern: str, part: Node, owner: KeyUse) -> Iterator[ReportEntry]:
        written = part.model_fields_set
        for field in type(part).model_fields:
            if field not in written or field in DERIVED_FIELDS:
                continue
            value = getattr(part, field)
            key = table.get(f"{pattern}{field}")
            if key and key.per_pod and (home := self._host(owner)):
                shared = self._shared(self.layout.pod_by_service[home], f"{pattern}{field}", value)
                yield self._row(f"{path}.{field}", shared, owner)
            elif key:
                yield from self._assessed(key, f"{path}.{field}", value, owner)
            if key and key.whole:
                continue
            if isinstance(value, Node):
                yield from self._fields(table, f"{path}.{field}", f"{pattern}{field}.", value, owner)
            elif isinstance(value, tuple) and value and isinstance(value[0], Node):
                for index, element in enumerate(value):
                    yield from self._items(table, f"{path}.{field}[{index}]", f"{pattern}{field}[].", element, owner)
            elif not key:
                unknown = KeyRule("rejected", reason="Tycho does not know this key", remedy="remove it")
                yield self._row(f"{path}.{field}", unknown, owner)

    def _shared(self, home: Workload, field: str, value: object) -> KeyRule:
        """Tell what becomes of a key that a pod has once, where the pod is another service's."""
        theirs: object = find_service(self.layout.system, home.name)
        for part in field.split("."):
            theirs = getattr(theirs, part)
        if value == theirs:
            return translated("the setting of the pod that it shares", container(""))
        return ignored(f"it shares the pod of {home.name}, whose setting is used", "set it there")

    def _host(self, owner: KeyUse) -> str:
        """Tell the service whose pod another one shares; "" for a pod of its own."""
        layout = self.layout
        if owner.name not in layout.pod_by_service or owner.service is not find_service(layout.system, owner.name):
            return ""
        home = layout.pod_by_service[owner.name].name
        return "" if home == owner.name else home

    def _items(self, table: Table, path: str, pattern: str, element: Node, owner: KeyUse) -> Iterator[ReportEntry]:
        """Yield entries for the keys of a list's element whose outcome differs from the list's."""
        for field in sorted(element.model_fields_set - DERIVED_FIELDS):
            key, value = table.get(f"{pattern}{field}"), getattr(element, field)
            changes = key is not None and key.outcome in ("approximated", "ignored") and field != "host_ip"
            if not key or value is None or not (key.assess or changes):
                continue
            use = owner.of(value, element)
            assessed = list(key.assess(use)) if key.assess else []
            for added, changed in assessed:
                yield self._row(f"{path}.{field}{added}", changed, use)
            if changes and not assessed:
                yield self._row(f"{path}.{field}", key, use)

    def _assessed(self, key: KeyRule, path: str, value: object, owner: KeyUse) -> Iterator[ReportEntry]:
        if _empty(value) and not (key.assess and value == ()):
            return
        use = owner.of(value)
        assessed = list(key.assess(use)) if key.assess else []
        for added, changed in assessed:
            yield self._row(path + added, changed, use)
        if not assessed and not _empty(value):
            yield self._row(path, key, use)

    def _extensions(self, section: str, path: str, owner: KeyUse, part: object) -> Iterator[ReportEntry]:
        written = getattr(part, "x", {}).get("x-tycho")
        for added, key in assess_extension(section, written) if written is not None else ():
            where = f"{path}.x-tycho{added}".lstrip(".")
            if key.places and not any(key.find(owner)):
                if added in SHIPPED_KEYS:
                    continue
                yield self._row(where, translated("nothing: the chart has no object that it applies to"), owner)
            elif added in URL_KEYS and key.outcome == "translated" and not owner.container.ingress:
                yield self._row(where, ignored("it publishes no TCP port", "publish one under ports"), owner)
            else:
                yield self._row(where, key, owner)

    def _row(self, path: str, key: KeyRule, use: KeyUse) -> ReportEntry:
        file, line = self.layout.system.at(path)
        targets = tuple(key.find(use))
        if len(targets) > 1:
            targets = tuple(dict.fromkeys(targets))
        return ReportEntry(path, file, line, key.outcome, key.target, key.reason, key.remedy, key.local, targets)


def _empty(value: object) -> bool:
    """Tell whether a key says nothing; one that reads a variable says something, whatever that is worth today."""
    return not isinstance(value, Live) and (value is None or value is False or value in ((), {}, ""))


def _is_there(system: Project, use: DialectUse) -> bool:
    """Tell whether the service that a use is about is one of the system: it may be disabled, or a base of others."""
    section = use.path.partition(".")[0]
    if section not in ("services", "jobs"):
        return True
    return any(_is_within(use.path, f"{section}.{name}") for name in getattr(system, section))


def _inherit(row: ReportEntry, rows: Sequence[ReportEntry]) -> ReportEntry:
    """Give a row about a value the targets of the key that holds it."""
    if row.targets or row.outcome == "rejected":
        return row
    above = [other for other in rows if other.targets and _is_within(row.path, other.path)]
    return replace(row, targets=max(above, key=lambda other: len(other.path)).targets) if above else row


def _is_within(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))
