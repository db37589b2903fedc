"""The objects of one kind that a watch has told of, found by label without a look at all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from tycho.orchestrators.helm.api import Object
from tycho.orchestrators.helm.view_objects import fits, parse_selector

INDEXED = ("app.kubernetes.io/instance", "tycho-guid", "name")  # labels that a system's objects are asked for by
Key = tuple[str, str]  # namespace and name


class Store:
    """Objects of one kind.

    Args:
        most: How many are kept: of more the oldest are let go. 0 is any number.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._items: dict[Key, Object] = {}
        self._index: dict[tuple[str, str], set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._items)

    def fill(self, items: Iterable[Object]) -> None:
        """Hold these objects, and no others."""
        self._items.clear()
        self._index.clear()
        for item in items:
            self.put(item)

    def put(self, item: Object) -> None:
        """Hold an object, in place of what it was before."""
        key = _key(item)
        self.drop(item)
        self._items[key] = item
        for entry in _entries(item):
            self._index[entry].add(key)
        if self._most and len(self._items) > self._most:
            self.drop(next(iter(self._items.values())))

    def drop(self, item: Object) -> None:
        """Hold an object no more."""
        key = _key(item)
        if (held := self._items.pop(key, None)) is None:
            return
        for entry in _entries(held):
            self._index[entry].discard(key)
            if not self._index[entry]:
                del self._index[entry]

    def select(self, namespace: str, selector: str) -> Sequence[Object]:
        """Select objects, by namespace and name, as the API server lists them."""
        terms = parse_selector(selector)
        known = [(label, value) for label, equal, value in terms if equal and label in INDEXED]
        if known:
            keys: Collection[Key] = min((self._index.get(entry, set()) for entry in known), key=len)
        elif namespace:
            keys = self._index.get(("", namespace), set())
        else:
            keys = self._items
        found = (self._items[key] for key in sorted(keys) if namespace in ("", key[0]))
        return [item for item in found if fits(item, terms)]


def _key(item: Object) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _entries(item: Object) -> Iterator[tuple[str, str]]:
    labels = item["metadata"].get("labels") or {}
    yield from ((label, labels[label]) for label in INDEXED if label in labels)
    yield "", item["metadata"].get("namespace", "")
