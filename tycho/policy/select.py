"""`match` and `unless`: which services a policy speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from tycho.model import Json, Live, Node, Service, ServiceMetadata

Text = Callable[[object], str]

EMPTY = (str, bytes, list, tuple, Mapping)
KEYS = ("name", "image", "label", "has", "metadata")


@dataclass(frozen=True, slots=True)
class Selector:
    """Globs that must all hold; of the several globs of one key, any."""

    name: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, key) for key in KEYS)

    def fits(self, seen: Seen) -> bool:
        """Whether a service is meant."""
        return all(any(TESTS[key](seen, glob) for glob in getattr(self, key)) for key in KEYS if getattr(self, key))


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as the selectors see it.

    Args:
        name: Its compose name.
        service: The service.
        metadata: What the caller says of it.
        text: How a value reads: as written, with its variables, or as it is worth.
    """

    name: str
    service: Service
    metadata: ServiceMetadata | None
    text: Text

    def found(self, globs: tuple[str, ...]) -> dict[str, str]:
        """The paths that `has` globs fit, the outermost of each branch, with their values."""
        return find_paths(self.service, globs, self.text)


def find_paths(part: Node, globs: tuple[str, ...], text: Text) -> dict[str, str]:
    """Find the paths of a part that `has` globs fit, the outermost of each branch, with their values."""
    every = {path: value for glob in globs for path, value in _find(part, glob, text)}
    return {path: every[path] for path in sorted(every) if every.keys().isdisjoint(_above(path))}


def written(value: object) -> str:
    """A value as the file has it: one chart serves every environment."""
    return value.template if isinstance(value, Live) else plain(value)


def plain(value: object) -> str:
    """A value as it is worth."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(seen: Seen, glob: str) -> bool:
    return fnmatchcase(seen.name, glob)


def _image(seen: Seen, glob: str) -> bool:
    return seen.service.image is not None and fnmatchcase(seen.text(seen.service.image), glob)


def _label(seen: Seen, glob: str) -> bool:
    key, _, value = glob.partition("=")
    return any(
        fnmatchcase(name, key) and fnmatchcase(seen.text(text), value if "=" in glob else "*")
        for name, text in seen.service.labels.items()
    )


def _has(seen: Seen, glob: str) -> bool:
    return any(_find(seen.service, glob, seen.text))


def _metadata(seen: Seen, glob: str) -> bool:
    return any(_find(seen.metadata, glob, seen.text))


TESTS = {"name": _name, "image": _image, "label": _label, "has": _has, "metadata": _metadata}


def _find(part: Node | None, glob: str, text: Text) -> Iterator[tuple[str, str]]:
    """Paths below a part that fit `path` or `path=value`, with their values.

    Values compare without case, so that no spelling slips past a refusal.
    """
    wanted, root, worth = _parsed(glob)
    if part is None:
        return
    if root is None:
        chosen = {key: value for key, _, value in _children(part)}
    elif root in part.model_fields_set:
        chosen = {root: getattr(part, root)}
    elif root.startswith("x-"):
        chosen = {root: getattr(part, "x", {}).get(root)}
    else:
        return
    for path, plain, value in _leaves(chosen, text):
        if fnmatchcase(plain, wanted) and fnmatchcase(value.lower(), worth):
            yield path, value


@cache
def _parsed(glob: str) -> tuple[str, str | None, str]:
    """Path, its first key (None: any), and value of a glob."""
    wanted, sign, worth = glob.partition("=")
    root = wanted.partition(".")[0]
    return wanted, None if any(wild in root for wild in "*?[") else root, worth.lower() if sign else "*"


def _above(path: str) -> Iterator[str]:
    return (path[:end] for end, sign in enumerate(path) if sign in ".[")


def _leaves(part: object, text: Text, path: str = "", plain: str = "") -> Iterator[tuple[str, str, str]]:
    """Path with list indices, path without, and value of all that is set; false and the empty are not."""
    for key, index, value in _children(part):
        if value is None or value is False or (isinstance(value, EMPTY) and not value):
            continue
        here = f"{path}[{key}]" if index else f"{path}.{key}" if path else key
        flat = plain if index else f"{plain}.{key}" if plain else key
        scalar = not isinstance(value, Node | Mapping | list | tuple)
        if scalar or not index:
            yield here, flat, text(value) if scalar and not isinstance(value, bytes) else ""
        yield from _leaves(value, text, here, flat)


def _children(part: object) -> Iterator[tuple[str, bool, Json]]:
    match part:
        case Node():
            for key in sorted(part.model_fields_set):
                value = getattr(part, key)
                yield from _children(value) if key == "x" else ((key, False, value),)
        case Mapping():
            yield from ((str(key), False, value) for key, value in part.items())
        case list() | tuple():
            yield from ((str(index), True, value) for index, value in enumerate(part))
