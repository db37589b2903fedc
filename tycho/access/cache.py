"""What was found out a moment ago: for a while, and no more of it than fits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """Values that run out.

    Args:
        clock: Seconds that only grow.
        size: How many values are kept; the one that was used longest ago goes first.
    """

    def __init__(self, clock: Callable[[], float], size: int = 10_000) -> None:
        self._clock = clock
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """Return a value that has not run out."""
        if (entry := self._kept.get(key)) is None:
            return None
        ends, value = entry
        if self._clock() >= ends:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return value

    def put(self, key: Hashable, value: T, seconds: float) -> None:
        """Keep a value for a while."""
        self._kept[key] = self._clock() + seconds, value
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
