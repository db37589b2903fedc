"""What every test stands on: none of the developer's own clusters, settings or variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from tycho import settings as configuration

pytest_plugins = [name for name in ("tests.cluster_fixture", "tests.judges") if find_spec(name)]

OURS = {"TYCHO_FUZZ_SECONDS", "TYCHO_GOLDEN", "TYCHO_VENV", "TYCHO_PYTHON"}

for name in [name for name in os.environ if name.startswith(("TYCHO_", "COMPOSE_", "HELM_", "KUBE"))]:
    if name not in OURS:
        del os.environ[name]
os.environ["TYCHO_QUIET_TIME"] = "0"  # what a simulated node runs never ends by itself; a test of that says otherwise
os.environ["KUBECONFIG"] = "/nonexistent/kubeconfig"  # a test names its cluster, or meets none

settings.register_profile("fast", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", parent=settings.get_profile("fast"), max_examples=5000)
if not os.environ.get("CI"):  # Hypothesis has a profile of its own for that
    settings.load_profile("fast")


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    """No test sees what an earlier one set: the program reads its environment once, and remembers.

    It is set up before every other fixture of a test and torn down after them, when the environment is as it was.
    """
    configuration.settings.cache_clear()
    yield
    configuration.settings.cache_clear()
