"""A Tycho API from Python: `TychoClient(url).start({...})`, or the same awaited with `AsyncTychoClient`.

    verb -> steps -> request -> connection -> reply -> answer

The seed's verbs answer with an object that has `.status`, `.message` and `.error`, as callers have always checked.
Those over addresses (`system(id)`, `revisions(id)`, …) return the thing itself, and raise the package's errors.
"""

from __future__ import annotations

from tycho.client.answers import TychoAnswer, TychoException, TychoService, TychoStatus, TychoSystem
from tycho.client.asynchronous import AsyncTychoClient
from tycho.client.factory import TychoClientFactory, TychoFactory
from tycho.client.progress import Progress
from tycho.client.synchronous import TychoClient

__all__ = [
    "AsyncTychoClient",
    "Progress",
    "TychoAnswer",
    "TychoClient",
    "TychoClientFactory",
    "TychoException",
    "TychoFactory",
    "TychoService",
    "TychoStatus",
    "TychoSystem",
]
