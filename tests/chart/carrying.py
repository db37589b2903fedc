"""What the tests of files that travel share: a project on a disk, its chart, and the files of a pod."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart.conftest import Objects
from tycho.chart import Chart, emit
from tycho.compose import Sources, load
from tycho.errors import ComposeError, Problem
from tycho.policy import apply_policies


def sources(project: Path, text: str, files: Mapping[str, str] | None = None, **more: Any) -> Sources:
    for path, content in {"compose.yaml": text, **(files or {})}.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(content)
    env = more.pop("env", {})
    return Sources.from_disk(["compose.yaml"], cwd=str(project), env=env, name="demo", **more)


def compiled(project: Path, text: str, files: Mapping[str, str] | None = None, **more: Any) -> Chart:
    return emit(apply_policies(load(sources(project, text, files, **more))))


def problems(project: Path, text: str, files: Mapping[str, str] | None = None, **more: Any) -> list[Problem]:
    with pytest.raises(ComposeError) as error:
        compiled(project, text, files, **more)
    assert all(problem.hint and problem.line for problem in error.value.problems)
    return list(error.value.problems)


def bind(*volumes: str) -> str:
    return f"services:\n  web:\n    image: x\n    volumes: {json.dumps(volumes)}\n"


def reasons(chart: Chart, path: str = "services.web.volumes[0]") -> list[tuple[str, str]]:
    return [(row.outcome, row.reason) for row in chart.report if row.path == path]


def whole(chart: Chart) -> bytes:
    contents = (content.encode() if isinstance(content, str) else content for content in chart.files.values())
    return b"\n".join((*map(str.encode, chart.files), *contents, repr(chart.report).encode()))


def seen(objects: Objects, name: str) -> dict[str, tuple[bytes, int, str]]:
    """The files of a pod as its first container sees them: path, content, mode, and the kind of object."""
    pod, files = objects.pod(name), {}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in pod["containers"][0]["volumeMounts"]:
        volume = volumes[mount["name"]]
        for source in volume.get("projected", {}).get("sources", [volume]):
            kind = "secret" if "secret" in source else "configMap"
            projection = source[kind]
            name_there = projection.get("secretName") or projection["name"]
            stored = objects.find("Secret" if kind == "secret" else "ConfigMap", name_there)
            held = {key: value.encode() for key, value in (stored.get("data") or {}).items()}
            if kind == "secret":
                held = {key: base64.b64decode(value) for key, value in held.items()}
            for entry in projection["items"]:
                path = mount["mountPath"] if "subPath" in mount else f"{mount['mountPath']}/{entry['path']}"
                assert mount.get("subPath", entry["path"]) == entry["path"]
                files[path] = (held[entry["key"]], entry["mode"], kind)
    return files
