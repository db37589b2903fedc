"""What is secret leaves the chart, and comes back with the values of the release: text by text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chart.conftest import expanded
from tycho.chart import Chart, emit, release_values
from tycho.chart.hidden import hide_credentials
from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyError, ReportError
from tycho.model import Expr, PolicyResult, Project
from tycho.policy import apply_policies

TOKEN = "ghp_" + "a" * 36
KEY = "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"


def system(service: dict[str, Any], env: dict[str, str] | None = None, **top: Any) -> Project:
    document = {"name": "demo", "services": {"web": {"image": "x", **service}}, **top}
    return load(Sources.from_document(document, env=env or {}))


def policy_result(service: dict[str, Any], env: dict[str, str] | None = None, **top: Any) -> PolicyResult:
    return apply_policies(system(service, env, **top))


def compiled(made: PolicyResult) -> tuple[Chart, dict[str, Any]]:
    return emit(made), release_values(made.system)


def hidden(service: dict[str, Any], **top: Any) -> dict[str, str | None]:
    result, _ = hide_credentials(apply_policies(system(service, **top)).system)
    return {name: variable.value for name, variable in result.variables.items()}


@pytest.mark.parametrize(
    ("service", "variables"),
    [
        ({"command": ["a", "postgres://u:pw1@db"]}, {"WEB_COMMAND_1": "pw1"}),
        ({"command": "serve --db=postgres://u:pw1@db"}, {"WEB_COMMAND_1": "pw1"}),
        ({"command": ["x", "--password=pw1"]}, {"WEB_COMMAND_1": "pw1"}),
        ({"command": ["x", "--password", "pw1"]}, {"WEB_COMMAND_2": "pw1"}),
        ({"command": ["sh", "-c", "redis-server --requirepass pw1 x"]}, {"WEB_COMMAND_2": "pw1"}),
        ({"command": ["a", "x://u:pw1@h y://v:pw2@i"]}, {"WEB_COMMAND_1": "pw1", "WEB_COMMAND_1_2": "pw2"}),
        ({"command": ["a", "x://u:pa$$1@h"]}, {"WEB_COMMAND_1": "pa$1"}),
        ({"entrypoint": ["x", TOKEN]}, {"WEB_ENTRYPOINT_1": TOKEN}),
        ({"healthcheck": {"test": "curl https://u:pw1@h"}}, {"WEB_HEALTHCHECK_TEST_1": "pw1"}),
        ({"labels": {"a.b": "x://u:pw1@h"}}, {"WEB_LABELS_A_B": "pw1"}),
        ({"labels": {"a.password": "pw1"}}, {"WEB_LABELS_A_PASSWORD": "pw1"}),
        ({"annotations": {"x/token": "pw1"}}, {"WEB_ANNOTATIONS_X_TOKEN": "pw1"}),
        ({"deploy": {"labels": {"api_key": "pw1"}}}, {"WEB_DEPLOY_LABELS_API_KEY": "pw1"}),
        ({"working_dir": "/x/token=pw1"}, {"WEB_WORKING_DIR": "pw1"}),
        ({"post_start": [{"command": ["x", TOKEN]}]}, {"WEB_POST_START_0_COMMAND_1": TOKEN}),
        ({"pre_start": [{"command": ["x"], "environment": {"PIN": "1234"}}]},
         {"WEB_PRE_START_0_ENVIRONMENT_PIN": "1234"}),
        ({"dns_search": ["x://u:pw1@h"]}, {"WEB_DNS_SEARCH_0": "pw1"}),
    ],
)  # fmt: skip
def test_hide_text(service: dict[str, Any], variables: dict[str, str]) -> None:
    assert hidden(service) == variables
    chart, values = compiled(policy_result(service))
    assert values["variables"] == variables
    assert not [path for path, text in chart.files.items() for secret in variables.values() if secret in str(text)]
    rows = {row.path: row for row in chart.report if row.target == "a variable of the release"}
    assert len(rows) >= 1
    assert all(row.outcome == "approximated" and "--set-string 'variables." in row.remedy for row in rows.values())


@pytest.mark.parametrize(
    "service",
    [
        {"command": ["x", "postgres://u:${PW}@db", "--password", "$$PW"]},
        {"command": ["x", "--password-file", "/run/secrets/x", "--password", "/run/secrets/y"]},
        {"command": ["x", "--token-ttl", "3", "--secret", "10s", "--token", "--verbose"]},
        {"command": ["mysqladmin", "ping", "--password=$$MYSQL_ROOT_PASSWORD"]},
        {"healthcheck": {"test": "redis-cli --pass $$REDIS_PASS ping"}},
        {"labels": {"traefik.http.middlewares.auth.address": "http://x", "use_auth": "true", "passhostheader": "yes"}},
        {"command": ["x", "password=${PW:-}"]},
        {"command": ["x", "http://host:8080/a@b"]},
    ],
)
def test_hide_leaves_alone(service: dict[str, Any]) -> None:
    before = apply_policies(system(service)).system
    after, concealed = hide_credentials(before)
    assert concealed == ()
    assert set(after.variables) == set(before.variables)


@pytest.mark.parametrize(
    ("text", "written", "value"),
    [
        ("x://u:${PW:-hunter2}@h", "x://u:${PW:-${WEB_COMMAND_1:?}}@h", "hunter2"),
        ("x://u:${PW:-a@b}@h", "x://u:${PW:-${WEB_COMMAND_1:?}}@h", "a@b"),
        ("${URL:-x://u:hunter2@${HOST:-h}/}", "${URL:-x://u:${WEB_COMMAND_1:?}@${HOST:-h}/}", "hunter2"),
        ("x://u:pre${PW}@h", "x://u:${WEB_COMMAND_1:?}${PW}@h", "pre"),
        ("x://u:${A:+hunter2}@h", "x://u:${A:+${WEB_COMMAND_1:?}}@h", "hunter2"),
    ],
)
def test_hide_defaults(text: str, written: str, value: str) -> None:
    """Variables stay open; what stands in the file beside them is the release's."""
    result, _ = hide_credentials(policy_result({"command": ["serve", text]}).system)
    command = result.services["web"].command
    assert command
    assert isinstance(command[1], Expr)
    assert command[1].template == written
    assert result.variables["WEB_COMMAND_1"].value == value


def test_hidden_names_avoid_others(bench: Any) -> None:
    """A variable of that name is the author's; neither a value nor the order of files makes the other name."""
    text = """
services: {web: {image: x, command: ["${WEB_COMMAND_1:-mine}", "x://u:hunter2@h"]}}
"""
    objects = bench.objects(text)
    assert objects.container("rel-web")["args"] == ["mine", "x://u:hunter2@h"]
    chart = bench.chart(text)
    assert "x://u:${WEB_COMMAND_1_2:?}@h" in chart.files["values.yaml"]


def test_install_without_value_is_refused(bench: Any) -> None:
    chart = bench.chart("services: {web: {image: x, command: [serve, 'x://u:hunter2@h']}}")
    done = bench.run(chart, {})
    assert done.returncode != 0
    assert "required variable WEB_COMMAND_1 is missing a value" in done.stderr
    assert "--set-string 'variables.WEB_COMMAND_1'=…" in chart.files["README.md"]


def test_release_has_hidden_text(bench: Any) -> None:
    text = f"""
services:
  web:
    image: x
    command: [serve, "x://u:pa$$1@h", --password, pw2]
    environment: {{DATABASE: "x://u:pw3@h", MORE: "x://u:${{PW:-pw4}}@h"}}
    labels: {{token: pw5}}
    configs: [key]
configs: {{key: {{content: {json.dumps(KEY)}}}}}
"""
    objects = bench.objects(text, PW="given")
    container = objects.container("rel-web")
    assert [expanded(word) for word in container["args"]] == ["serve", "x://u:pa$1@h", "--password", "pw2"]
    assert objects.env("rel-web") == {"DATABASE": "x://u:pw3@h", "MORE": "x://u:given@h"}
    assert [entry["data"] for entry in objects if entry["kind"] == "ConfigMap"] == [{"key": KEY}]


@pytest.mark.parametrize(
    ("own", "secret"),
    [
        ([], {"SORT_FIELD_KEY", "DB_PASSWORD"}),
        (["!SORT_FIELD_KEY"], {"DB_PASSWORD"}),
        (["MAGIC", "!*"], set()),
        (["!*", "MAGIC"], {"MAGIC"}),
        (["!*_key", "SORT_FIELD_KEY"], {"SORT_FIELD_KEY", "DB_PASSWORD"}),
    ],
)
def test_take_names_back(own: list[str], secret: set[str]) -> None:
    service = {
        "environment": {"SORT_FIELD_KEY": "a", "DB_PASSWORD": "b", "MAGIC": "c", "USE_AUTH": "true"},
        "x-tycho": {"secretEnvironment": own},
    }
    result, _ = hide_credentials(policy_result(service).system)
    assert set(result.services["web"].environment_secret) == secret


def test_take_names_back_for_all() -> None:
    service = {"environment": {"SORT_FIELD_KEY": "a", "DB_PASSWORD": "b"}}
    made = policy_result(service, **{"x-tycho": {"secretEnvironment": ["!*_field_key"]}})
    result, _ = hide_credentials(made.system)
    assert result.services["web"].environment_secret == ("DB_PASSWORD",)


def test_passed_entries_of_hooks() -> None:
    """What a hook takes from the caller is the release's anyway; the chart does not tell whether it was there."""
    service = {"pre_start": [{"command": ["x"], "environment": {"API_TOKEN": None}}]}
    charts = [emit(policy_result(service, env)) for env in ({}, {"API_TOKEN": "planted-s3cret"})]
    assert charts[0].files == charts[1].files
    assert "planted" not in str(charts[1].files)


def test_rows_of_entries() -> None:
    """What means the same is translated, also with `--strict`; the row says how `helm install` gets it."""
    made = policy_result({"environment": {"API.KEY": "a", "PIN": "1234", "URL": "x://u:pw1@h", "PLAIN": "x"}})
    rows = {row.path: row for row in emit(made, strict=True).report}
    row = rows["services.web.environment.PIN"]
    assert (row.outcome, row.line) == ("translated", 1)
    assert "'services.web.secretEnv.PIN=…'" in row.remedy
    assert "contains a credential" in rows["services.web.environment.URL"].target
    assert "services.web.environment.PLAIN" not in rows
    with pytest.raises(ReportError):
        emit(policy_result({"command": ["x", TOKEN]}), strict=True)


@pytest.mark.parametrize(
    "service",
    [
        {"command": ["serve", "x://u:{}@h"]},
        {"environment": {"DB_PASSWORD": "{}"}},
        {"environment": {"URL": "x://u:{}@h"}},
        {"labels": {"token": "{}"}},
        {"build": {"context": ".", "args": {"TOKEN": "{}"}}},
    ],
)
def test_chart_ignores_secret_values(service: dict[str, Any]) -> None:
    """Neither its digest nor that of the project: a hash of little else would give a short password away."""
    charts = [
        emit(policy_result(json.loads(json.dumps(service).replace("{}", secret))))
        for secret in ("hunter2", "correct-horse")
    ]
    assert charts[0].files == charts[1].files


def test_policies_templates_know_no_secret(tmp_path: Any) -> None:
    (tmp_path / "50-leak.yaml").write_text("description: L.\nmatch: {name: web}\nemit: leak.j2\n", encoding="utf-8")
    (tmp_path / "leak.j2").write_text("a: <%= service.environment.DB_PASSWORD | text %>\n", encoding="utf-8")
    made = apply_policies(system({"environment": {"DB_PASSWORD": "hunter2"}}), folders=[tmp_path])
    with pytest.raises(PolicyError) as caught:
        emit(made)
    assert "services.web.secretEnv.DB_PASSWORD differs between releases" in caught.value.problems[0].message
    assert "hunter2" not in repr(caught.value.problems)
    (tmp_path / "leak.j2").write_text('a: <%= (service.environment.DB_PASSWORD ~ "") | text %>\n', encoding="utf-8")
    made = apply_policies(system({"environment": {"DB_PASSWORD": "hunter2"}}), folders=[tmp_path])
    assert "hunter2" not in str(emit(made).files)


@pytest.mark.parametrize(
    "service",
    [
        {"hostname": "x", "networks": {"n": {"aliases": ["token=abcd"]}}},
        {"volumes": ["vol:/x/password=abcd"]},
        {"x-tycho": {"ingress": {"host": "a", "path": "/token=abcd"}}},
        {"tmpfs": ["/x:token=abcd"]},
    ],
)
def test_refuse_credentials_that_stay(service: dict[str, Any]) -> None:
    """A text that no variable can stand in for is told of, and not quoted."""
    with pytest.raises(ComposeError) as caught:
        emit(policy_result(service, volumes={"vol": {}}, networks={"n": {}}))
    assert any("credential" in problem.message for problem in caught.value.problems)
    assert "abcd" not in "".join(f"{problem.message} {problem.hint}" for problem in caught.value.problems)
