"""The task of the service that ends systems whose time is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tycho.lifecycle import Lifecycle
from tycho.reaping import reap_always
from tycho.settings import settings


@asynccontextmanager
async def reaping(lifecycle: Lifecycle) -> AsyncIterator[None]:
    """End systems whose time is over for as long as the service runs; with TYCHO_API_REAP=0 it ends none.

    Of several replicas each makes its passes: who comes second finds that there is nothing to do.

    Args:
        lifecycle: The verbs, as the service itself has them.
    """
    interval = settings().api_reap
    if not interval:
        yield
        return

    async def reap_later() -> None:
        await asyncio.sleep(interval)  # a service that has just begun has other things to do
        await reap_always(lifecycle, interval)

    task = asyncio.create_task(reap_later())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
