"""Charts into OCI registries."""

from __future__ import annotations

import os
import re

from tycho import workspace
from tycho.errors import Conflict, Forbidden, NotFound, OrchestratorError, Unauthorized
from tycho.orchestrators import Artifact
from tycho.orchestrators.helm.process import Helm

MOMENT = 315532800  # 1980-01-01, as in the archive itself
LOOPBACK = re.compile(r"oci://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$)")


async def push_chart(helm: Helm, artifact: Artifact, registry: str, *, plain_http: bool) -> str:
    """Send a packaged chart; one that is there already stays as it is.

    Args:
        helm: The program.
        artifact: The chart.
        registry: `oci://host/path`.
        plain_http: Allow no TLS; a loopback registry may do without it anyway.

    Returns:
        `host/path/chart:version@sha256:…`.

    Raises:
        Conflict: This version is there, and is something else.
        Unauthorized: The registry wants a login.
    """
    plain = ["--plain-http"] if plain_http or LOOPBACK.match(registry) else []
    chart, version, archive, where = artifact.name, artifact.version, artifact.archive(), registry.rstrip("/")
    with workspace.temporary("push") as folder:
        path, there = folder / f"{chart}-{version}.tgz", folder / "there"
        workspace.write(path, archive)
        there.mkdir()
        os.utime(path, (MOMENT, MOMENT))  # helm tells the registry of it: another moment would be another digest
        try:
            outputs = await helm.both(
                ["pull", f"{where}/{chart}", "--version", version, "--destination", str(there), *plain]
            )
        except (NotFound, Unauthorized, Forbidden):  # to many registries, what is not there is not allowed
            outputs = await helm.both(["push", str(path), where, *plain])
        else:
            if next(there.iterdir()).read_bytes() != archive:
                raise Conflict(
                    f"{where}/{chart} has a version {version} already, and it is another chart",
                    hint="give this one a version of its own: --chart-version",
                )
    both = "\n".join(outputs)
    reference = re.search(r"(?:Pushed|Pulled): (\S+)", both)
    digest = re.search(r"Digest: (sha256:[0-9a-f]{64})", both)
    if not reference or not digest:
        raise OrchestratorError("helm did not say where the chart is", hint=both.strip()[:500])
    return f"{reference[1]}@{digest[1]}"
