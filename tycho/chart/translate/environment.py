"""`environment`, `env_file`."""

from __future__ import annotations

from tycho.chart.container import Environment
from tycho.chart.translate.text import to_argument
from tycho.model import Service


def translate_environment(service: Service) -> Environment:
    """Translate the environment: what reads variables, and what is secret, stays out of the container's own text."""
    hidden = {*service.environment_secret, *service.environment_pass}
    values = {
        name: to_argument(value)
        for name, value in sorted(service.environment.items())
        if name not in hidden and value is not None
    }
    return Environment(
        values=values,
        secret=tuple(sorted(service.environment_secret)),
        passed=tuple(sorted(service.environment_pass)),
        from_file=bool(service.env_file),
    )
