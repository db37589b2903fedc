"""What becomes of names that Kubernetes cannot give: with the true reason, and each place that uses them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tycho.chart.keys.key import Case, Key, Rows, approximated, ignored, translated
from tycho.chart.layout import ChartLayout
from tycho.chart.names import DNS_LABEL, label
from tycho.chart.wiring import WORD, spoken

LONGEST = 63
LETTERS = "use lower-case letters, digits and dashes"


def list_renamed(layout: ChartLayout) -> Iterator[tuple[str, Key]]:
    """Yield the services that Kubernetes must call by another name, with the places that call them by the old one."""
    for name in layout.system.services:
        if name[0].isdigit():
            why = "before Kubernetes 1.36 the name of a Service starts with a letter, as helm lint still asks"
            yield f"services.{name}", approximated(f"Service {label(name)}", why, "begin it with a letter")
    renamed = {name: label(name) for name in layout.system.services if label(name) != name.lower()}
    places = find_places(layout, renamed)
    for name, slug in renamed.items():
        remedy = f"call it {slug}{_where(places[name])}"
        yield f"services.{name}", approximated(f"Service {slug}", explain(name), remedy)


def explain(name: str) -> str:
    """Say why a name is no DNS label."""
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, and a DNS label at most {LONGEST}"
    wrong = sorted({character for character in name.lower() if not DNS_LABEL.fullmatch(f"a{character}a")})
    if wrong:
        return f"a DNS label has no {' '.join(wrong)}"
    return "a DNS label begins and ends with a letter or a digit"


def find_places(layout: ChartLayout, names: Collection[str]) -> Mapping[str, list[str]]:
    """Find where the file uses names: in environments, commands, health checks and texts that are mounted."""
    places: dict[str, list[str]] = {name: [] for name in names}
    for _, path, text in spoken(layout.system) if names else ():
        words = {word.rstrip(".-") for word in WORD.findall(text)}
        for name in words & places.keys():
            file, line = layout.system.at(path)
            places[name].append(f"{file}:{line}" if line else path)
    return places


def _where(places: list[str]) -> str:
    return f"; it is said at {', '.join(dict.fromkeys(places))}" if places else ""


def unnamed(case: Case, name: str, remedy: str) -> Key:
    """Return the row of a further name that no Service can have."""
    return ignored(f'"{name}": {explain(name)}', remedy + _where(find_places(case.layout, (name,))[name]))


def container_name(case: Case) -> Rows:
    """A name to call it by."""
    name = str(case.value)
    if name == case.name:
        yield "", translated("the name that it has anyway")
    elif not DNS_LABEL.fullmatch(name.lower()):
        yield "", unnamed(case, name, f"call it {label(case.name)}")


def hostname(case: Case) -> Rows:
    """A DNS label; a pod has one of its own, and a further name for each other service in it."""
    name, home = str(case.value), case.pod.name
    if not DNS_LABEL.fullmatch(name.lower()):
        yield "", unnamed(case, name, f"{LETTERS}; domainname for the rest")
    elif home != case.name:
        why = f"it shares the pod of {home}, whose own counts"
        yield "", approximated("a Service of that name", why, "say it there")


def links(case: Case) -> Rows:
    """Further names of other services."""
    if all(str(link).partition(":")[2] in ("", str(link).partition(":")[0]) for link in case.value):
        yield "", translated("the names that they have anyway")
    for index, link in enumerate(case.value):
        alias = str(link).partition(":")[2]
        if alias and not DNS_LABEL.fullmatch(alias.lower()):
            yield f"[{index}]", unnamed(case, alias, LETTERS)
