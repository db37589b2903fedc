"""What a back end keeps of a release beside its state: the chart that it was made of, and the values."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tycho.chart.chart import COMPOSE_FILE, REPORT, Chart


class StoredRelease(Struct, frozen=True):
    """One revision of a system, as it was made.

    Args:
        revision: Its number.
        values: What the release said of its own.
        defaults: What its chart says where the release does not.
        files: The chart's texts, by path.
    """

    revision: int
    values: Mapping[str, Any]
    defaults: Mapping[str, Any]
    files: Mapping[str, str]

    @property
    def compose(self) -> str:
        """The compose file that the chart was made of; "" for a chart of before there was one in it."""
        return self.files.get(COMPOSE_FILE, "")

    @property
    def report(self) -> list[dict[str, Any]]:
        """The rows of the report that tell of a change of meaning."""
        rows: list[dict[str, Any]] = json.loads(self.files.get(REPORT, "[]"))
        return rows

    @property
    def merged(self) -> dict[str, Any]:
        """All values, as Helm merges them."""
        return merge_values(self.defaults, self.values)


def merge_values(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values as Helm does: mapping by mapping, and null takes a key away."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge_values(merged[key], value)
        else:
            merged[key] = value
    return merged


def list_texts(chart: Chart) -> dict[str, str]:
    """List the texts of a chart, as a release of it holds them."""
    texts = {}
    for path, content in chart.files.items():
        with contextlib.suppress(UnicodeDecodeError):
            texts[path] = content if isinstance(content, str) else content.decode()
    return texts
