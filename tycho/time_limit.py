"""How long a verb may take, for all that it does: each request, each program and each wait takes its time from that.

What is left when the time is over has a moment of grace, in which a verb tidies up and says why it ends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
GRACE = 15.0  # seconds that tidying up may take in all, once the time is over
LEAST = 2.0  # seconds that a single step gets near the end and after it, within the grace
_END: ContextVar[float] = ContextVar("end", default=math.inf)  # of the monotonic clock


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Bound all that is done meanwhile; within another limit, the one that ends first counts.

    Args:
        seconds: From now on.
    """
    before = _END.get()
    _END.set(min(before, time.monotonic() + seconds))
    try:
        yield
    finally:
        _END.set(before)


@contextmanager
def begin_anew(seconds: float) -> Iterator[None]:
    """Bound all that is done meanwhile by a time of its own, whatever limit there was.

    Args:
        seconds: From now on.
    """
    before = _END.get()
    _END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _END.set(before)


@contextmanager
def stop_clock() -> Iterator[None]:
    """Let what is done meanwhile take no time from the limit, as the building of images does."""
    end, began = _END.get(), time.monotonic()
    _END.set(math.inf)
    try:
        yield
    finally:
        _END.set(end + time.monotonic() - began)


def time_left() -> float:
    """Return the seconds that are left: 0 when the time is over, infinitely many without a limit."""
    return max(0.0, _END.get() - time.monotonic())


def step_time(most: float) -> float:
    """Return the seconds that a step may take.

    Args:
        most: Where the limit allows that.

    Example:
        >>> with limit_time(300):
        ...     step_time(60), round(step_time(600))
        (60, 300)
    """
    until_end = _END.get() - time.monotonic()
    return max(0.001, min(most, max(until_end, min(LEAST, until_end + GRACE))))


def within_timeout(verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Bound a verb by the `timeout` of its `wait_options`."""

    @wraps(verb)
    async def bounded(*args: P.args, **kwargs: P.kwargs) -> T:
        options: Any = kwargs["wait_options"]
        with limit_time(options.timeout):
            return await verb(*args, **kwargs)

    return bounded
