"""The objects of one kind that a watch has brought, selected by label without reading all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from tycho.kube.objects import KubeObject, get_labels
from tycho.kube.query import is_selected, parse_selector

Key = tuple[str, str]  # namespace and name


class Store:
    """Objects of one kind.

    Args:
        most: How many are kept: of more the oldest are dropped. 0 is any number.
        indexed: Labels that objects are asked for by.
    """

    def __init__(self, most: int = 0, indexed: Collection[str] = ()) -> None:
        self._most, self._indexed = most, indexed
        self._objects: dict[Key, KubeObject] = {}
        self._index: dict[tuple[str, str], set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._objects)

    def fill(self, items: Iterable[KubeObject]) -> None:
        """Keep these objects, and no others."""
        self._objects.clear()
        self._index.clear()
        for obj in items:
            self.put(obj)

    def put(self, obj: KubeObject) -> None:
        """Keep an object, in place of what it was before."""
        key = _key(obj)
        self.drop(obj)
        self._objects[key] = obj
        for entry in self._entries(obj):
            self._index[entry].add(key)
        if self._most and len(self._objects) > self._most:
            self.drop(next(iter(self._objects.values())))

    def drop(self, obj: KubeObject) -> None:
        """Keep an object no more."""
        key = _key(obj)
        if (stored := self._objects.pop(key, None)) is None:
            return
        for entry in self._entries(stored):
            self._index[entry].discard(key)
            if not self._index[entry]:
                del self._index[entry]

    def select(self, namespace: str, selector: str) -> Sequence[KubeObject]:
        """Select objects, by namespace and name, as the API server lists them."""
        terms = parse_selector(selector)
        entries = [(label, value) for label, equal, value in terms if equal and label in self._indexed]
        if entries:
            keys: Collection[Key] = min((self._index.get(entry, set()) for entry in entries), key=len)
        elif namespace:
            keys = self._index.get(("", namespace), set())
        else:
            keys = self._objects
        candidates = (self._objects[key] for key in sorted(keys) if namespace in ("", key[0]))
        return [obj for obj in candidates if is_selected(obj, terms)]

    def _entries(self, obj: KubeObject) -> Iterator[tuple[str, str]]:
        labels = get_labels(obj)
        yield from ((label, labels[label]) for label in self._indexed if label in labels)
        yield "", obj["metadata"].get("namespace", "")


def _key(obj: KubeObject) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
