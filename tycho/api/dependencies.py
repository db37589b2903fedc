"""What a route is given: the verbs, and the sandbox that compiles."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from tycho.lifecycle import Lifecycle
from tycho.sandbox import Sandbox


def _lifecycle(request: Request) -> Lifecycle:
    found: Lifecycle = request.app.state.lifecycle
    return found


def _sandbox(request: Request) -> Sandbox:
    found: Sandbox = request.app.state.sandbox
    return found


Verbs = Annotated[Lifecycle, Depends(_lifecycle)]
Charts = Annotated[Sandbox, Depends(_sandbox)]
