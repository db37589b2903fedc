"""The README of a chart names values: each has its effect, whatever the chart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.test_cluster import OURS, read
from tycho.chart import emit, release_values
from tycho.policy import apply_policies

EDITS: Mapping[str, str] = {  # a value of the README: what to set it to, behind its name and an equals sign
    "services.NAME.image.tag": '"other"',
    "services.NAME.replicas": "7",
    "services.NAME.resources": '{"limits":{"memory":"77Mi"}}',
    "services.NAME.env": '{"OTHER":"1"}',
    "services.NAME.service.type": '"NodePort"',
    "services.NAME.ingress.enabled": "true",
    "services.NAME.httpRoute": '{"enabled":true,"parentRefs":[{"name":"theirs"}]}',
    "defaults.resources": '{"limits":{"example.com/fpga":"1"}}',
    "defaults.nodeSelector": '{"disk":"ssd"}',
    "defaults.imagePullSecrets": '[{"name":"theirs"}]',
    "global.imageRegistry": '"mirror.example"',
    "podSecurity": '"restricted"',
    "paused": "true",
    "dns.scope": '"release"',
    "variables.NAME": '"7"',
    "secrets.NAME.value": '"b3RoZXI="',
    "secrets.NAME.existingSecret": '"theirs"',
    "persistence.NAME.existingClaim": '"theirs"',
    "persistence.NAME.size": '"77Gi"',
    "persistence.NAME.storageClass": '"quick"',
    "networkPolicy.enabled": "false",
}
ROW = re.compile(r"\| ((?:`[\w.]+`(?:, )?)+) \| .* \| (.*) \|")
TABLE = "| value | default | |"


def list_values(readme: str) -> list[str]:
    """List the values that a README names."""
    _, _, table = readme.partition(TABLE)
    return [key for row in ROW.finditer(table) for key in re.findall(r"`([\w.]+)`", row[1])]


def list_names(values: Mapping[str, Any], key: str) -> Iterator[str]:
    """List the keys of values that a key of a README stands for, where they do something."""
    above, named, below = key.partition(".NAME")
    if not named:
        yield key
        return
    for name, entry in values[above].items():
        path = below.removeprefix(".")
        if above == "services" and path.split(".")[0] not in {"image", "resources", "env"}:
            applies = path.split(".")[0] in entry
        elif path in {"size", "storageClass"}:
            applies = not entry["existingClaim"]
        else:
            applies = True
        if applies:
            yield f"{above}.{name}{below}"


def edit(values: Any, name: str, key: str) -> str:
    """Tell what to set: what is on is switched off."""
    for part in name.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return f"{name}=false" if values is True else f"{name}={EDITS[key]}"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.parent.name)
def test_each_value_has_its_effect(bench: Any, path: Path) -> None:
    policy_result = apply_policies(read(path))
    chart, release = emit(policy_result), release_values(policy_result.system, guid="0" * 32)
    values = yaml.safe_load(chart.files["values.yaml"])
    plain = bench.render(chart, release)
    keys = list_values(str(chart.files["README.md"]))
    assert len(keys) >= 8
    for key in keys:
        names = list(list_names(values, key))
        assert names, key
        for name in names:
            assert bench.render(chart, release, "--set-json", edit(values, name, key)) != plain, name


def test_edits_use_values_of_readme() -> None:
    named = {key for path in OURS for key in list_values(str(emit(apply_policies(read(path))).files["README.md"]))}
    assert named == set(EDITS)
