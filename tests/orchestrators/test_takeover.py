"""Two orchestrators on one cluster: what the first does not bring to an end, the second does."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tests.orchestrators.elsewhere import Elsewhere
from tycho.errors import OperationInProgress
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Target
from tycho.orchestrators.helm import HelmOrchestrator, lease
from tycho.settings import settings

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


def test_a_start_that_hangs_is_stopped_with_its_helm_and_done_by_another(
    tell: Tell, shared: str, kubectl: Kubectl, kubeconfig: Path, helm: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two orchestrators: the first one's helm does not come to an end, and nobody renews its Lease."""
    hanging = tmp_path / "helm"
    hanging.write_text(f"""#!/bin/sh
if [ "$1" = install ] && mkdir {tmp_path}/once 2>/dev/null; then echo $$ > {tmp_path}/pid; exec sleep 600; fi
exec {helm} "$@"
""")
    hanging.chmod(0o755)
    os.mkfifo(tmp_path / "pid")

    async def story(lifecycle: Lifecycle) -> None:
        monkeypatch.setenv("TYCHO_HELM", str(hanging))
        settings.cache_clear()
        first = lifecycle.orchestrator
        assert isinstance(first, HelmOrchestrator)
        target = Target(kubeconfig=str(kubeconfig), namespace=shared)
        second = HelmOrchestrator(target)
        first.api.lease_holder, second.api.lease_holder = Elsewhere("first"), Elsewhere("second")
        guid = "7" * 32
        starting = asyncio.create_task(lifecycle.up(compiled(lifecycle, web()), guid=guid, wait_options=QUICK))
        number = int(await asyncio.to_thread((tmp_path / "pid").read_text))  # a pipe: it waits until helm is there
        other = Lifecycle(second, target)
        release = await other.up(compiled(other, web()), guid=guid, wait_options=QUICK)
        assert release.ready
        await first.api.lease_holder.turn(lease.RENEW)
        with pytest.raises(OperationInProgress, match="was taken over"):
            await starting
        assert not Path(f"/proc/{number}").exists()
        (deployment,) = json.loads(kubectl("get", "deployments", "-n", shared, "-o", "json"))["items"]
        assert deployment["metadata"]["labels"]["app.kubernetes.io/instance"] == release.identity.release
        await second.close()

    tell(story, shared)
