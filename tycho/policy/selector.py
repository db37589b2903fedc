"""`match` and `unless`: which services a policy selects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache

from msgspec import Struct

from tycho.model import Json, Live, Node, Service, ServiceMetadata

ToText = Callable[[object], str]

EMPTY = (str, bytes, list, tuple, Mapping)
SCALAR, STRUCTURE = (str, int), (Node, list, tuple, Mapping)
KEYS = ("name", "image", "label", "has", "metadata")


class Selector(Struct, frozen=True):
    """Globs that must all hold; of the several globs of one key, any."""

    name: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, key) for key in KEYS)

    def fits(self, subject: PolicySubject) -> bool:
        """Tell whether a service is selected."""
        return all(TESTS[key](subject, globs) for key in KEYS if (globs := getattr(self, key)))


class PolicySubject(Struct, frozen=True):
    """A service as the selectors read it.

    Args:
        name: Its compose name.
        service: The service.
        metadata: What the caller sets for it.
        text: How to write a value: as in the file, with its variables, or interpolated.
    """

    name: str
    service: Service
    metadata: ServiceMetadata | None
    text: ToText


def find_paths(part: Node, globs: tuple[str, ...], text: ToText) -> dict[str, str]:
    """Find the paths of a part that `has` globs fit, the outermost of each branch, with their values."""
    matches = dict(_find(part, globs, text))
    return {path: matches[path] for path in sorted(matches) if matches.keys().isdisjoint(paths_above(path))}


def paths_above(path: str) -> Iterator[str]:
    """Yield the paths that a path lies below."""
    return (path[:end] for end, sign in enumerate(path) if sign in ".[")


def as_written(value: object) -> str:
    """Write a value as in the file, with its variables: one chart serves every environment."""
    return value.template if isinstance(value, Live) else to_text(value)


def to_text(value: object) -> str:
    """Write an interpolated value."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(subject: PolicySubject, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(subject.name, glob) for glob in globs)


def _image(subject: PolicySubject, globs: tuple[str, ...]) -> bool:
    image = subject.service.image
    return image is not None and any(fnmatchcase(subject.text(image), glob) for glob in globs)


def _label(subject: PolicySubject, globs: tuple[str, ...]) -> bool:
    pairs = [(name, subject.text(text)) for name, text in subject.service.labels.items()]
    patterns = [glob.partition("=") for glob in globs]
    return any(
        fnmatchcase(name, key) and fnmatchcase(text, value if sign else "*")
        for name, text in pairs
        for key, sign, value in patterns
    )


def _has(subject: PolicySubject, globs: tuple[str, ...]) -> bool:
    return any(True for _ in _find(subject.service, globs, subject.text))


def _metadata(subject: PolicySubject, globs: tuple[str, ...]) -> bool:
    return any(True for _ in _find(subject.metadata, globs, subject.text))


TESTS = {"name": _name, "image": _image, "label": _label, "has": _has, "metadata": _metadata}


def _find(part: Node | None, globs: tuple[str, ...], text: ToText) -> Iterator[tuple[str, str]]:
    """Yield the paths below a part that fit any `path` or `path=value`, with their values.

    Values compare without case, so that no spelling slips past a refusal.
    """
    if part is None:
        return
    written = part.model_fields_set
    for root, patterns in _globs_by_root(globs).items():
        if root in written:
            chosen = {root: getattr(part, root)}
        elif root is None:
            chosen = {key: value for key, _, value in _children(part)}
        elif root.startswith("x-"):
            chosen = {root: getattr(part, "x", {}).get(root)}
        else:
            continue
        for path, plain, value in _leaves(chosen, text):
            if any(fnmatchcase(plain, path_glob) and fnmatchcase(value.lower(), glob) for path_glob, glob in patterns):
                yield path, value


@cache
def _globs_by_root(globs: tuple[str, ...]) -> Mapping[str | None, list[tuple[str, str]]]:
    """Return the globs of paths and of their values, by the first key of the path (None: any)."""
    by_root: dict[str | None, list[tuple[str, str]]] = {}
    for glob in globs:
        path, sign, value = glob.partition("=")
        root = path.partition(".")[0]
        wild = any(mark in root for mark in "*?[")
        by_root.setdefault(None if wild else root, []).append((path, value.lower() if sign else "*"))
    return by_root


def _leaves(part: object, text: ToText, path: str = "", plain: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the path with list indices, the path without, and the value of all that is set.

    Null, false and what is empty count as not set.
    """
    for key, index, value in _children(part):
        if not value and (value is None or value is False or isinstance(value, EMPTY)):
            continue
        here = f"{path}[{key}]" if index else f"{path}.{key}" if path else key
        flat = plain if index else f"{plain}.{key}" if plain else key
        scalar = isinstance(value, SCALAR) or not isinstance(value, STRUCTURE)
        if scalar or not index:
            yield here, flat, text(value) if scalar and not isinstance(value, bytes) else ""
        yield from _leaves(value, text, here, flat)


def _children(part: object) -> Iterator[tuple[str, bool, Json]]:
    match part:
        case str():
            return
        case list() | tuple():
            yield from ((str(index), True, value) for index, value in enumerate(part))
        case Node():
            for key in sorted(part.model_fields_set):
                value = getattr(part, key)
                yield from _children(value) if key == "x" else ((key, False, value),)
        case Mapping():
            yield from ((str(key), False, value) for key, value in part.items())
