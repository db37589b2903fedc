"""What differs between the values of two releases: as RFC 6902 has it, and in words; nothing secret is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tycho.credentials import MASK, names_secret
from tycho.masking import mask_values


class Difference(Struct, frozen=True):
    """One value that differs.

    Args:
        path: Its keys, from the top.
        before: What it was; None where there was none.
        after: What it is; None where there is none any more.
        op: RFC 6902's word: add, replace or remove.
    """

    path: tuple[str, ...]
    before: Any
    after: Any
    op: str

    @property
    def patch(self) -> dict[str, Any]:
        """As an operation of RFC 6902."""
        pointer = "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in self.path)
        return {"op": self.op, "path": pointer} | ({} if self.op == "remove" else {"value": self.after})

    @property
    def words(self) -> str:
        """As a line: `web: replicas 1 → 3`."""
        service = self.path[0] == "services" and len(self.path) > 1
        what = ".".join(self.path[2:] if service else self.path)
        values = {"add": f" {self.after}", "remove": " removed", "replace": f" {self.before} → {self.after}"}[self.op]
        if service and not what:
            return f"{self.path[1]}: {'added' if self.op == 'add' else 'removed'}"
        return f"{self.path[1]}: {what}{values}" if service else f"{what}{values}"


def list_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """List what differs, in the order of its paths; a secret that differs is masked on both sides.

    Args:
        before: Values, as Helm merges them.
        after: The later ones.
    """
    shown_before, shown_after = mask_values(before), mask_values(after)
    return tuple(
        Difference(path, _shown(shown_before, path), _shown(shown_after, path), op)
        for path, op in sorted(_walk(before, after, ()))
    )


def _walk(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in dict.fromkeys((*before, *after)):
        old, new, place = before.get(key), after.get(key), (*path, str(key))  # null is none, as Helm has it
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _walk(old, new, place)
        elif isinstance(new, Mapping) and new and old is None and path != ("services",):  # a service is told whole
            yield from _walk({}, new, place)
        elif old != new:
            yield place, "add" if old is None else "remove" if new is None else "replace"


def _shown(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return None
        values = values[key]
    return MASK if _is_secret(path) and values is not None else values


def _is_secret(path: tuple[str, ...]) -> bool:
    return "env" in path[2:3] and names_secret(path[-1])
