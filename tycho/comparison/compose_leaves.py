"""What a release says in Compose's words, key by key: what each is worth, and what may be shown of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from tycho.credentials import MASK, find_credentials, names_secret
from tycho.masking import Masker, is_secret
from tycho.model.expression import Invalid, evaluate
from tycho.stored import StoredRelease

WORDS = ("command", "entrypoint", "test", "args")  # keys whose lists are command lines
KEYS = ("target", "source", "path", "name")  # of entries of lists: the first that an entry has tells it from others
RENAMED = {
    ("replicas",): "deploy.replicas",
    ("resources", "limits", "cpu"): "deploy.resources.limits.cpus",
    ("resources", "limits", "memory"): "deploy.resources.limits.memory",
    ("resources", "requests", "cpu"): "deploy.resources.reservations.cpus",
    ("resources", "requests", "memory"): "deploy.resources.reservations.memory",
    ("image",): "image",
}
GROUPS = {"env": "environment", "podLabels": "labels", "secretEnv": "environment", "envFile": "env_file"}
"""Keys of a service's values, and what a compose file calls them."""
Leaf = tuple[str, str]  # what a key is worth, and what is shown of it
Place = tuple[str, str]  # a path, and which entry of a list there is meant


class Side(Struct, frozen=True, dict=True):
    """One of the two releases that are compared.

    Args:
        stored: What it is made of.
        masker: Knows the secrets of both.
    """

    stored: StoredRelease
    masker: Masker

    @cached_property
    def tree(self) -> Mapping[str, Any]:
        """Its compose file."""
        import yaml

        tree = yaml.load(self.stored.compose, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        return tree if isinstance(tree, Mapping) else {}

    @cached_property
    def merged(self) -> Mapping[str, Any]:
        """All its values."""
        return self.stored.merged

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """What its variables are worth."""
        known = self.merged.get("variables") or {}
        return {name: str(value) for name, value in known.items() if value is not None}

    @cached_property
    def shown_variables(self) -> Mapping[str, str]:
        """The same with a mask in the place of what is secret."""
        return {name: MASK if is_secret(name, value) else value for name, value in self.variables.items()}

    def section(self, name: str) -> Mapping[str, Any]:
        """Return the entries of a section; {} where there is none."""
        entries = self.tree.get(name)
        return entries if isinstance(entries, Mapping) else {}

    def evaluate(self, text: str, *, secret: bool = False) -> Leaf:
        """Evaluate an expression.

        Args:
            text: As the compose file has it.
            secret: Whether its value is not to be shown.
        """
        try:
            value, shown = (evaluate(text, variables) for variables in (self.variables, self.shown_variables))
        except Invalid:  # a variable that is required, and that only the values of a service hold
            return text, text
        return value, self.show(shown, secret=secret)

    def show(self, value: str, *, secret: bool = False) -> str:
        """Return what may be shown of a value."""
        return MASK if secret and value else self.masker.text(value)

    def leaves(self, part: Any) -> dict[Place, Leaf]:
        """List what an entry of a section says, by key."""
        return dict(self._walk(part, "")) if part else {}

    def set_by_hand(self, name: str) -> set[tuple[str, ...]]:
        """List the paths that the release says of a service beside its compose file."""
        return set(list_paths((self.stored.values.get("services") or {}).get(name)))

    def settings(self, name: str, paths: set[tuple[str, ...]]) -> dict[Place, Leaf]:
        """List what values say of a service at some paths.

        Args:
            name: The service; "" for what is said of all.
            paths: Paths in its values.
        """
        values = (self.merged.get("services") or {}).get(name) if name else self.merged.get("defaults")
        listed = {}
        for path in sorted(paths):
            value: Any = values
            for key in path:
                value = value.get(key) if isinstance(value, Mapping) else None
            if path == ("image",):
                value = _join_image(value)
            if value is not None:
                secret = path[0] == "secretEnv" or (len(path) > 1 and path[0] in GROUPS and names_secret(path[-1]))
                secret = secret or (path[0] == "envFile" and bool(find_credentials(str(value))))
                listed[name_path(path), ""] = self.evaluate(_write(value), secret=secret)
        return listed

    def _walk(self, part: Any, path: str) -> Iterator[tuple[Place, Leaf]]:
        last = path.rpartition(".")[2]
        if isinstance(part, Mapping):
            for key, value in part.items():
                yield from self._walk(value, f"{path}.{key}" if path else str(key))
            if not part and path:
                yield (path, ""), ("", "")
        elif isinstance(part, list):
            if last in WORDS or not any(isinstance(entry, Mapping) for entry in part):
                parts = [self.evaluate(_write(entry)) for entry in part]
                join = shlex.join if last in WORDS else ", ".join
                yield (path, ""), (join(value for value, _ in parts), join(shown for _, shown in parts))
            else:
                for number, entry in enumerate(part):
                    yield (path, _identify(entry, number)), self._describe(entry)
        elif part is None and path.startswith("environment."):
            yield (path, ""), self._show_variable(last)
        else:
            secret = path.startswith("environment.") and names_secret(last)
            yield (path, ""), self.evaluate(_write(part), secret=secret)

    def _show_variable(self, name: str) -> Leaf:
        return self.variables.get(name, ""), self.show(self.shown_variables.get(name, ""))

    def _describe(self, entry: Any) -> Leaf:
        """Describe an entry of a list as Compose's short syntax would."""
        if not isinstance(entry, Mapping):
            return self.evaluate(_write(entry))
        leaves = {place[0]: leaf for place, leaf in self._walk(entry, "")}
        whole = json.dumps({path: value for path, (value, _) in leaves.items()}, sort_keys=True)
        shown = {path: text for path, (_, text) in leaves.items()}
        ends = [shown[key] for key in ("host_ip", "published", "source", "target") if shown.get(key)]
        if not ends:
            return whole, ", ".join(f"{path}: {text}" for path, text in shown.items())
        protocol = f"/{shown['protocol']}" if shown.get("protocol", "tcp") != "tcp" else ""
        return whole, ":".join(ends) + protocol + (":ro" if shown.get("read_only") == "true" else "")


def list_paths(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """List the paths of what is no mapping; an image is one value."""
    if isinstance(values, Mapping) and path != ("image",):
        for key, value in values.items():
            yield from list_paths(value, (*path, str(key)))
    elif path:
        yield path


def name_path(path: tuple[str, ...]) -> str:
    """Name a path in the values of a service as a compose file does."""
    if path in RENAMED:
        return RENAMED[path]
    return ".".join((GROUPS.get(path[0], path[0]), *path[1:]))


def _join_image(image: Any) -> str | None:
    """Join the parts of an image to its reference."""
    if not isinstance(image, Mapping) or not (image.get("reference") or image.get("repository")):
        return None
    if image.get("reference"):
        return str(image["reference"])
    tag = f":{image['tag']}" if image.get("tag") else ""
    digest = f"@{image['digest']}" if image.get("digest") else ""
    return f"{image['repository']}{tag}{digest}"


def _identify(entry: Any, number: int) -> str:
    """Return what tells an entry of a list from the others of it."""
    if isinstance(entry, Mapping) and (key := next((key for key in KEYS if entry.get(key)), "")):
        return f"{entry[key]}/{entry.get('protocol', '')}"
    return str(number)


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
