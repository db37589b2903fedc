"""Variables that a chart decides when it is compiled: told of, never secret; and those that stay open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chart.test_hidden import compiled, policy_result, system
from tycho.chart import emit
from tycho.chart.compile_time import NOT_IN_CHART
from tycho.chart.hidden import INTERPOLATED
from tycho.chart.translate.key_rule import Table
from tycho.chart.translate.tables import SECTIONS
from tycho.compose import Sources, load
from tycho.errors import ComposeError, ReportError
from tycho.model import PolicyResult
from tycho.policy import apply_policies

PAGE = Path(__file__).parents[2] / "docs" / "chart.md"


def include(folder: Path, inner: dict[str, Any], env: str) -> PolicyResult:
    (folder / "inner").mkdir()
    (folder / "inner" / "compose.yaml").write_text(json.dumps(inner), encoding="utf-8")
    (folder / "inner" / ".env").write_text(env, encoding="utf-8")
    (folder / "compose.yaml").write_text("name: demo\ninclude: [inner/compose.yaml]\n", encoding="utf-8")
    return apply_policies(load(Sources.from_disk([str(folder / "compose.yaml")], env={})))


@pytest.mark.parametrize(
    ("service", "top", "path"),
    [
        ({"hostname": "a${V}"}, {}, "services.web.hostname"),
        ({"volumes": ["vol:/x${V}"]}, {"volumes": {"vol": {}}}, "services.web.volumes[0]"),
        ({"volumes": ["./${V}:/x"]}, {}, "services.web.volumes[0]"),
        ({"volumes": [{"type": "tmpfs", "target": "/x${V}"}]}, {}, "services.web.volumes[0].target"),
        ({"networks": {"n": {"aliases": ["a${V}"]}}}, {"networks": {"n": {}}}, "services.web.networks.n.aliases[0]"),
        ({"user": "${V:-1}"}, {}, "services.web.user"),
        ({"restart": "${V:-always}"}, {}, "services.web.restart"),
        ({"ports": ["80:${V:-80}"]}, {}, "services.web.ports[0]"),
        ({"deploy": {"placement": {"constraints": ["node.labels.z == ${V}"]}}}, {},
         "services.web.deploy.placement.constraints[0]"),
        ({"healthcheck": {"test": "x", "interval": "${V:-3s}"}}, {}, "services.web.healthcheck.interval"),
        ({"container_name": "ab${V}"}, {}, "services.web.container_name"),
        ({"group_add": ["${V:-5}"]}, {}, "services.web.group_add[0]"),
        ({"tmpfs": ["/x${V}"]}, {}, "services.web.tmpfs[0]"),
        ({"read_only": "${V:-true}"}, {}, "services.web.read_only"),
        ({"x-tycho": {"kind": "${V:-StatefulSet}"}}, {}, "services.web.x-tycho.kind"),
        ({"pre_start": [{"command": ["x"], "user": "${V:-1}"}]}, {}, "services.web.pre_start[0].user"),
        ({"networks": ["n"]}, {"networks": {"n": {"external": True, "name": "a${V}"}}}, "networks.n.name"),
        ({"volumes": ["vol:/x"]},
         {"volumes": {"vol": {"driver_opts": {"type": "nfs", "o": "addr=${V:-h}", "device": ":/"}}}},
         "volumes.vol.driver_opts.o"),
        ({"volumes": ["vol:/x"]},
         {"volumes": {"vol": {"x-tycho": {"class": "${V:-fast}"}}}}, "volumes.vol.x-tycho.class"),
        ({}, {"name": "a${V}"}, "name"),
    ],
)  # fmt: skip
def test_row_for_decided(service: dict[str, Any], top: dict[str, Any], path: str) -> None:
    made = policy_result(service, **top)
    (row,) = [row for row in emit(made).report if row.target == "read at compile time"]
    assert (row.path, row.outcome) == (path, "approximated")
    assert "${V}" in row.reason
    with pytest.raises(ReportError) as caught:
        emit(made, strict=True)
    assert path in [problem.path for problem in caught.value.problems]
    secret = json.loads(json.dumps([service, top]).replace("${V", "${API_TOKEN"))
    with pytest.raises(ComposeError) as refused:
        emit(policy_result(secret[0], **secret[1]))
    assert any("${API_TOKEN} is secret by its name" in problem.message for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("service", "top"),
    [
        ({"build": {"context": ".", "args": {"A": "${API_TOKEN}"}}}, {}),
        ({"logging": {"driver": "x", "options": {"a": "${API_TOKEN}"}}}, {}),
        ({"x-mine": "${API_TOKEN}"}, {}),
        ({"env_file": [{"path": "${API_TOKEN}", "required": False}]}, {}),
        ({"environment": {"A": "${API_TOKEN}"}, "command": ["${API_TOKEN}"]}, {}),
        ({"stop_signal": "${API_TOKEN}"}, {}),
        ({"deploy": {"rollback_config": {"failure_action": "${API_TOKEN}"}}}, {}),
        ({"volumes": ["vol:/x"]}, {"volumes": {"vol": {"driver": "${API_TOKEN}"}}}),
        ({"secrets": ["s"]}, {"secrets": {"s": {"file": "/${API_TOKEN}"}}}),
        ({"secrets": ["s"]}, {"secrets": {"s": {"environment": "${API_TOKEN}"}}}),
        (
            {"volumes": ["vol:/x"]},
            {"volumes": {"vol": {"driver_opts": {"type": "cifs", "o": "password=${API_TOKEN}"}}}},
        ),
        ({}, {"networks": {"n": {"driver_opts": {"a": "${API_TOKEN}"}, "ipam": {"driver": "${API_TOKEN}"}}}}),
    ],
)
def test_no_row_elsewhere(service: dict[str, Any], top: dict[str, Any]) -> None:
    """What a chart holds nothing of decides nothing there, and gives nothing away."""
    chart = emit(policy_result(service, {"API_TOKEN": "planted-s3cret"}, **top))
    assert [row.path for row in chart.report if row.target == "read at compile time"] == []
    assert not [path for path, text in chart.files.items() if "planted-s3cret" in str(text)]


def test_refuse_what_shows_credentials() -> None:
    with pytest.raises(ComposeError) as caught:
        emit(policy_result({"volumes": ["vol:/x${WHERE}"]}, {"WHERE": "/token=planted-s3cret"}, volumes={"vol": {}}))
    assert "${WHERE} contains a credential, and its value would be part of the chart" in [
        problem.message for problem in caught.value.problems
    ]
    assert "planted" not in repr(caught.value.problems)


def test_take_a_variable_back() -> None:
    service = {"hostname": "a${HOST_KEY}", "x-tycho": {"secretEnvironment": ["!HOST_KEY"]}}
    chart = emit(policy_result(service, {"HOST_KEY": "b"}))
    assert [row.path for row in chart.report if row.target == "read at compile time"] == ["services.web.hostname"]


def test_resolver_stays_open(bench: Any) -> None:
    text = """
services:
  web:
    image: x
    dns: ["${DNS1:-10.0.0.3}", "${DNS2:-}"]
    dns_search: ["${ZONE:-}", "b.${ZONE:-example}"]
    domainname: ${ZONE:-example}
    dns_opt: ["ndots:${DOTS:-3}", "${OPTION:-timeout:2}", rotate]
    ports: [{target: 80, app_protocol: "${PROTOCOL:-}"}]
"""
    chart = bench.chart(text)
    assert chart.files == bench.chart(text, DNS1="10.0.0.9", ZONE="z", DOTS="1", OPTION="debug", PROTOCOL="http").files
    (pod,) = [entry["spec"]["template"]["spec"] for entry in bench.render(chart) if entry["kind"] == "Deployment"]
    assert pod["dnsConfig"] == {
        "nameservers": ["10.0.0.3"],
        "searches": ["b.example", "example"],
        "options": [{"name": "ndots", "value": "3"}, {"name": "timeout", "value": "2"}, {"name": "rotate"}],
    }
    env = {"DNS2": "10.0.0.9", "ZONE": "z", "DOTS": "1", "OPTION": "debug", "PROTOCOL": "http"}
    objects = bench.render(chart, {"variables": env})
    (pod,) = [entry["spec"]["template"]["spec"] for entry in objects if entry["kind"] == "Deployment"]
    assert pod["dnsConfig"] == {
        "nameservers": ["10.0.0.3", "10.0.0.9"],
        "searches": ["z", "b.z", "z"],
        "options": [{"name": "ndots", "value": "1"}, {"name": "debug"}, {"name": "rotate"}],
    }
    assert objects.find("Service", "rel-web-published")["spec"]["ports"][0]["appProtocol"] == "http"


def test_row_for_node_port() -> None:
    granted = {"x-tycho": {"grants": ["ports.mode=host"]}}
    made = system({"ports": [{"target": 80, "published": "${V:-80}", "mode": "host"}], **granted})
    assert "services.web.ports[0].published" in [
        row.path for row in emit(PolicyResult(system=made)).report if row.target == "read at compile time"
    ]


def test_empty_resolver_is_left_out(bench: Any) -> None:
    objects = bench.objects("services: {web: {image: x, dns: ['${NONE:-}'], dns_opt: ['${NONE:-}']}}")
    (pod,) = [entry["spec"]["template"]["spec"] for entry in objects if entry["kind"] == "Deployment"]
    assert "dnsConfig" not in pod


@pytest.mark.parametrize(
    "service",
    [
        {"environment": {"A": "${INNER_TOKEN}"}},
        {"environment": ["A=pre-${INNER_TOKEN}"]},
        {"environment": ["PLAIN=1", "A=${INNER_URL}"]},
    ],
)
def test_included_secret_is_an_entry(tmp_path: Path, service: dict[str, Any]) -> None:
    """An included file's own `.env` decides its variables: what is secret goes to the release all the same."""
    inner = {"services": {"web": {"image": "x", **service}}}
    made = include(tmp_path, inner, "INNER_TOKEN=planted-s3cret\nINNER_URL=x://u:planted-s3cret@h\n")
    chart, values = compiled(made)
    assert not [path for path, text in chart.files.items() if "planted" in str(text)]
    assert "planted-s3cret" in values["services"]["web"]["secretEnv"]["A"]
    assert "services.web.environment.A" in [row.path for row in chart.report]


@pytest.mark.parametrize("command", ["serve ${INNER_TOKEN}", ["serve", "x-${INNER_TOKEN}"]])
def test_included_secret_in_text(tmp_path: Path, command: object) -> None:
    inner = {"services": {"web": {"image": "x", "command": command}}}
    chart, values = compiled(include(tmp_path, inner, "INNER_TOKEN=planted-s3cret\n"))
    assert not [path for path, text in chart.files.items() if "planted" in str(text)]
    assert "planted-s3cret" in "".join(values["variables"].values())


def test_included_secret_elsewhere_is_refused(tmp_path: Path) -> None:
    inner = {"services": {"web": {"image": "x", "hostname": "a${INNER_TOKEN}"}}}
    with pytest.raises(ComposeError, match="1 problem") as caught:
        emit(include(tmp_path, inner, "INNER_TOKEN=planted\n"))
    assert "${INNER_TOKEN} is secret by its name" in caught.value.problems[0].message


RESOLVED = frozenset({"include", "extends", "pre_start", "post_start", "pre_stop"})  # what is below them has keys too


def list_compile_time_keys(section: str, table: Table) -> tuple[str, ...]:
    """List the keys of a section whose variables are read at compile time and whose values the chart holds."""
    live = {place.rstrip(".*[]") for place in INTERPOLATED.get(section, ())}
    keys = (
        key
        for key, row in table.items()
        if row.outcome in ("translated", "approximated") and "(live)" not in row.target and section != "secrets"
    )
    gone = NOT_IN_CHART | RESOLVED
    result = [key for key in keys if key not in live and not {key.split(".")[0].removesuffix("[]"), key} & gone]
    return tuple(sorted(key for key in result if "[]" not in key or key.partition("[]")[0] not in result))


def test_page_lists_decided_keys() -> None:
    """The page and the code say the same of what is decided when a chart is compiled."""
    table = PAGE.read_text(encoding="utf-8").partition("| of | read at compile time |")[2].partition("\n\n")[0]
    rows = dict(row.strip("| ").split(" | ", 1) for row in table.split("\n") if row.startswith("| "))
    names = {"services and jobs": "services", "the file": ""}
    listed = {names.get(title, title): keys.replace("`", "").split(", ") for title, keys in rows.items()}
    tables = {
        section: list(list_compile_time_keys(section, table))
        for section, table in SECTIONS.items()
        if section != "jobs"
    }
    assert listed == {section: keys for section, keys in tables.items() if keys}


def test_live_places_exist() -> None:
    """Each live place is a key of the model, and none of them is decided."""
    for section, places in INTERPOLATED.items():
        for place in places:
            key = place.removesuffix(".*").removesuffix("[]")
            row = SECTIONS[section].get(key) or SECTIONS[section].get(key.partition("[]")[0])
            assert row is not None, place
            assert key not in list_compile_time_keys(section, SECTIONS[section]), place


def test_digest_is_of_templates() -> None:
    entry, other = (system({"environment": {"DB_PASSWORD": text}}).digest for text in ("${A}", "${B}"))
    assert entry != other
