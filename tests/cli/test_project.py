"""The project of this folder: what a verb means that names no system."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tycho.cli.revisions import read_words
from tycho.errors import UsageError

pytestmark = pytest.mark.xdist_group("cluster")

FILE = """
name: corner
services:
  web: {image: "nginx:${TAG:?which}", ports: ["80"], depends_on: [db]}
  db: {image: postgres}
  mail: {image: mailhog}
  debug: {image: alpine, profiles: [ops]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE)
    (tmp_path / "below").mkdir()
    return tmp_path


def services(tycho: Run, *words: str) -> list[str]:
    (release,) = json.loads(tycho("ps", "-o", "json", *words).stdout)
    return [service["name"] for service in release["services"]]


def test_what_does_not_run(tycho: Run, folder: Path) -> None:
    for verb in ("logs", "events", "history", "rollback", "restart", "ps"):
        stderr = tycho(verb, rc=32).stderr
        assert "corner (compose.yaml of this folder) does not run" in stderr, verb
    assert tycho("exec", "web", "ls", rc=32).stderr.startswith("corner (compose.yaml of this folder)")
    done = tycho("down", cwd=folder / "below")
    assert done.stderr == f"nothing to remove: corner (compose.yaml of {folder}) does not run\n"
    assert done.stdout == ""
    assert "other (compose.yaml" in tycho("down", "--name", "other").stderr
    assert "other (compose.yaml" in tycho("down", COMPOSE_PROJECT_NAME="other").stderr


def test_a_session_without_any_id(tycho: Run, folder: Path) -> None:
    tycho("up", "-d", "web", TAG="1")
    assert services(tycho) == ["web", "db"]
    assert services(tycho, "db") == ["db"]
    tycho("up", "debug", TAG="1")
    assert services(tycho) == ["web", "db", "debug"]
    assert "corner has no service nosuch" in tycho("up", "nosuch", rc=2, TAG="1").stderr
    header, *lines = tycho("ps", cwd=folder / "below").stdout.splitlines()
    assert header.split()[:3] == ["SYSTEM", "SERVICE", "KIND"]
    assert [line.split()[1] for line in lines] == ["web", "db", "debug"]
    revisions = json.loads(tycho("history", "-o", "json").stdout)
    assert [revision["revision"] for revision in revisions] == [1, 2]
    assert "rolled back to revision 1 (now revision 3)" in tycho("rollback", "1").stderr
    assert all(re.match(r"corner-\w+-web-", line) for line in tycho("logs", "web").stdout.splitlines())
    guid = tycho("status", "-terse").stdout.strip()
    assert tycho("down").stdout.strip() == guid


def test_words_are_services_unless_they_name_a_system(tycho: Run, folder: Path) -> None:
    tycho("up", TAG="1")
    tycho("up", "--name", "mail", "-c", "busybox")
    assert services(tycho, "web") == ["web"]
    for options, system in (((), "mail"), (("--id", "corner"), "corner"), (("--name", "corner"), "corner")):
        (release,) = json.loads(tycho("ps", "-o", "json", *options, "mail").stdout)
        assert release["name"] == system
        assert [service["name"] for service in release["services"]] == ["mail"]
    stderr = tycho("logs", "nosuch", rc=32).stderr
    assert 'no system "nosuch" runs, and corner (compose.yaml of this folder) has no service of that name' in stderr
    assert "running: corner, mail; services: web, db, mail, debug" in stderr
    assert "it has: web, db, mail" in tycho("logs", "corner", "nosuch", rc=32).stderr


def test_unknown_systems_and_namespaces_name_the_known(tycho: Run, folder: Path) -> None:
    tycho("up", "mail", TAG="1")
    assert "running: corner" in tycho("status", "25", rc=32).stderr
    (release,) = json.loads(tycho("status", "-o", "json").stdout)
    done = tycho("status", "-n", "nowhere")
    assert done.stdout == "None running\n"
    namespace = release["namespace"]
    assert f"nothing runs in the namespace nowhere; systems run in: {namespace}" in done.stderr


def test_restart_makes_new_pods(tycho: Run, tool: Run, folder: Path) -> None:
    tycho("up", "-f", "compose.yaml", TAG="1")
    (release,) = json.loads(tycho("status", "-o", "json").stdout)
    namespace = release["namespace"]

    def pods() -> dict[str, str]:
        listed = json.loads(tool("kubectl", "get", "pods", "-n", namespace, "-o", "json").stdout)["items"]
        alive = [pod for pod in listed if not pod["metadata"].get("deletionTimestamp")]
        return {pod["metadata"]["annotations"]["tycho.dev/service"]: pod["metadata"]["name"] for pod in alive}

    before = pods()
    tycho("restart", "web", "mail")
    after = pods()
    assert {name for name in before if before[name] != after[name]} == {"web", "mail"}
    assert "has no service of that name" in tycho("restart", "nosuch", rc=32).stderr
    events = json.loads(tycho("events", "web", "-o", "json").stdout)
    assert {event["service"] for event in events} == {"web"}
    times = [datetime.fromisoformat(event["time"]) for event in events]
    assert times == sorted(times)
    assert any(event["object"] == f"Pod/{after['web']}" for event in events)
    header, *lines = tycho("events", "web").stdout.splitlines()
    assert header.split() == ["TIME", "SERVICE", "OBJECT", "REASON", "MESSAGE"]
    assert len(lines) >= len(events)
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d  web ", line) for line in lines)


def test_a_job_is_not_restarted(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: nginx}, migrate: {image: alpine, restart: 'no', command: 'true'}}"
    )
    tycho("up", "--name", "jobs")
    stderr = tycho("restart", "jobs", "migrate", rc=2).stderr
    assert "migrate is a job, which runs once: there is nothing to restart" in stderr
    assert "migrate is a job, which runs once: it was left alone" in tycho("restart", "jobs").stderr


def test_logs_options(tycho: Run) -> None:
    message = "-n is the namespace, and 5 looks like a number of lines: write --tail 5\n"
    assert tycho("logs", "-n", "5", rc=2).stderr == message
    assert '"soon" is not a moment' in tycho("logs", "x", "--since", "soon", rc=2).stderr
    assert "write --tail 20, or --tail all" in tycho("logs", "x", "--tail", "few", rc=2).stderr


def test_a_program_needs_a_container_that_runs(tycho: Run, folder: Path) -> None:
    tycho("up", "mail", TAG="1")
    assert "does not answer" in tycho("exec", "mail", "ls", rc=30).stderr
    assert "no command is named" in tycho("exec", "mail", rc=2).stderr
    assert "corner has no service web" in tycho("exec", "corner", "web", "ls", rc=32).stderr
    assert "names no variable that is set" in tycho("exec", "-e", "NOSUCH", "mail", "ls", rc=2).stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ([], ("", 0)),
        (["3"], ("", 3)),
        (["shop"], ("shop", 0)),
        (["12345678"], ("12345678", 0)),
        (["shop", "3"], ("shop", 3)),
    ],
)
def test_words_of_a_rollback(words: list[str], meant: tuple[str, int]) -> None:
    assert read_words(words) == meant


@pytest.mark.parametrize("words", [["shop", "back"], ["shop", "3", "4"]])
def test_too_many_words_of_a_rollback(words: list[str]) -> None:
    with pytest.raises(UsageError):
        read_words(words)


def test_what_was_kept_is_deleted_by_name_alone(tycho: Run, tmp_path: Path) -> None:
    text = "name: keeper\nservices: {db: {image: postgres, volumes: ['data:/data']}}\nvolumes: {data: {}}\n"
    (tmp_path / "compose.yaml").write_text(text)
    tycho("up", "-q")
    guid = tycho("down", "--keep-volumes").stdout.strip()
    assert guid not in tycho("status", "-terse").stdout
    for verb in ("logs", "events", "history", "rollback", "restart", "ps"):
        assert "keeper does not run; its volumes are kept: data" in tycho(verb, rc=32).stderr, verb
    done = tycho("down")
    assert done.stdout == ""
    assert done.stderr.startswith("nothing to remove: keeper does not run; its volumes are kept: data")
    assert "` deletes them" in done.stderr
    assert tycho("down", guid).stdout.strip() == guid
    assert guid not in tycho("status", "-o", "json").stdout
