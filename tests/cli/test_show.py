"""`tycho show`: the compose file, the values and the chart of what runs, of a cluster and of a service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.api.conftest import Service, serving
from tests.cli.conftest import Run

pytestmark = pytest.mark.xdist_group("cluster")

FILE = """
name: corner
services:
  web:
    image: nginx:${TAG:-1}
    environment: {API_TOKEN: "planted-1"}
    volumes: ["./conf:/conf:ro"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/a.bin").write_bytes(b"\xff\x00")
    return tmp_path


@pytest.fixture(scope="module")
def service(kubeconfig: Path, helm: Path) -> Iterator[Service]:
    with serving(KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm), TYCHO_QUIET_TIME="0") as running:
        yield running


def test_what_runs_is_shown_and_written(tycho: Run, tool: Run, folder: Path, service: Service) -> None:
    tycho("up")
    tycho("up", TAG="2")
    far = ("--service", service.url)
    text = tycho("show").stdout
    document = yaml.safe_load(text)
    assert document["services"]["web"]["image"] == "nginx:${TAG:-1}"
    assert json.loads(tycho("show", "corner", "--compose", "-o", "json").stdout) == document
    assert tycho("show", *far).stdout == text
    assert yaml.safe_load(tycho("show", "--values").stdout)["variables"] == {"TAG": "2"}
    assert "variables" not in yaml.safe_load(tycho("show", "--values", "--revision", "1").stdout)
    assert "defaults" in yaml.safe_load(tycho("show", "--values", "--all").stdout)
    listed = tycho("show", "--chart").stdout
    assert tycho("show", "--chart", *far).stdout == listed
    assert [line.split()[0] for line in listed.splitlines()[:2]] == ["FILE", "Chart.yaml"]
    for number, words in enumerate(((), far)):
        assert tycho("show", "--chart", "-O", f"chart-{number}", *words).stdout == f"chart-{number}\n"
    written = [
        {path.relative_to(chart).as_posix(): path.read_bytes() for path in chart.rglob("*") if path.is_file()}
        for chart in (folder / "chart-0", folder / "chart-1")
    ]
    assert written[0] == written[1]
    assert b"\xff\x00" in written[0].values()
    assert "planted" not in text + listed + str(written[0])
    assert "kind: Deployment" in tool("helm", "template", "x", folder / "chart-0", "--set",
                                      "services.web.secretEnv.API_TOKEN=x").stdout  # fmt: skip


def test_one_part_is_shown_at_a_time(tycho: Run, folder: Path) -> None:
    assert "--values and --chart exclude each other" in tycho("show", "--values", "--chart", rc=2).stderr
    assert "--all goes with --values" in tycho("show", "--all", rc=2).stderr
    assert "--output-dir goes with --chart" in tycho("show", "-O", "x", rc=2).stderr
    assert "corner (compose.yaml of this folder) does not run" in tycho("show", rc=32).stderr
