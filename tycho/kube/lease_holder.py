"""Who holds Leases: one side, by a name that is random at each start, with a clock of its own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

from tycho import workspace


@dataclass
class LeaseHolder:
    """One side that holds Leases.

    Args:
        now: Its clock, in seconds; nobody else's is ever read.
        pause: Waits for some seconds of that clock.
        held: Paths of the Leases that it holds, or is about to; true where that is for a removal.
    """

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    held: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """A random name; it begins with that of its process's folder, by which this machine knows who lives."""
        try:
            folder = workspace.root().name
        except OSError:
            folder = "tycho"
        return f"{folder}.{secrets.token_hex(8)}"
