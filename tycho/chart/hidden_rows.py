"""Report hidden secrets: where each went, and how plain `helm install` sets it. No secret is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tycho.chart.layout import ChartLayout
from tycho.chart.names import label
from tycho.chart.translate.key_rule import KeyRule, approximated, translated
from tycho.chart.translate.key_use import FieldPlace, locate, release_object

WHY = {"name": "its name says that it is secret", "content": "it contains a credential"}


def list_hidden_rows(layout: ChartLayout) -> Iterator[tuple[str, KeyRule]]:
    """Yield path and entry of each secret that was hidden."""
    names = {container.service for container in layout.containers}
    for entry in layout.concealed:
        if entry.variable:
            words, remedy = "a variable of the release", _describe_set(f"variables.{entry.variable}")
            yield entry.path, approximated(words, WHY[entry.why], remedy)
        elif match := next((result for result in _split_entry(entry.path) if result[0] in names), None):
            service, name = match
            remedy = _describe_set(f"services.{_escape_set_key(service)}.secretEnv.{_escape_set_key(name)}")
            places = (release_object("Secret", f"{label(service)}-env", "data"), _find_entry(layout, service, name))
            yield entry.path, translated(f"a Secret of the release: {WHY[entry.why]}", *places, remedy=remedy)


def _find_entry(layout: ChartLayout, service: str, name: str) -> FieldPlace:
    """Name an entry of the environment of a service."""
    pod = layout.pod_by_service[service]
    container = pod.find_container(service)
    return lambda _: iter([locate(pod, "container", f"env[{name}]", container)])


def _split_entry(path: str) -> Iterator[tuple[str, str]]:
    """Yield the possible pairs of service and entry of a path: the names of both may contain dots."""
    below = path.partition(".")[2]
    for match in re.finditer(r"\.environment\.", below):
        yield below[: match.start()], below[match.end() :]


def _describe_set(key: str) -> str:
    return f"tycho up sets it; helm install needs --set-string '{key}=…'"


def _escape_set_key(name: str) -> str:
    """Escape a name for a key of `--set-string`."""
    return re.sub(r"([.,\[\]=\\])", r"\\\1", name)
