"""The known name that is most like a wrong one, for as many wrong names as anybody would read.

Comparing names is the dearest thing that a problem can cost: thousands of unknown names among thousands of known ones
would take minutes. So each load has a number of comparisons; when they are used up, problems come without that hint.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_COMPARISONS = 30_000  # of one load
MAX_NAME = 100  # characters: comparing takes the square of them
_left = ContextVar("comparisons that are left", default=MAX_COMPARISONS)


@contextmanager
def limited_comparisons() -> Iterator[None]:
    """Give what happens inside a number of comparisons of its own."""
    token = _left.set(MAX_COMPARISONS)
    try:
        yield
    finally:
        _left.reset(token)


def nearest(name: str, known: Collection[str]) -> str:
    """Make a hint with the known name that is most like this one.

    Args:
        name: A name that nobody knows.
        known: Those that could be meant.

    Returns:
        The hint, or "" where no name is like it, or no comparison is left.
    """
    left = _left.get()
    if len(name) > MAX_NAME or len(known) > left:
        return ""
    _left.set(left - len(known))
    candidates = [candidate for candidate in known if candidate != name and len(candidate) <= MAX_NAME]
    close = difflib.get_close_matches(name, candidates, 1, 0.6)
    return f'did you mean "{close[0]}"?' if close else ""
