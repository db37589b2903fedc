"""`--metadata FILE`: what belongs to an environment goes into its values, never into the chart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TYCHO = Path(sys.executable).with_name("tycho")
COMPOSE = """\
services:
  web: {image: "nginx:${TAG:-1}", ports: ["8080:80"], env_file: web.env}
  api: {image: api, ports: ["3000:3000"]}
"""
PRODUCTION = """\
web: {port: 80, clients: [10.1.2.3], values: {replicas: 3, resources: {limits: {memory: 1Gi}}, envFile: {MORE: z}}}
api: {values: {image: {tag: "7"}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "web.env").write_text("KEY=s3cret\n")
    (tmp_path / "production.yaml").write_text(PRODUCTION)
    return tmp_path


def compile_(folder: Path, *argv: str, rc: int = 0) -> str:
    done = subprocess.run(
        [TYCHO, "compile", *argv], cwd=folder, capture_output=True, text=True, check=False, env={"TAG": "7"}
    )
    assert done.returncode == rc, done.stderr
    return done.stderr


def rendered(helm: Path, folder: Path) -> dict[tuple[str, str], Any]:
    argv = [helm, "template", "rel", folder / "chart", "--values", folder / "values.yaml"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        (manifest["kind"], manifest["metadata"]["name"]): manifest
        for manifest in yaml.safe_load_all(done.stdout)
        if manifest
    }


def test_one_chart_and_the_values_of_an_environment(folder: Path, helm: Path) -> None:
    compile_(folder, "-o", "plain")
    compile_(folder, "-o", "chart", "--metadata", "production.yaml", "--values", "values.yaml")
    for path in (folder / "plain").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (folder / "chart" / path.relative_to(folder / "plain")).read_bytes()
    assert (folder / "values.yaml").stat().st_mode & 0o777 == 0o600
    objects = rendered(helm, folder)
    web = objects["Deployment", "rel-web"]["spec"]
    assert web["replicas"] == 3
    assert web["template"]["spec"]["containers"][0]["image"] == "nginx:7"
    assert web["template"]["spec"]["containers"][0]["resources"] == {"limits": {"memory": "1Gi"}}
    assert set(objects["Secret", "rel-web-env-file"]["data"]) == {"KEY", "MORE"}
    assert objects["Deployment", "rel-api"]["spec"]["template"]["spec"]["containers"][0]["image"] == "api:7"
    assert objects["Service", "rel-web-published"]["spec"]["loadBalancerSourceRanges"] == ["10.1.2.3/32"]
    assert ("Service", "rel-api-published") not in objects  # web alone is said to be published


def test_values_alone_publish_and_hide_nothing(folder: Path, helm: Path) -> None:
    (folder / "staging.yaml").write_text("web: {values: {replicas: 2}}")
    compile_(folder, "-o", "chart", "--metadata", "staging.yaml", "--values", "values.yaml")
    objects = rendered(helm, folder)
    assert {("Service", "rel-web-published"), ("Service", "rel-api-published")} <= set(objects)
    (folder / "empty.yaml").write_text("api: {}")
    compile_(folder, "-o", "chart", "--metadata", "empty.yaml", "--values", "values.yaml")
    assert ("Service", "rel-web-published") not in rendered(helm, folder)


def test_the_values_are_readable_by_nobody_else_even_where_a_file_was(folder: Path) -> None:
    (folder / "values.yaml").write_text("old")
    (folder / "values.yaml").chmod(0o644)
    compile_(folder, "-o", "chart", "--values", "values.yaml")
    assert (folder / "values.yaml").stat().st_mode & 0o777 == 0o600
    assert "No such file" in compile_(folder, "--values", "nowhere/values.yaml", rc=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web:\n  prot: 80\n", ("wrong.yaml:2", "web.prot: no such key", 'did you mean "port"?')),
        ("web:\n  port: 80\napi:\n  port: 90000\n", ("wrong.yaml:4", "api.port", "a number from 1 to 65535")),
        ("web:\n  clients:\n    - 10.0.0.0/8\n    - home\n", ("wrong.yaml:4", "web.clients.1", "192.0.2.7")),
        ("web: 80\n", ("wrong.yaml:1", "web", "{web: {port: 80}}")),
        ("- web\n", ("wrong.yaml:1", "{web: {port: 80}}")),
        ("{", ("wrong.yaml is not YAML",)),
    ],
)
def test_what_is_wrong_with_it_and_where(folder: Path, text: str, expected: tuple[str, ...]) -> None:
    (folder / "wrong.yaml").write_text(text)
    refused = compile_(folder, "--metadata", "wrong.yaml", rc=2)
    for part in expected:
        assert part in refused
