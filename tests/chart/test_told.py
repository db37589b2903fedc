"""Names, and what a report must tell: small inputs that showed faults, with neighbours of each."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.chart.cases import CASES, read, rows
from tycho.errors import ComposeError, PolicyDenied


def test_a_name_that_is_too_long(bench: Any) -> None:
    text = read("long-name")
    (row,) = [row for path, row in rows(bench, text).items() if path.startswith("services.a-service")]
    assert row.reason == "it has 75 characters, and a DNS label at most 63"
    assert row.remedy.endswith("compose.yaml:7")
    assert not bench.lint([bench.chart(text)])


def test_invalid_dns_label_lists_users(bench: Any) -> None:
    row = rows(bench, read("dotted-host-name"))["services.DB.container_name"]
    assert (row.outcome, row.reason) == ("ignored", '"My_Prod.DB": a DNS label has no . _')
    assert row.remedy.startswith("call it db; it is used at ")
    assert row.remedy.endswith("compose.yaml:9")


@pytest.mark.parametrize(
    ("keys", "path", "reason"),
    [
        ("links: ['db:da_ta']", "links[0]", '"da_ta": a DNS label has no _'),
        ("networks: {default: {aliases: [-a]}}", "networks.default.aliases",
         '"-a": a DNS label begins and ends with a letter or a digit'),
        (f"hostname: {'h' * 64}", "hostname", f'"{"h" * 64}": it has 64 characters, and a DNS label at most 63'),
    ],
)  # fmt: skip
def test_further_names_that_are_none(bench: Any, keys: str, path: str, reason: str) -> None:
    text = f"services: {{web: {{image: x, {keys}}}, db: {{image: x}}}}"
    assert rows(bench, text)[f"services.web.{path}"].reason == reason


def test_the_case_of_a_name_does_not_matter(bench: Any) -> None:
    text = "services: {web: {image: x, container_name: MyWeb, networks: {default: {aliases: [API]}}}}"
    objects = bench.objects(text)
    assert {"myweb", "api"} <= objects.names("Service")
    assert not {path for path in rows(bench, text) if "alias" in path}


# What was not reported.


def test_a_policy_that_stops_sudo_says_so(bench: Any) -> None:
    targets = {row.path: row for row in bench.chart(read("setgid-image")).report}
    row = targets["services.lab.security_opt"]
    assert ("sudo" in row.reason, row.remedy) == (True, "set security_opt: [no-new-privileges=false] to turn it off")
    kept_out = read("setgid-image").replace('user: "0"', 'user: "0"\n    security_opt: [no-new-privileges=false]')
    assert "allowPrivilegeEscalation" not in bench.objects(kept_out).container("rel-lab")["securityContext"]
    assert "sudo" not in {row.path: row for row in bench.chart(kept_out).report}["services.lab.security_opt"].reason


def test_report_explains_api_server_access(bench: Any) -> None:
    text = read("internal-network-waits")
    reported = {row.path: row for row in bench.chart(text).report}
    assert "ports 443 and 6443" in reported["networks.back.internal"].reason
    alone = text.partition("  migrate:")[0] + "networks: {back: {internal: true}}\n"
    assert not {row.path: row for row in bench.chart(alone).report}["networks.back.internal"].reason
    assert bench.objects(text).names("NetworkPolicy") > bench.objects(alone).names("NetworkPolicy")


@pytest.mark.parametrize("file", ["compose.yaml", "only.yaml"])
def test_no_path_of_the_host_is_read(bench: Any, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    """A file that mounts `/` is compiled without a look at it."""
    looked: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path=".": looked.append(str(path)) or scandir(path))
    with pytest.raises((ComposeError, PolicyDenied)):
        bench.chart((CASES / "node-exporter" / file).read_text(encoding="utf-8"))
    assert not [path for path in looked if path == "/" or path.startswith(("/proc", "/sys", "/var", "/etc"))]


def test_user_without_group_owns_volumes(bench: Any) -> None:
    text = "services: {db: {image: x, user: '999', volumes: ['data:/data']}}\nvolumes: {data: }"
    row = {row.path: row for row in bench.chart(text).report}["services.db.user"]
    assert (row.outcome, row.reason.partition(",")[0]) == (
        "translated",
        "the user's number becomes a group of the process",
    )
    for other in (text.replace("'999'", "'999:999'"), text.replace("'data:/data'", "'./absent:/data:ro'")):
        reason = {row.path: row for row in bench.chart(other).report}["services.db.user"].reason
        assert "user's number" not in reason


def test_shared_pod_accepts_equal_keys(bench: Any) -> None:
    text = "services: {vpn: {image: x, restart: always}, app: {image: x, restart: always, network_mode: 'service:vpn'}}"
    targets = {row.path: row for row in bench.chart(text).report}
    assert (targets["services.app.restart"].outcome, targets["services.app.restart"].reason) == ("translated", "")
    other = text.replace("restart: always}, app", "restart: on-failure}, app")
    assert rows(bench, other)["services.app.restart"].reason == "it shares the pod of vpn, whose setting is used"
