"""No secret is in a chart: what the environment, its files and secret files say travels with the release alone."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.chart import planted as everywhere
from tests.chart.conftest import Objects
from tycho.chart import emit
from tycho.errors import ComposeError
from tycho.toolchain import programs

TYCHO = Path(sys.executable).with_name("tycho")
KEPT = ("PATH", "HOME", "XDG_CACHE_HOME", "TYCHO_QUIET_TIME")
SECRETS = [f"planted-{index}-s3cret" for index in range(26)]
"""Each in another place; none of them is written in the compose file but 0 and 1, whose entries are secret by their
names, or by the variable that they are the default of."""

TEXT = f"""
services:
  web:
    image: "registry.example/web:${{IMAGE_TAG}}"
    build:
      context: .
      args: {{TOKEN: "${{BUILD_TOKEN}}"}}
    env_file: [app.env]
    environment:
      DB_PASSWORD: {SECRETS[0]}
      API_TOKEN: "${{TOKEN:-{SECRETS[1]}}}"
      FROM_ENV: "${{SHELL_VALUE}}"
      FROM_DOTENV: "pre-${{DOTENV_VALUE}}-post"
      PASSED:
    command: ["serve", "--key=${{COMMAND_KEY}}"]
    healthcheck: {{test: ["CMD", "curl", "-H", "Authorization: ${{HEALTH_KEY}}", "localhost"]}}
    labels: {{note: "${{LABEL_VALUE}}"}}
    deploy: {{labels: {{note: "${{DEPLOY_LABEL}}"}}}}
    logging: {{driver: splunk, options: {{splunk-token: "${{LOG_TOKEN}}"}}}}
    x-mine: {{key: "${{EXTENSION}}"}}
    secrets: [file, env]
    configs: [app]
    volumes: ["share:/share"]
    pre_stop: [{{command: ["bye", "${{HOOK_KEY}}"]}}]
secrets:
  file: {{file: ./secret.txt}}
  env: {{environment: SECRET_ENV}}
configs:
  app: {{content: "key = ${{CONFIG_KEY}}"}}
volumes:
  share: {{driver_opts: {{type: cifs, device: //nas/share, o: "username=me,password=${{CIFS_PASSWORD}}"}}}}
"""
FILES = {
    "app.env": "\n".join(f"K{index}={SECRETS[index]}" for index in range(2, 10)),
    "secret.txt": SECRETS[10],
    ".env": f"DOTENV_VALUE={SECRETS[11]}\nUNUSED={SECRETS[12]}\nLOG_TOKEN={SECRETS[25]}\n",
}
ENV = {
    "SHELL_VALUE": SECRETS[13], "SECRET_ENV": SECRETS[14], "PASSED": SECRETS[15], "OTHER": SECRETS[16],
    "IMAGE_TAG": SECRETS[17], "BUILD_TOKEN": SECRETS[18], "COMMAND_KEY": SECRETS[19], "HEALTH_KEY": SECRETS[20],
    "LABEL_VALUE": SECRETS[21], "DEPLOY_LABEL": SECRETS[22], "HOOK_KEY": SECRETS[23], "CONFIG_KEY": SECRETS[24],
    "EXTENSION": SECRETS[16], "CIFS_PASSWORD": SECRETS[12],
}  # fmt: skip
SHOWN = {17, 19, 20, 21, 22, 23, 24}  # live positions that Kubernetes shows: image, command, probe, annotations, config


def planted(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [secret for secret in SECRETS if secret.encode() in content]


def test_no_secret_is_in_the_archive(bench: Any) -> None:
    made = emit(bench.policy_result(TEXT, FILES, **ENV))
    assert {path: secrets for path, content in made.files.items() if (secrets := planted(content))} == {}
    assert {path for path in made.files if planted(path)} == set()


def test_a_release_has_them_where_they_belong(bench: Any) -> None:
    objects: Objects = bench.objects(TEXT, files=FILES, **ENV)
    env = objects.env("rel-web")
    assert (env["DB_PASSWORD"], env["API_TOKEN"]) == (SECRETS[0], SECRETS[1])
    assert (env["FROM_ENV"], env["FROM_DOTENV"]) == (SECRETS[13], f"pre-{SECRETS[11]}-post")
    assert env["PASSED"] == SECRETS[15]
    assert [env[f"K{index}"] for index in range(2, 10)] == SECRETS[2:10]
    assert objects.secret("rel-file") == {"file": SECRETS[10]}
    assert objects.secret("rel-env") == {"env": SECRETS[14]}
    plain = [rendered for rendered in objects if rendered["kind"] != "Secret"]
    assert planted(json.dumps(plain)) == [SECRETS[index] for index in sorted(SHOWN)]


def test_no_message_quotes_an_environment(bench: Any) -> None:
    """What is refused is named by its place: the message may end in a log."""
    with pytest.raises(ComposeError) as caught:
        bench.chart(TEXT.replace("    build:", '    devices: ["/dev/${HOOK_KEY}:/dev/x"]\n    build:'), FILES, **ENV)
    assert planted(repr(caught.value.problems) + str(caught.value)) == []


@pytest.mark.xdist_group("chart-cluster")
def test_neither_arguments_nor_logs_say_them(kubeconfig: Path, helm: Path, tmp_path: Path) -> None:
    """`compile` and a traced `up` and `down`, with a helm that writes down what it is called with."""
    project = tmp_path / "project"
    project.mkdir()
    for path, content in {"compose.yaml": TEXT, **FILES}.items():
        (project / path).write_text(content, encoding="utf-8")
    asked = tmp_path / "asked"
    watched = tmp_path / "helm"
    watched.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{asked}\nexec {helm} "$@"\n', encoding="utf-8")
    watched.chmod(watched.stat().st_mode | stat.S_IXUSR)
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    env = {**kept, **ENV, "KUBECONFIG": str(kubeconfig), "TYCHO_HELM": str(watched)}
    output = b""
    for argv in (
        ["compile", "--trace", "--report", "-o", str(tmp_path / "chart")],
        ["compile", "--explain"],
        ["up", "--trace", "--name", "planted"],
        ["status", "-o", "json"],
        ["down", "--trace", "planted"],
    ):
        done = subprocess.run([TYCHO, *argv], cwd=project, env=env, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        output += done.stdout + done.stderr
    assert b"helm" in output
    assert "install" in asked.read_text(encoding="utf-8").splitlines()
    assert planted(asked.read_bytes()) == []
    assert planted(output) in ([], [SECRETS[17]])  # `status` shows which image runs
    left = subprocess.run(
        [programs.tool("kubectl"), "get", "namespace", "-l", "executor=tycho", "-o", "name"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "planted" not in left.stdout


def project(folder: Path) -> Path:
    """The project that has secrets everywhere, as files."""
    for path, content in everywhere.FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder / "compose.yaml"


def test_planted_are_enough() -> None:
    assert len(set(everywhere.PLANTED)) >= 80
    assert len([kind for kind, secrets in everywhere.PLACES.items() if secrets]) >= 20


def test_planted_not_in_chart(bench: Any) -> None:
    """Not in a file, a file's name, the archive, the report, or what identifies the chart."""
    made = emit(bench.policy_result(everywhere.FILES["compose.yaml"], everywhere.FILES, **everywhere.ENV))
    assert {path: secrets for path, content in made.files.items() if (secrets := everywhere.planted(content))} == {}
    assert everywhere.planted("".join(made.files)) == []
    assert everywhere.planted(gzip.decompress(made.archive())) == []
    assert everywhere.planted(repr(made.report)) == []
    with tarfile.open(fileobj=io.BytesIO(made.archive())) as archive:
        assert len(archive.getnames()) == len(made.files)


IN_SECRETS = (
    "environment, by name", "environment, by content", "tokens, by their shapes", "env_file", "files of secrets",
    "lists of environment", "the caller's environment",
)  # fmt: skip
IN_OBJECTS = (
    "words", "words after a flag", "command lines", "health checks", "labels", "labels, by name", "hooks", "configs",
    "environments of hooks", "folders", "sysctls", "label_file", "lists of labels",
)  # fmt: skip
NOWHERE = ("extensions", "build args", "logging", "develop", "options of networks", "labels of networks", ".env")


def test_planted_reach_what_reads_them(bench: Any) -> None:
    """Each secret that Kubernetes has a place for is where the file says it, and in no object that it does not."""
    objects: Objects = bench.objects(everywhere.FILES["compose.yaml"], files=everywhere.FILES, **everywhere.ENV)
    text = json.dumps([rendered for rendered in objects if rendered["kind"] != "Secret"])
    secret = json.dumps([objects.secret(name) for name in objects.names("Secret")])
    for kind in IN_SECRETS:
        assert everywhere.planted(secret, everywhere.PLACES[kind]) == everywhere.PLACES[kind], kind
        assert everywhere.planted(text, everywhere.PLACES[kind]) == [], kind
    for kind in IN_OBJECTS:
        assert everywhere.planted(text, everywhere.PLACES[kind]) == everywhere.PLACES[kind], kind
    for kind in NOWHERE:
        assert everywhere.planted(text + secret, everywhere.PLACES[kind]) == [], kind


def test_planted_are_not_told_of(tmp_path: Path) -> None:
    """`compile` with all that it can say, and what is left behind: the chart, and no file of its own."""
    file, temporary = project(tmp_path / "project"), tmp_path / "temporary"
    temporary.mkdir()
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    env = {**kept, **everywhere.ENV, "TMPDIR": str(temporary)}
    output = b""
    for argv in (
        ["compile", "--trace", "--report", "-o", str(tmp_path / "chart")],
        ["compile", "--explain"],
        ["compile", "--strict", "--trace"],
        ["compile", "--profile", "none", "-o", str(tmp_path / "other")],
    ):
        done = subprocess.run(
            [TYCHO, *argv, "-f", str(file)], cwd=tmp_path, env=env, capture_output=True, check=False, timeout=120
        )
        assert done.returncode == (12 if "--strict" in argv else 0), done.stderr.decode()
        output += done.stdout + done.stderr
    assert b"a variable of the release" in output
    assert everywhere.planted(output) == []
    assert list(temporary.iterdir()) == []
    written = [path.read_bytes() for path in (tmp_path / "chart").rglob("*") if path.is_file()]
    assert everywhere.planted(b"".join(written)) == []


@pytest.mark.xdist_group("chart-cluster")
def test_planted_are_not_in_arguments(kubeconfig: Path, helm: Path, tmp_path: Path) -> None:
    """A traced `up` and `down` of it all: neither what helm is called with, nor logs, nor files that stay."""
    file, temporary = project(tmp_path / "project"), tmp_path / "temporary"
    temporary.mkdir()
    asked, watched = tmp_path / "asked", tmp_path / "helm"
    watched.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{asked}\nexec {helm} "$@"\n', encoding="utf-8")
    watched.chmod(watched.stat().st_mode | stat.S_IXUSR)
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    env = {
        **kept,
        **everywhere.ENV,
        "KUBECONFIG": str(kubeconfig),
        "TYCHO_HELM": str(watched),
        "TMPDIR": str(temporary),
    }
    output = b""
    for argv in (
        ["up", "--trace", "--name", "everywhere", "--no-wait", "-f", str(file)],
        ["status", "-o", "json"],
        ["history", "everywhere"],
        ["down", "--trace", "everywhere"],
    ):
        done = subprocess.run([TYCHO, *argv], cwd=tmp_path, env=env, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        output += done.stdout + done.stderr
    assert "install" in asked.read_text(encoding="utf-8").splitlines()
    assert everywhere.planted(asked.read_bytes()) == []
    assert everywhere.planted(output) == []
    assert list(temporary.iterdir()) == []
