"""Fields that the API server does not know are refused by it, though helm does not ask first whether it would."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.orchestrators.conftest import Kubectl
from tycho.errors import OrchestratorError
from tycho.orchestrators import Target
from tycho.orchestrators.helm.process import Helm
from tycho.orchestrators.helm.recovery import NO_QUESTION, list_options
from tycho.settings import settings

pytestmark = pytest.mark.xdist_group("cluster")
KNOWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {key: {{ .Values.key }}}\n"
UNKNOWN = KNOWN + "date: {key: text}\n"


def test_helm_has_unknown_fields_refused(
    kubeconfig: Path, helm: Path, shared: str, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYCHO_HELM", str(helm))
    settings.cache_clear()
    template = tmp_path / "templates/it.yaml"
    template.parent.mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n")

    async def story() -> None:
        program = Helm(Target(kubeconfig=str(kubeconfig)))

        async def make(verb: str, release: str, manifest: str, key: str) -> None:
            template.write_text(manifest)
            options = await list_options(verb)
            assert NO_QUESTION in options
            await program.run([verb, release, str(tmp_path), "-n", shared, "--set", f"key={key}", *options])

        try:
            with pytest.raises(OrchestratorError, match="date: field not declared"):
                await make("install", "first", UNKNOWN, "a")
            await make("install", "second", KNOWN, "b")
            with pytest.raises(OrchestratorError, match="date: field not declared"):
                await make("upgrade", "second", UNKNOWN, "c")
        finally:
            program.close()

    asyncio.run(story())
    assert kubectl("get", "configmap", "it", "-n", shared, "-o", "jsonpath={.data.key}") == "b"
