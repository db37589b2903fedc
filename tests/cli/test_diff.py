"""`tycho diff` and `up --dry-run`: what would change, with the exit codes of `diff`, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.api.conftest import Service, serving
from tests.cli.conftest import TYCHO, Run
from tests.cli.screen import open_screen, plain
from tycho.cli.comparisons import emit_comparison
from tycho.comparison import Change, Comparison

pytestmark = pytest.mark.xdist_group("cluster")

FILE = """
name: corner
services:
  web:
    image: nginx:${TAG:-1}
    environment: {LEVEL: "${LEVEL:-info}", API_TOKEN: "${TOKEN:-}"}
  mail: {image: mailhog, volumes: ["spool:/spool"]}
volumes: {spool: {}}
"""
BEFORE = {"TOKEN": "planted-1"}
NEWS = {"TAG": "2", "LEVEL": "debug", "TOKEN": "planted-2"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE)
    return tmp_path


@pytest.fixture(scope="module")
def service(kubeconfig: Path, helm: Path) -> Iterator[Service]:
    with serving(KUBECONFIG=str(kubeconfig), TYCHO_HELM=str(helm), TYCHO_QUIET_TIME="0") as running:
        yield running


def test_exit_codes_are_those_of_diff(tycho: Run, folder: Path) -> None:
    assert tycho("diff", rc=1).stdout == (
        "corner (new)\n"
        "  + web           new service (nginx:1)\n"
        "  + mail          new service (mailhog)\n"
        "  + volume spool  new volume\n"
    )
    assert tycho("status", "-terse").stdout == ""
    tycho("up")
    assert tycho("diff").stdout == "corner is up to date (revision 1)\n"
    (folder / "compose.yaml").write_text("services: {web: {image: [nginx]}}")
    assert "services.web.image" in tycho("diff", rc=2).stderr
    (folder / "compose.yaml").write_text(FILE)
    assert "no Kubernetes cluster answers" in tycho("diff", rc=2, KUBECONFIG="/dev/null").stderr
    assert "no option --nosuch" in tycho("diff", "--nosuch", rc=2).stderr


def test_a_diff_is_told_in_lines_and_as_data(tycho: Run, folder: Path, service: Service) -> None:
    tycho("up", **BEFORE)
    (folder / "compose.yaml").write_text(FILE.replace("mail: {image: mailhog,", "cache: {image: 'redis:7',"))
    lines = tycho("diff", rc=1, **NEWS).stdout
    assert lines == (
        "corner (revision 1 → 2)\n"
        "  ~ web    image                  nginx:1 → nginx:2  restarts\n"
        "  ~ web    environment.LEVEL      info → debug       restarts\n"
        "  ~ web    environment.API_TOKEN  changed            restarts\n"
        "  + cache  new service (redis:7)\n"
        "  - mail   removed\n"
        "restarts: web\n"
    )
    assert tycho("up", "--dry-run", **NEWS).stdout == lines
    assert tycho("diff", "--service", service.url, rc=1, **NEWS).stdout == lines
    assert tycho("up", "--dry-run", "--service", service.url, **NEWS).stdout == lines
    objects = tycho("diff", "--objects", rc=1, **NEWS).stdout
    assert "      spec.template.spec.containers[web].image  nginx:1 → nginx:2\n" in objects
    as_json = tycho("diff", "-o", "json", rc=1, **NEWS).stdout
    assert yaml.safe_load(tycho("diff", "-o", "yaml", rc=1, **NEWS).stdout) == json.loads(as_json)
    comparison = Comparison.model_validate_json(as_json)
    assert (comparison.restarts, comparison.revision) == (("web",), 1)
    kinds = {(changed.action, changed.kind) for changed in comparison.objects}
    assert {("changed", "Deployment"), ("added", "Deployment"), ("removed", "Deployment")} <= kinds
    assert "planted" not in as_json + objects
    (listed,) = json.loads(tycho("status", "-o", "json").stdout)
    assert listed["revision"] == 1


def test_a_terminal_has_colours(env: dict[str, str], folder: Path) -> None:
    argv: list[str | Path] = [TYCHO, "diff"]
    with open_screen(argv, 80, env, folder) as screen:
        assert "\x1b[32m  + web           new service (nginx:1)\x1b[0m" in screen.read_all()
    with open_screen([*argv, "--no-color"], 80, env, folder) as screen:
        assert "\x1b" not in screen.read_all()
    with open_screen(argv, 80, {**env, "NO_COLOR": "1"}, folder) as screen:
        assert "\x1b" not in screen.read_all()


def test_what_changes_nothing_takes_no_cluster_and_no_build(tycho: Run, folder: Path, tmp_path: Path) -> None:
    stderr = tycho("up", "--dry-run", "--local", rc=2, XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path)).stderr
    assert "there is no local cluster yet" in stderr
    assert "--dry-run and --build exclude each other" in tycho("up", "--dry-run", "--build", rc=2).stderr


def test_a_rollback_shows_what_it_changes_first(tycho: Run, folder: Path, service: Service) -> None:
    tycho("up")
    tycho("up", TAG="2")
    lines = "corner (revision 2 → 1)\n  ~ web  image  nginx:2 → nginx:1  restarts\nrestarts: web\n"
    for words in ((), ("1",), ("--service", service.url)):
        assert tycho("rollback", "--dry-run", *words).stdout == lines
    history = tycho("history").stdout.splitlines()
    assert [line.split()[0] for line in history] == ["REVISION", "1", "2", "web:"]
    assert history[3] == "     web: image nginx:1 → nginx:2"
    done = tycho("rollback")
    assert lines in done.stderr
    assert "rolled back to revision 1 (now revision 3)" in done.stderr
    assert lines not in done.stdout
    assert "→" not in tycho("rollback", "-q").stderr


def test_status_tells_of_another_file_and_of_drift(tycho: Run, tool: Run, folder: Path, service: Service) -> None:
    tycho("up")
    (listed,) = json.loads(tycho("status", "-o", "json").stdout)
    assert (listed["outdated"], listed["drifted"]) == (False, None)
    (folder / "compose.yaml").write_text(FILE.replace("mailhog", "mailhog:2"))
    assert "corner is outdated: the compose file here has changed since" in tycho("status").stderr
    assert "outdated" not in tycho("status", cwd=folder.parent).stderr
    assert tycho("status", "--drift").stdout == "corner is what its release says (revision 1)\n"
    tool("kubectl", "scale", "deployment", "-n", listed["namespace"], f"{listed['release']}-web", "--replicas=2")
    lines = (
        "corner has drifted from revision 1: 1 field\n"
        f"  ~ Deployment {listed['release']}-web\n"
        "      spec.replicas (kubectl)  1 → 2\n"
    )
    drifted = tycho("status", "--drift", "corner")
    assert drifted.stdout == lines
    assert "--force-conflicts" in drifted.stderr
    assert tycho("status", "--drift", "--service", service.url).stdout == lines
    (row,) = json.loads(tycho("status", "--drift", "-o", "json").stdout)[0]["drifted"]
    assert (row["path"], row["live"], row["manager"]) == ("spec.replicas", "2", "kubectl")
    assert "kubectl has changed .spec.replicas" in tycho("up", "--service", service.url, rc=37).stderr
    tycho("up", "--force-conflicts", "--service", service.url)
    assert tycho("status", "--drift").stdout == "corner is what its release says (revision 3)\n"


def test_a_narrow_terminal_has_values_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    image = "registry.example.org/a-team/a-long-name"
    long = Change(
        action="changed", section="services", name="w" * 50, path="image", before=f"{image}:1", after=f"{image}:2"
    )
    short = Change(action="changed", section="services", name="api", path="deploy.replicas", before="1", after="2")
    emit_comparison(Comparison(name="shop", revision=3, changes=(long, short), restarts=("w" * 50,)))
    out = capsys.readouterr().out
    assert f"\x1b[33m  ~ {'w' * 50}\x1b[0m\n" in out
    assert f"\x1b[31m      {image}:1\x1b[0m\n\x1b[32m    → {image}:2\x1b[0m\n" in out
    lines = plain(out)
    assert all(len(line) <= 60 for line in lines)
    assert lines[1:5] == [f"  ~ {'w' * 50}", "      image  restarts", f"      {image}:1", f"    → {image}:2"]
    assert "  ~ api                       deploy.replicas  1 → 2" in lines
