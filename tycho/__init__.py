"""Compile Docker Compose systems into Helm charts, and run them as releases.

    text -> load -> Project -> apply_policies -> PolicyResult -> emit -> Chart -> orchestrator -> Release

The names below are the public API; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tycho import errors
    from tycho.chart import Chart, emit
    from tycho.client import TychoClient
    from tycho.compose import Sources, load
    from tycho.lifecycle import Lifecycle
    from tycho.model import Project
    from tycho.policy import apply_policies

__version__ = "0.1.0"

__all__ = [
    "Chart",
    "Lifecycle",
    "Project",
    "Sources",
    "TychoClient",
    "apply_policies",
    "compile",
    "emit",
    "errors",
    "load",
]

_HOME = {
    "Chart": "chart",
    "Lifecycle": "lifecycle",
    "Sources": "compose",
    "Project": "model",
    "TychoClient": "client",
    "emit": "chart",
    "load": "compose",
    "apply_policies": "policy",
}


def compile(sources: Sources, *, policies: Sequence[Path] = (), strict: bool = False, version: str = "") -> Chart:
    """Compose text to a Helm chart, straight through; touches no cluster.

    Args:
        sources: The compose files and the environment around them.
        policies: Folders of policies, after the shipped one.
        strict: Whether an approximated or ignored key is an error.
        version: The chart's version, SemVer 2; made of its content by default.

    Raises:
        ComposeError: With every problem of the files.
        PolicyError: A policy is broken, or refuses the system.
    """
    load, apply_policies, emit = (__getattr__(name) for name in ("load", "apply_policies", "emit"))
    chart: Chart = emit(apply_policies(load(sources), folders=policies), strict=strict, version=version)
    return chart


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: the command line must not pay for what it does not use."""
    if name == "errors":
        return import_module("tycho.errors")
    if name in _HOME:
        return getattr(import_module(f"tycho.{_HOME[name]}"), name)
    raise AttributeError(f"module 'tycho' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, so that a prompt can complete them before they are imported."""
    return [*globals(), *_HOME]
