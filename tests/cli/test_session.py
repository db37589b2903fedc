"""Whole sessions at a terminal, on a real API server with a real Helm."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import NOTEBOOK, SHOP, TYCHO, Run

pytestmark = pytest.mark.xdist_group("cluster")


def objects(tool: Run, guid: str) -> list[str]:
    """Every object of every listable kind that carries a system's GUID, or lies in a namespace that does."""
    kinds = tool("kubectl", "api-resources", "--verbs=list", "-o", "name").stdout.split()
    listed = tool(
        "kubectl",
        "get",
        ",".join(kinds),
        "-A",
        "-l",
        f"tycho-guid={guid}",
        "-o",
        "name",
        "--ignore-not-found",
    )
    return listed.stdout.split()


def test_the_session_that_everybody_reads_first(tycho: Run, tool: Run, env: dict[str, str], tmp_path: Path) -> None:
    shutil.copy(NOTEBOOK, tmp_path)
    tycho("up", "-f", "docker-compose.yaml")
    header, row = tycho("status").stdout.splitlines()
    assert header.split()[:4] == ["SYSTEM", "GUID", "IP_ADDRESS", "PORT"]
    guid = tycho("status", "-terse").stdout.strip()
    assert re.fullmatch("[0-9a-f]{32}", guid)
    assert tycho("status", "--terse").stdout.strip() == guid
    assert row.split()[1] == guid
    shell = "tycho status | grep jupyter | grep -v PORT | awk '{ print $4 }'"
    port = subprocess.run(
        ["sh", "-c", shell],
        env={**env, "PATH": f"{TYCHO.parent}:{env['PATH']}"},
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert 30000 <= int(port) <= 32767
    assert objects(tool, guid)
    namespace = row.split()[5]
    assert tycho("down", guid).stdout.split() == [guid]
    assert tycho("status").stdout.strip() == "None running"
    assert objects(tool, guid) == []
    assert tool("kubectl", "get", "namespace", namespace, rc=1).stderr.count("not found")


def test_down_with_nothing_to_mean_says_so(tycho: Run) -> None:
    done = tycho("down")
    assert done.stdout == ""
    assert done.stderr.startswith("nothing to remove: no system is named, and there is no compose file here")


def test_helm_and_tycho_see_the_same_release(tycho: Run, tool: Run) -> None:
    tycho("up", "-f", SHOP, WEB_PORT="8123")
    (release,) = json.loads(tycho("status", "-o", "json").stdout)
    listed = json.loads(tool("helm", "list", "-A", "-o", "json").stdout)
    assert [row["name"] for row in listed if row["namespace"] == release["namespace"]] == [release["release"]]
    values = yaml.safe_load(tool("helm", "get", "values", release["release"], "-n", release["namespace"]).stdout)
    assert values["USER-SUPPLIED VALUES"] is None  # helm's heading of what follows
    assert values["variables"]["WEB_PORT"] == "8123"
    assert release["is_ready"]
    assert {service["name"] for service in release["services"]} == {"web", "api", "db"}


def test_upgrade_history_and_rollback(tycho: Run, tool: Run, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {image: 'nginx:1.27', ports: ['8080:80']}}\n")
    tycho("up", "--name", "again")
    (before,) = json.loads(tycho("status", "again", "-o", "json").stdout)
    where = (before["release"], "-n", before["namespace"])
    first = tool("helm", "get", "manifest", *where).stdout
    assert "up to date (revision 1)" in tycho("up", "--name", "again").stderr
    file.write_text("services: {web: {image: 'nginx:1.28', ports: ['8080:80'], command: [nginx, -g, daemon off;]}}\n")
    tycho("up", "--name", "again")
    assert "nginx:1.28" in tool("helm", "get", "manifest", *where).stdout
    history = json.loads(tycho("history", "again", "-o", "json").stdout)
    assert [(row["revision"], row["state"]) for row in history] == [(1, "superseded"), (2, "deployed")]
    assert "rolled back to revision 1 (now revision 3)" in tycho("rollback", "again").stderr
    assert tool("helm", "get", "manifest", *where).stdout == first
    assert "it has: 1, 2, 3" in tycho("rollback", "again", "9", rc=32).stderr


def test_logs_of_each_container(tycho: Run) -> None:
    tycho("up", "--name", "web", "-c", "nginx:1.27", "-p", "80")
    (line,) = tycho("logs", "web").stdout.splitlines()
    assert re.match(r"web-\S+  \(.*\)$", line)  # a simulated node has no log, and says so
    stderr = tycho("logs", "web", "db", rc=32).stderr
    assert "web has no service db" in stderr
    assert "it has: web" in stderr


def test_another_instance_and_what_an_id_may_be(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: 'nginx:1.27'}}\n")
    tycho("up", "--name", "twice")
    tycho("up", "--name", "twice", "--new")
    both = json.loads(tycho("status", "-o", "json").stdout)
    guids = [system["sid"] for system in both if system["name"] == "twice"]
    assert len(guids) == 2
    stderr = tycho("down", "twice", rc=33).stderr
    assert all(guid in stderr for guid in guids)
    assert tycho("down", guids[0][:8]).stdout.strip() == guids[0]
    assert tycho("down", "twice").stdout.strip() == guids[1]
    for words in ((), ("--new",)):
        tycho("up", "--name", "twice", "--no-wait", *words)
    assert "exclude each other" in tycho("down", "--project", "twice", "twice", rc=2).stderr
    assert len(tycho("down", "--project", "twice").stdout.split()) == 2
    assert "no system twice of yours runs here" in tycho("down", "--project", "twice").stderr
    assert 'no system "twice" runs here' in tycho("down", "twice", rc=32).stderr


def test_systems_share_a_namespace(tycho: Run, tool: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: 'nginx:1.27', ports: ['80']}}\n")
    assert "no namespace" in tycho("up", "--name", "one", "-n", "together", rc=32).stderr
    tool("kubectl", "create", "namespace", "together")
    try:
        tycho("up", "--name", "one", "-n", "together")
        tycho("up", "--name", "two", "-n", "together")
        guids = tycho("status", "-n", "together", "-terse").stdout.split()
        assert len(guids) == 2
        tycho("down", "-n", "together", *guids)
        assert [object_ for guid in guids for object_ in objects(tool, guid)] == []
        tool("kubectl", "get", "namespace", "together")
    finally:
        tool("kubectl", "delete", "namespace", "together")


def test_one_container_needs_no_file(tycho: Run) -> None:
    row = tycho("up", "--name", "quick", "-c", "nginx:1.27", "-p", "80").stdout.splitlines()[1]
    assert row.split()[0] == "quick"
    assert tycho("down", "quick").stdout.strip() == row.split()[1]


def test_no_cluster_says_what_to_do(tycho: Run, tmp_path: Path) -> None:
    stderr = tycho("status", rc=30, KUBECONFIG=str(tmp_path / "none")).stderr
    assert "no Kubernetes cluster answers (no kubeconfig at" in stderr
    assert "tycho up --local" in stderr


def test_an_old_helm_is_refused(tycho: Run, tmp_path: Path) -> None:
    old = tmp_path / "helm"
    old.write_text("#!/bin/sh\necho v3.18.4\n")
    old.chmod(0o755)
    (tmp_path / "compose.yaml").write_text("services: {web: {image: 'nginx:1.27'}}\n")
    stderr = tycho("up", rc=31, TYCHO_HELM=str(old)).stderr
    assert "helm 3.18.4" in stderr
    assert "go install helm.sh/helm/v4/cmd/helm@" in stderr


def test_doctor_tells_of_each_need(tycho: Run) -> None:
    lines = tycho("doctor").stdout.splitlines()
    assert [line.split()[1] for line in lines if not line.startswith(" ")] == [
        "helm",
        "cluster",
        "rights",
        "metrics",
    ]
