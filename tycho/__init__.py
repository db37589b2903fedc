"""Compile Docker Compose systems into Helm charts, and run them as releases.

    text -> load -> System -> weave -> Woven -> emit -> Chart -> orchestrator -> Release

The names below are the public API; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tycho import errors
    from tycho.chart import Chart, emit
    from tycho.client import TychoClient
    from tycho.compose import Sources, load
    from tycho.lifecycle import Lifecycle
    from tycho.model import System
    from tycho.policy import weave

__version__ = "0.1.0"

__all__ = [
    "Chart",
    "Lifecycle",
    "Sources",
    "System",
    "TychoClient",
    "emit",
    "errors",
    "load",
    "weave",
]

_HOME = {
    "Chart": "chart",
    "Lifecycle": "lifecycle",
    "Sources": "compose",
    "System": "model",
    "TychoClient": "client",
    "emit": "chart",
    "load": "compose",
    "weave": "policy",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: the command line must not pay for what it does not use."""
    if name == "errors":
        return import_module("tycho.errors")
    if name in _HOME:
        return getattr(import_module(f"tycho.{_HOME[name]}"), name)
    raise AttributeError(f"module 'tycho' has no attribute {name!r}")
