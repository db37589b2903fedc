"""Charts into OCI registries."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from tycho.errors import OrchestratorError
from tycho.orchestrators.helm.process import Helm

MOMENT = 315532800  # 1980-01-01, as in the archive itself
LOOPBACK = re.compile(r"oci://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$)")


async def push(helm: Helm, archive: bytes, name: str, registry: str, *, plain_http: bool) -> str:
    """Send a packaged chart.

    Args:
        helm: The program.
        archive: The `.tgz`.
        name: `<chart>-<version>`, for the file.
        registry: `oci://host/path`.
        plain_http: Allow no TLS; a loopback registry may do without it anyway.

    Returns:
        `host/path/chart:version@sha256:…`.
    """
    with tempfile.TemporaryDirectory(prefix="tycho-push-") as folder:
        path = Path(folder) / f"{name}.tgz"
        path.write_bytes(archive)
        os.utime(path, (MOMENT, MOMENT))  # helm tells the registry of it: another moment would be another digest
        argv = ["push", str(path), registry.rstrip("/")]
        if plain_http or LOOPBACK.match(registry):
            argv.append("--plain-http")
        out, err = await helm.both(argv)
    said = f"{out}\n{err}"
    reference, digest = re.search(r"Pushed: (\S+)", said), re.search(r"Digest: (sha256:[0-9a-f]{64})", said)
    if not reference or not digest:
        raise OrchestratorError("helm pushed the chart, and did not say where", hint=said.strip()[:500])
    return f"{reference[1]}@{digest[1]}"
