"""Every key of the Compose schema has a row, and none is lost in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.schema_keys import DEFINITIONS, SPEC, covered, keys
from tycho.chart import emit, release_values
from tycho.chart.translate.extension import EXTENSION_KEYS as WORDS
from tycho.chart.translate.tables import SECTIONS
from tycho.errors import ComposeError, ReportError
from tycho.model import PolicyResult


@pytest.mark.parametrize(("section", "definition"), DEFINITIONS.items())
def test_every_key_of_the_schema_has_a_row(section: str, definition: str) -> None:
    schema_keys = list(dict.fromkeys(keys(SPEC["$defs"][definition])))
    assert len(schema_keys) > 5
    assert [key for key in schema_keys if not covered(key, SECTIONS[section])] == []


def test_top_level_keys_have_rows() -> None:
    assert set(SPEC["properties"]) == set(SECTIONS[""]) | (set(SECTIONS) - {""})


def test_no_row_is_without_reason_or_remedy() -> None:
    for table in SECTIONS.values():
        for name, key in table.items():
            assert key.outcome in ("translated", "ignored") or key.reason, name
            assert key.outcome == "translated" or key.remedy, name
            assert key.outcome != "ignored" or key.reason, name


def test_a_row_says_where(bench: Any) -> None:
    text = "services:\n  web:\n    image: nginx\n    oom_score_adj: 5\n    ports:\n      - '127.0.0.1:80:80'\n"
    rows = {row.path: row for row in bench.chart(text).report}
    assert (rows["services.web.image"].outcome, rows["services.web.image"].line) == ("translated", 3)
    assert (rows["services.web.oom_score_adj"].outcome, rows["services.web.oom_score_adj"].line) == ("ignored", 4)
    assert (rows["services.web.ports[0]"].outcome, rows["services.web.ports[0]"].line) == ("approximated", 6)
    assert rows["services.web.oom_score_adj"].file == "compose.yaml"
    assert rows["services.web.oom_score_adj"].reason
    assert rows["services.web.oom_score_adj"].remedy


def test_strict_takes_every_change_for_an_error(bench: Any) -> None:
    policy_result = bench.policy_result("services: {web: {image: nginx, oom_score_adj: 5, domainname: x.org}}")
    with pytest.raises(ReportError) as caught:
        emit(policy_result, strict=True)
    assert [problem.path for problem in caught.value.problems] == [
        "services.web.domainname", "services.web.oom_score_adj"
    ]  # fmt: skip
    emit(bench.policy_result("services: {web: {image: nginx}}"), strict=True)


INVALID = "is not a valid value"
REJECTED = {
    "user: www-data": ("services.web.user", "takes numbers"),
    "group_add: [audio]": ("services.web.group_add[0]", "takes numbers"),
    "devices: [/dev/snd:/dev/snd]": ("services.web.devices", "device of its node"),
    "network_mode: container:abc": ("services.web.network_mode", "outside the project"),
    "dns_search: ['a b']": ("services.web.dns_search[0]", "is not a domain"),
    "dns: [gateway]": ("services.web.dns[0]", "is not an address"),
    "x-tycho: {knd: Job}": ("services.web.x-tycho.knd", "no such key"),
    "x-tycho: {kind: Pod}": ("services.web.x-tycho.kind", INVALID),
    "x-tycho: {schedule: daily}": ("services.web.x-tycho.schedule", INVALID),
    "x-tycho: {readinessProbe: {httpGet: {path: /}}}": ("services.web.x-tycho.readinessProbe", INVALID),
    "x-tycho: {readinessProbe: {httpGet: {port: 80, host: db}}}": (
        "services.web.x-tycho.readinessProbe",
        INVALID,
    ),
    "x-tycho: {readinessProbe: {tcpSocket: {port: true}}}": (
        "services.web.x-tycho.readinessProbe",
        INVALID,
    ),
    "x-tycho: {readinessProbe: {exec: {command: a}}}": ("services.web.x-tycho.readinessProbe", INVALID),
    "x-tycho: {livenessProbe: {exec: {command: []}}}": ("services.web.x-tycho.livenessProbe", INVALID),
    "x-tycho: {livenessProbe: {httpGet: {port: 80, httpHeaders: {A: b}}}}": (
        "services.web.x-tycho.livenessProbe",
        INVALID,
    ),
    "x-tycho: {livenessProbe: {exec: {command: [1]}}}": ("services.web.x-tycho.livenessProbe", INVALID),
    "x-tycho: {livenessProbe: {exec: {command: null}}}": ("services.web.x-tycho.livenessProbe", INVALID),
    "x-tycho: {fsGroup: staff}": ("services.web.x-tycho.fsGroup", INVALID),
    "x-tycho: {readinessProbe: {grpc: {port: 1}, periodSeconds: 0}}": (
        "services.web.x-tycho.readinessProbe",
        INVALID,
    ),
    "x-tycho: [kind]": ("services.web.x-tycho", "not a mapping"),
    "deploy: {mode: everywhere}": ("services.web.deploy.mode", "not a mode"),
    "volumes: [/var/run/docker.sock:/var/run/docker.sock]": (
        "services.web.volumes[0]",
        "host paths are not allowed on a cluster",
    ),
    "post_start: [{command: a}, {command: b}]": ("services.web.post_start[1]", "one command"),
    'environment: {A: "\\x7f"}': ("services.web.environment.A", "control character"),
}


@pytest.mark.parametrize("key", REJECTED)
def test_refused_keys_have_remedies(bench: Any, key: str) -> None:
    path, reason = REJECTED[key]
    system = bench.system(f"services:\n  web:\n    image: nginx\n    {key}\n")
    with pytest.raises(ComposeError) as caught:
        emit(PolicyResult(system=system))
    (problem,) = caught.value.problems
    assert problem.path == path
    assert reason in problem.message
    assert problem.line == 4
    assert problem.hint


def test_all_problems_come_at_once(bench: Any) -> None:
    text = "services:\n  a: {image: x, user: bob}\n  b: {image: x, user: eve}\n  c: {image: x, devices: [/dev/snd]}\n"
    with pytest.raises(ComposeError) as caught:
        emit(PolicyResult(system=bench.system(text)))
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]


def test_names_that_collide_are_refused_naming_both(bench: Any) -> None:
    text = "services:\n  a_b: {image: x}\n  a.b: {image: x}\n"
    with pytest.raises(ComposeError) as caught:
        emit(PolicyResult(system=bench.system(text)))
    (problem,) = caught.value.problems
    assert '"a.b"' in problem.message
    assert '"a_b"' in problem.message
    assert problem.line == 3


def test_invalid_dns_label_names_its_callers(bench: Any) -> None:
    text = """
      services:
        my_db: {image: x}
        Web: {image: x, environment: {URL: "tcp://my_db:5432"}}
    """
    rows = {row.path: row for row in bench.chart(text).report}
    assert rows["services.my_db"].outcome == "approximated"
    assert rows["services.my_db"].target == "Service my-db"
    assert "compose.yaml:4" in rows["services.my_db"].remedy
    assert "services.Web" not in rows


CHANGED = {
    "dns: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]": ("services.web.dns", "approximated"),
    "container_name: web": ("services.web.container_name", "translated"),
    "container_name: other": ("services.web.container_name", "approximated"),
    "container_name: Other_1": ("services.web.container_name", "ignored"),
    "pull_policy: daily": ("services.web.pull_policy", "approximated"),
    "pull_policy: never": ("services.web.pull_policy", "translated"),
    "init: true": ("services.web.init", "ignored"),
    "stop_signal: SIGTERM": ("services.web.stop_signal", "translated"),
    "stop_signal: SIGINT": ("services.web.stop_signal", "approximated"),
    "network_mode: bridge": ("services.web.network_mode", "translated"),
    "entrypoint: []": ("services.web.entrypoint", "approximated"),
    "ports: ['80-90:8080']": ("services.web.ports[0]", "approximated"),
    "ports: ['192.0.2.1:80:80']": ("services.web.ports[0]", "approximated"),
    "tmpfs: ['/x:mode=755']": ("services.web.tmpfs[0]", "approximated"),
    "security_opt: ['systempaths=unconfined']": ("services.web.security_opt[0]", "ignored"),
    "sysctls: {kernel.msgmax: 1}\n    x-tycho: {grants: [sysctls.kernel.msgmax]}": (
        "services.web.sysctls.kernel.msgmax",
        "approximated",
    ),
    "labels: {'not valid!': x}": ("services.web.labels.not valid!", "ignored"),
    "healthcheck: {test: a, interval: 1500ms}": ("services.web.healthcheck.interval", "approximated"),
    "deploy: {restart_policy: {condition: on-failure, delay: 5s}}": (
        "services.web.deploy.restart_policy.delay",
        "ignored",
    ),
    "deploy: {mode: global, replicas: 3}": ("services.web.deploy.replicas", "ignored"),
    "deploy: {placement: {constraints: [engine.labels.x == y]}}": (
        "services.web.deploy.placement.constraints[0]",
        "ignored",
    ),
    "gpus: all": ("services.web.gpus[0].count", "approximated"),
    "depends_on: {db: {condition: service_started, restart: true}}": ("services.web.depends_on.db.restart", "ignored"),
    "networks: {default: {ipv4_address: 10.0.0.9}}": ("services.web.networks.default.ipv4_address", "ignored"),
    "secrets: [{source: s, uid: '7'}]": ("services.web.secrets[0].uid", "approximated"),
    "userns_mode: host": ("services.web.userns_mode", "translated"),
    "environment: {DB: 'tcp://db:5431'}": ("services.db.expose", "approximated"),
    "extra_hosts: ['host.docker.internal:host-gateway']": (
        "services.web.extra_hosts.host.docker.internal",
        "ignored",
    ),
    "dns_search: ['']": ("services.web.dns_search[0]", "ignored"),
    "depends_on: [db]": ("services.web.depends_on.db", "approximated"),
    "depends_on: {db: {condition: service_healthy}}": ("services.web.depends_on.db", "approximated"),
    "network_mode: 'service:db'\n    depends_on: [db]": ("services.web.depends_on.db", "translated"),
    "healthcheck: {interval: 5s}": ("services.web.healthcheck.interval", "ignored"),
    "healthcheck: {test: a, interval: 0s}": ("services.web.healthcheck.interval", "translated"),
    "deploy: {update_config: {order: start-first}}": ("services.web.deploy.update_config.order", "translated"),
    "x-tycho: {kind: StatefulSet}\n    deploy: {update_config: {parallelism: 2}}": (
        "services.web.deploy.update_config.parallelism",
        "approximated",
    ),
    "volumes: ['data:/d']\n    deploy: {update_config: {order: start-first}}": (
        "services.web.deploy.update_config.order",
        "approximated",
    ),
    "network_mode: 'service:db'\n    restart: 'no'": ("services.web.restart", "ignored"),
    "network_mode: 'service:db'\n    deploy: {replicas: 2}": ("services.web.deploy.replicas", "ignored"),
}


@pytest.mark.parametrize("key", CHANGED)
def test_a_fate_depends_on_the_value(bench: Any, key: str) -> None:
    path, outcome = CHANGED[key]
    document = (
        f"services:\n  web:\n    image: nginx\n    {key}\n  db: {{image: x}}\nsecrets: {{s: {{environment: S}}}}\n"
        "volumes: {data: {}}\n"
    )
    rows = {row.path: row for row in emit(PolicyResult(system=bench.system(document))).report}
    assert rows[path].outcome == outcome
    assert all(row.reason and row.remedy for row in rows.values() if row.outcome != "translated")


def test_what_only_follows_has_no_row(bench: Any) -> None:
    """`links` and `network_mode` imply a dependency with `restart`, which nobody wrote."""
    text = "services: {web: {image: x, links: [db]}, side: {image: x, network_mode: 'service:web'}, db: {image: x}}"
    assert [row.path for row in bench.chart(text).report if row.outcome != "translated"] == []


def test_more_reserved_than_allowed_is_refused(bench: Any) -> None:
    for limits, reserved in (("memory: 64M", "memory: 65M"), ("cpus: '1'", "cpus: '2'")):
        resources = f"{{limits: {{{limits}}}, reservations: {{{reserved}}}}}"
        text = f"services: {{web: {{image: x, deploy: {{resources: {resources}}}}}}}"
        with pytest.raises(ComposeError, match="1 problem") as caught:
            bench.chart(text)
        assert "more than the limit" in caught.value.problems[0].message


def test_what_nobody_uses_is_not_made(bench: Any) -> None:
    """As with Compose, which then does not look at it either."""
    text = """
      services: {web: {image: x}}
      volumes: {data: {}}
      networks: {back: {internal: true}}
      configs: {rules: {content: x}}
      secrets: {key: {file: key, driver: vault}}
    """
    chart = bench.chart(text, {"key": "never"})
    rows = {row.path: row for row in chart.report}
    for path in ("volumes.data", "networks.back", "configs.rules", "secrets.key"):
        assert (rows[path].outcome, rows[path].target) == ("translated", "nothing: no service uses it")
    values = release_values(bench.system(text, {"key": "never"}))
    assert "secrets" not in values
    kinds = {rendered["kind"] for rendered in bench.render(chart, values)}
    assert kinds == {"Deployment", "Service", "NetworkPolicy"}


def test_the_page_names_every_word_of_the_extension() -> None:
    page = (Path(__file__).parents[2] / "docs" / "chart.md").read_text(encoding="utf-8")
    missing = {word for words in WORDS.values() for word in words if f"`{word}`" not in page}
    assert missing == set()


def test_a_secret_is_not_split(bench: Any) -> None:
    text = "services: {web: {image: x, command: 'run --password hunter2hunter2 ${WORDS}'}}"
    assert emit(bench.policy_result(text, WORDS="one")).files
    with pytest.raises(ComposeError) as raised:
        emit(bench.policy_result(text, WORDS="one two"))
    assert [(problem.path, problem.message, problem.hint) for problem in raised.value.problems] == [
        ("services.web.command", "it contains a secret, and a variable changes how this line is split into words",
         "write a list"),
    ]  # fmt: skip
