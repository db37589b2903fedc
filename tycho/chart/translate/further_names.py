"""`hostname`, `container_name`, `links`: what services are called by, where Kubernetes cannot give that name, too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tycho.chart.chart import ReportTarget
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import has_service
from tycho.chart.names import DNS_LABEL, label
from tycho.chart.networking import WORD, referencing_texts
from tycho.chart.translate.key_rule import KeyRule, Rows, Table, approximated, ignored, translated
from tycho.chart.translate.key_use import KeyUse, container, named_object, peers, pod

LONGEST = 63
LETTERS = "use lower-case letters, digits and dashes"


def list_renamed(layout: ChartLayout) -> Iterator[tuple[str, str, KeyRule]]:
    """List the services that Kubernetes must call by another name, with the places that call them by the old one.

    Yields:
        Name of the service, path and entry.
    """
    why = "before Kubernetes 1.36 the name of a Service must start with a letter, and helm lint still requires it"
    for name in layout.system.services:
        if name[0].isdigit() and _is_called(layout, name):
            key = approximated(f"Service {label(name)}", why, "begin it with a letter", find_service_name)
            yield name, f"services.{name}", key
    renamed = {name: label(name) for name in layout.system.services if label(name) != name.lower()}
    places = find_places(layout, renamed)
    for name, slug in renamed.items():
        remedy = f"call it {slug}{_where(places[name])}"
        called = _is_called(layout, name)
        words, place = (f"Service {slug}", find_service_name) if called else (f"container {slug}", container(""))
        yield name, f"services.{name}", approximated(words, explain(name), remedy, place)


def _is_called(layout: ChartLayout, name: str) -> bool:
    """Tell whether a service has a name: a job in a pod of its own may have none."""
    return layout.pod_by_service[name].name != name or has_service(layout.pod_by_service[name])


def find_service_name(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Service that a service is called by: its pod's, or one of its own name beside that."""
    slug = label(use.name)
    yield from (peers("") if use.pod.name == use.name else named_object("Service", slug))(use)


def explain(name: str) -> str:
    """Explain why a name is no DNS label."""
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, and a DNS label at most {LONGEST}"
    wrong = sorted({character for character in name.lower() if not DNS_LABEL.fullmatch(f"a{character}a")})
    if wrong:
        return f"a DNS label has no {' '.join(wrong)}"
    return "a DNS label begins and ends with a letter or a digit"


def find_places(layout: ChartLayout, names: Collection[str]) -> Mapping[str, list[str]]:
    """Find where the file uses names: in environments, commands, health checks and texts that are mounted."""
    places: dict[str, list[str]] = {name: [] for name in names}
    for _, path, text in referencing_texts(layout.system) if names else ():
        words = {word.rstrip(".-") for word in WORD.findall(text)}
        for name in words & places.keys():
            file, line = layout.system.at(path)
            places[name].append(f"{file}:{line}" if line else path)
    return places


def _where(places: list[str]) -> str:
    return f"; it is used at {', '.join(dict.fromkeys(places))}" if places else ""


def refuse_name(use: KeyUse, name: str, remedy: str) -> KeyRule:
    """Make the entry of a further name that no Service can have."""
    return ignored(f'"{name}": {explain(name)}', remedy + _where(find_places(use.layout, (name,))[name]))


def assess_container_name(use: KeyUse) -> Rows:
    """Assess a name to call a service by."""
    name = str(use.value)
    if name == use.name:
        yield "", translated("its own name")
    elif not DNS_LABEL.fullmatch(name.lower()):
        yield "", refuse_name(use, name, f"call it {label(use.name)}")


def assess_hostname(use: KeyUse) -> Rows:
    """Assess a hostname, a DNS label; a pod has one of its own, and a further name for each other service in it."""
    name, home = str(use.value), use.pod.name
    if not DNS_LABEL.fullmatch(name.lower()):
        yield "", refuse_name(use, name, f"{LETTERS}; write the domain in domainname")
    elif home != use.name:
        why = f"it shares the pod of {home}, whose setting is used"
        yield "", approximated("a Service of that name", why, "set it there", find_named)


def find_named(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Service of the name that a key gives, or of the service itself where it is the same."""
    yield ReportTarget("Service", str(use.value).lower())


def find_hostname(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the pod's hostname, and the Service of that name."""
    yield from pod("hostname")(use)
    yield from find_named(use)


def find_links(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the Services of the names that a service links to."""
    for link in use.value:
        alias = str(link).partition(":")[2].lower()
        if alias and DNS_LABEL.fullmatch(alias):
            yield ReportTarget("Service", alias)


def assess_links(use: KeyUse) -> Rows:
    """Assess further names of other services."""
    if all(str(link).partition(":")[2] in ("", str(link).partition(":")[0]) for link in use.value):
        yield "", translated("their own names")
    for index, link in enumerate(use.value):
        alias = str(link).partition(":")[2]
        if alias and not DNS_LABEL.fullmatch(alias.lower()):
            yield f"[{index}]", refuse_name(use, alias, LETTERS)


KEYS: Table = {
    "hostname": translated("hostname, and a Service of that name", find_hostname, assess=assess_hostname),
    "container_name": approximated(
        "a Service of that name",
        "Kubernetes names pods",
        "call it by its service's name",
        find_named,
        assess=assess_container_name,
    ),
    "links": translated(
        "Services of these names",
        find_links,
        assess=assess_links,
        but="every service can use these names, and a link does not delay the start",
    ),
    "external_links": ignored(
        "a container outside the project is not in the cluster", "call a Service by its DNS name"
    ),
}
