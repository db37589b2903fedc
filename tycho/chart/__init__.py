"""Woven -> Chart: what a system becomes on Kubernetes, as a Helm chart."""

from __future__ import annotations

from tycho.chart.artifact import Chart, Row

__all__ = ["Chart", "Row"]
