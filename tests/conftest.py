"""What every test stands on: none of the developer's own clusters, settings or variables."""

from __future__ import annotations

import os
from importlib.util import find_spec

from hypothesis import HealthCheck, settings

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
