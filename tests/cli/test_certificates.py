"""Certificates of a kubeconfig are read once, and what is wrong with them is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tycho.errors import UsageError
from tycho.kube.client import KubeClient


def client(folder: Path, **cluster: str) -> KubeClient:
    path = folder / "kubeconfig"
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here"}}],
        "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
    }
    path.write_text(json.dumps(config))
    return KubeClient(str(path))


@pytest.mark.parametrize("content", ["", "no certificate", None], ids=["empty", "text", "absent"])
def test_a_certificate_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.crt").write_text(content)
    with pytest.raises(UsageError, match="a certificate or key cannot be read"):
        client(tmp_path, **{"certificate-authority": str(tmp_path / "ca.crt")}).request("GET", "/version")
