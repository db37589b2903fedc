"""`tycho compile`: a chart or what would become of it, for people and for programs; no cluster is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TYCHO = Path(sys.executable).with_name("tycho")
COMPOSE = """\
services:
  web:
    image: nginx:1
    ports: ["8080:80"]
    cpuset: "0"
    labels: {a: b}
  db:
    image: postgres:16
    restart: "no"
    healthcheck: {test: "true"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return tmp_path


def tycho(folder: Path, *argv: str, rc: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([TYCHO, "compile", *argv], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == rc, done.stderr
    return done


def test_the_report_as_data(folder: Path) -> None:
    rows = json.loads(tycho(folder, "--format", "json", "-o", "chart").stdout)
    assert {row["path"]: (row["file"], row["line"], row["outcome"]) for row in rows} == {
        "services.web.cpuset": ("compose.yaml", 5, "ignored"),
        "services.db.restart": ("compose.yaml", 9, "approximated"),
    }
    assert all(row["reason"] and row["remedy"] for row in rows)
    all_rows = json.loads(tycho(folder, "--report", "--format", "json").stdout)
    carried = json.loads((folder / "chart" / "tycho-report.json").read_text())
    assert carried == [
        {key: value for key, value in row.items() if value} for row in all_rows if row["outcome"] != "translated"
    ]
    assert "services.web.image" in {row["path"] for row in all_rows if row["outcome"] == "translated"}


OF_CLUSTERS = ("asyncio", "http", "ssl", "tycho.kube", "tycho.lifecycle", "tycho.orchestrators.helm", "tycho.toolchain")
PROGRAM = "import sys, tycho.cli\ntry: tycho.cli.app()\nfinally: print(*sys.modules, sep='\\n', file=sys.stderr)"


@pytest.mark.parametrize(
    "argv",
    [("compile", "-o", "chart"), ("compile", "--explain"), ("package", "-d", "dist"), ("config",)],
    ids=" ".join,
)
def test_what_asks_no_cluster_imports_nothing_that_would(folder: Path, argv: tuple[str, ...]) -> None:
    """Such a command is as quick as reading and writing files allow, however much running a system takes."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *argv], cwd=folder, capture_output=True, text=True, check=True
    )
    imported = done.stderr.split()
    assert "tycho.compose" in imported
    assert [name for name in imported if f"{name}.".startswith(tuple(f"{part}." for part in OF_CLUSTERS))] == []


def test_strict_tells_every_key_at_once(folder: Path) -> None:
    stderr = tycho(folder, "--strict", "-o", "chart", rc=12).stderr
    assert "compose.yaml:5" in stderr
    assert "compose.yaml:9" in stderr
    assert not (folder / "chart").exists()


def test_what_the_policies_did(folder: Path) -> None:
    lines = tycho(folder, "--explain").stdout.splitlines()
    assert lines[0].split() == ["POLICY", "APPLIES", "TO", "CHANGES"]
    assert ["10-hardening.yaml", "services.web", "security_opt"] in [line.split() for line in lines]
    steps = json.loads(tycho(folder, "--explain", "--format", "json").stdout)
    assert {"policy": "10-hardening.yaml", "subject": "services.db", "changes": ["services.db.security_opt"]} in steps


def test_a_refused_system_can_be_explained(folder: Path) -> None:
    (folder / "compose.yaml").write_text("services: {web: {image: nginx, privileged: true}}")
    policies = folder / "policies"
    policies.mkdir()
    (policies / "90-ours.yaml").write_text("description: None of it.\nmatch: {has: privileged}\ndeny: not here\n")
    assert "not here" in tycho(folder, "--policies", "policies", rc=21).stderr
    done = tycho(folder, "--policies", "policies", "--explain")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("90-ours.yaml")]
    assert line.split() == ["90-ours.yaml", "services.web", "refuses", "privileged"]
    assert "without --explain says why" in done.stderr
    steps = json.loads(tycho(folder, "--policies", "policies", "--explain", "--format", "json").stdout)
    assert [step["denied"] for step in steps if "denied" in step] == [["services.web.privileged"]] * 2


def test_metadata_for_a_service_that_is_not_there(folder: Path) -> None:
    (folder / "metadata.yaml").write_text("wbe: {port: 80}")
    for further in ((), ("--explain",)):
        assert "wbe" in tycho(folder, "--metadata", "metadata.yaml", *further, rc=2).stderr
