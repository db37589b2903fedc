"""How much one caller may ask for: a bucket of tokens for each, and no more buckets than fit."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from tycho.errors import TooManyRequests

CALLERS = 10_000
BURST = 2.0  # seconds' worth of requests that may come at once


class TooFast(TooManyRequests):
    """The caller asks more often than he may.

    Args:
        seconds: Until he may ask again.
    """

    def __init__(self, seconds: float, rate: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"more than {rate:g} requests a second", hint=f"ask again in {self.seconds} s")


class Limits:
    """Requests a second, for each caller.

    Args:
        rate: How many; 0 for any number.
        clock: Seconds that only grow.
        burst: How many may come at once; two seconds' worth by default, and one at least.
        callers: How many callers are remembered; whoever was away longest is forgotten first.
    """

    def __init__(self, rate: float, clock: Callable[[], float], *, burst: float = 0.0, callers: int = CALLERS) -> None:
        self.rate = rate
        self._clock = clock
        self._burst = burst or max(1.0, rate * BURST)
        self._callers = callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what was left, and when

    def take(self, caller: str) -> None:
        """Count a request.

        Raises:
            TooFast: It is one too many.
        """
        self.check(caller)
        self.spend(caller)

    def check(self, caller: str) -> None:
        """Refuse a request that would be one too many.

        Raises:
            TooFast: It would.
        """
        if self.rate and (left := self._left(caller)) < 1.0:
            raise TooFast((1.0 - left) / self.rate, self.rate)

    def spend(self, caller: str) -> None:
        """Count a request, even if it is one too many."""
        if not self.rate:
            return
        self._buckets[caller] = max(0.0, self._left(caller) - 1.0), self._clock()
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)

    def _left(self, caller: str) -> float:
        left, when = self._buckets.get(caller, (self._burst, self._clock()))
        return min(self._burst, left + (self._clock() - when) * self.rate)
