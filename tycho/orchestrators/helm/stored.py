"""A release as Helm has stored it, read back: its chart and its values.

Source: helm.sh/helm/v4 `pkg/release/v1` and `pkg/chart/v2`: templates and files in base64, metadata and values as JSON.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from tycho.chart import Chart
from tycho.chart.yaml_writer import dump
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm import releases
from tycho.release import Identity
from tycho.stored import StoredRelease


async def read_stored(api: KubeClient, identity: Identity, revision: int) -> StoredRelease:
    """Read one revision of a release.

    Args:
        api: The cluster.
        identity: Which system.
        revision: Its number.

    Raises:
        NotFound: There is no such revision.
    """
    return to_stored(await releases.read_payload(api, identity, revision), revision)


def to_stored(stored: KubeObject, revision: int) -> StoredRelease:
    """Convert what Helm stored of a revision.

    Args:
        stored: Its payload.
        revision: Its number.
    """
    texts = {path: text for path, content in chart_files(stored).items() if (text := _text(content)) is not None}
    chart = stored.get("chart") or {}
    return StoredRelease(revision, stored.get("config") or {}, chart.get("values") or {}, texts)


def chart_files(stored: KubeObject) -> dict[str, bytes]:
    """List the files of a stored chart as they were, its metadata and values apart.

    Args:
        stored: What Helm stored of a revision.
    """
    chart: dict[str, Any] = stored.get("chart") or {}
    files = [*(chart.get("templates") or ()), *(chart.get("files") or ())]
    content = {str(file["name"]): b64decode(file.get("data") or "") for file in files}
    if schema := chart.get("schema"):
        content["values.schema.json"] = b64decode(schema)
    return content


def rebuild_chart(stored: KubeObject) -> Chart:
    """Make a chart again of what Helm has stored of it; what policies granted to it is not stored.

    Args:
        stored: What Helm stored of a revision.
    """
    chart: dict[str, Any] = stored["chart"]
    metadata: dict[str, Any] = chart["metadata"]
    made = {"Chart.yaml": dump(metadata), "values.yaml": dump(chart.get("values") or {})}
    return Chart(str(metadata["name"]), str(metadata["version"]), {**made, **chart_files(stored)})


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
