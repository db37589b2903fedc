"""What all routes have in common: the errors that they may answer, and the way from a message to a verb."""

from __future__ import annotations

from typing import Any

from tycho.api.answers import Envelope, Failure
from tycho.api.dependencies import Charts
from tycho.api.messages import Compile
from tycho.api.queries import LONGEST_WAIT
from tycho.lifecycle import Compiled as Chart
from tycho.model import ServiceMetadata
from tycho.orchestrators import WaitOptions

FAILURES: dict[int | str, dict[str, Any]] = {
    429: {
        "model": Envelope[Failure],
        "description": "Too many requests of this caller wait already.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    },
    "4XX": {"model": Envelope[Failure], "description": "The request is wrong, or refused."},
    "5XX": {"model": Envelope[Failure], "description": "The cluster, or Helm, said no."},
}


async def compile_system(charts: Charts, message: Compile) -> Chart:
    """Compile what a message holds, apart from the service."""
    env = {key: value for key, value in message.env.items() if value is not None}
    metadata = {
        name: ServiceMetadata(port=about.port, clients=tuple(about.clients)) for name, about in message.services.items()
    }
    files = {path: (file.data, file.executable) for path, file in message.files.items()}
    return await charts.compile({**message.system, "name": message.name}, env, metadata, files)


def wait_options(seconds: float = LONGEST_WAIT, *, wait: bool = True) -> WaitOptions:
    """Return how long a verb may take.

    Args:
        seconds: For the whole verb; 0 is no waiting for the system.
        wait: Whether to wait for the system at all.
    """
    return WaitOptions(wait=wait and seconds > 0, timeout=seconds or LONGEST_WAIT)


def list_warnings(compiled: Chart) -> list[Any]:
    """List what was noticed of a document."""
    return [*compiled.policy_result.system.warnings, *compiled.policy_result.warnings]
