"""`extends`: a service begins with the attributes of another one.

Source: Compose Specification, "Extend"; compose-go's `loader/extends.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from tycho.compose.attribute import Attribute
from tycho.compose.merge import Unmergeable, merge, remove_replaced, remove_resets
from tycho.compose.suggestions import nearest
from tycho.compose.yaml_nodes import YamlNode, clone
from tycho.errors import Problem

MAX_CHAIN = 100  # services that extend each other
MAX_COPIED = 200_000  # values that services take over from others


class ServiceFile(Struct, frozen=True):
    """The services of one file, and where its paths and variables lead.

    Args:
        services: By name.
        file: The file as a user knows it.
        directory: Where its relative paths start.
        env: Its variables.
        root: `services` or `jobs`.
    """

    services: Mapping[str, YamlNode]
    file: str
    directory: str
    env: Mapping[str, str]
    root: str = "services"


# The file that `extends.file` names, read from its node at a path.
ReadFile = Callable[[ServiceFile, YamlNode, str], ServiceFile | None]


class ExtendsResolver(Struct):
    """Resolves the `extends` of a project's documents; a service that several others extend is resolved once.

    Args:
        service: The row of a service in the attribute table.
        read_file: Reads the services of another file.
        problems: What is wrong, in the order in which it is met.
    """

    service: Attribute
    read_file: ReadFile
    problems: list[Problem]
    copied: int = 0  # values that services took over
    resolved: dict[tuple[int, str], YamlNode] = field(default_factory=dict)

    def resolve(self, document: YamlNode, file: str, directory: str, env: Mapping[str, str]) -> None:
        """Resolve every `extends` of a document; the document itself changes."""
        for root in ("services", "jobs"):
            section = document.get(root)
            if section is not None and any("extends" in service.map for service in section.map.values()):
                place = ServiceFile(section.map, file, directory, env, root)
                section.value = {name: self._resolve_service(place, name, ()) for name in section.map}

    def _resolve_service(self, place: ServiceFile, name: str, above: tuple[tuple[str, str], ...]) -> YamlNode:
        node = place.services[name]
        extends = node.get("extends")
        if extends is None or extends.value is None:
            return node
        key = (id(place.services), name)
        if key not in self.resolved:
            known = len(self.problems)
            whole = self._merge_base(place, name, extends, above)
            if len(self.problems) > known:  # a circle looks different from each of its services
                return whole
            self.resolved[key] = whole
        return self.resolved[key]

    def _merge_base(
        self, place: ServiceFile, name: str, extends: YamlNode, above: tuple[tuple[str, str], ...]
    ) -> YamlNode:
        node = place.services[name]
        alone = node.with_value({key: child for key, child in node.map.items() if key != "extends"})
        path = f"{place.root}.{name}.extends"
        here = (place.file, name)
        if self.copied > MAX_COPIED:  # which is reported already
            return alone
        if len(above) >= MAX_CHAIN:
            self.copied = MAX_COPIED + 1
            message = f"more than {MAX_CHAIN} services extend each other in a row"
            self.problems.append(extends.problem(path, message, "extend one that says it all"))
            return alone
        if here in above:
            (file, first), *others = *above[above.index(here) :], here
            circle = "".join(f"\n  extends {service} in {where}" for where, service in others)
            message = f"Circular reference:\n  {first} in {file}{circle}"
            self.problems.append(extends.problem(path, message, "leave one of them out"))
            return alone
        base = self._find_base(place, name, extends, path)
        origin = self._resolve_service(*base, (*above, here)) if base else None
        if origin is None or origin.value is None or self.copied > MAX_COPIED:
            return alone
        self.copied += origin.size
        if self.copied > MAX_COPIED:
            message = f"services take over more than {MAX_COPIED} values by extends"
            self.problems.append(extends.problem(path, message, "write large parts into env files"))
            return alone
        copy = clone(origin)
        remove_replaced(copy, alone)
        try:
            return merge(remove_resets(copy), alone, f"{place.root}.{name}", self.service)
        except Unmergeable as error:
            self.problems.append(error.problem)
            return alone

    def _find_base(self, place: ServiceFile, name: str, extends: YamlNode, path: str) -> tuple[ServiceFile, str] | None:
        """Return where the base is, and its name there."""
        service, file = extends.get("service"), extends.get("file")
        base = service.value if service else extends.value
        if not isinstance(base, str):
            self.problems.append(extends.problem(path, f"extends.{name}.service is required", "write service: NAME"))
            return None
        among: ServiceFile | None = place
        if file is not None and file.value is not None:
            among = self.read_file(place, file, path)
        if among is None:
            return None
        if base not in among.services:
            where = f" in {file.value}" if file else ""
            message = f'cannot extend service "{name}" in {place.file}: service "{base}" not found{where}'
            self.problems.append(extends.problem(path, message, nearest(base, among.services)))
            return None
        return among, base
