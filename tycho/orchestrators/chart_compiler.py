"""Compile for back ends that run charts, with nothing of what runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tycho.chart import Chart, emit

if TYPE_CHECKING:
    from tycho.model import PolicyResult


class ChartCompiler:
    """Compiles a project into a chart."""

    not_supported: ClassVar[frozenset[str]] = frozenset()

    def compile(self, policy_result: PolicyResult, *, strict: bool = False, version: str = "") -> Chart:
        """Compile a project with its policies applied into a chart."""
        return emit(policy_result, strict=strict, version=version)
