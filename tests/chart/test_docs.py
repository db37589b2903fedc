"""What a chart says of itself: NOTES as Helm prints them, README as a reader of its tables finds it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tycho.chart import values_yaml

SHOP = """
services:
  web:
    image: "nginx:${TAG:-1}"
    ports: ["8080:80", "9090:90/udp"]
    environment: {TOKEN_FILE: /run/secrets/a.token, "PIPE": "a|b", API_PASSWORD: s3cret}
    secrets: [a.token, theirs]
    depends_on: {migrate: {condition: service_completed_successfully}}
  admin: {image: admin, ports: ["127.0.0.1:8081:81"], cpu_shares: 5}
  migrate: {image: migrate, volumes: ["data:/data"]}
  nightly: {image: cron, container_name: cron2, x-tycho: {schedule: "0 3 * * *"}}
secrets:
  a.token: {environment: TOKEN}
  theirs: {external: true}
volumes: {data: {x-tycho: {size: 10g}}}
"""


def notes(bench: Any, text: str, values: Mapping[str, Any]) -> str:
    """What `helm install` says at its end."""
    chart = bench.folder / "notes.tgz"
    chart.write_bytes(bench.chart(text).archive())
    done = bench.program(
        "install",
        "rel",
        str(chart),
        "--namespace",
        "ns",
        "--dry-run=client",
        "--values",
        "-",
        stdin=values_yaml(values),
    )
    assert done.returncode == 0, done.stderr
    found: str = done.stdout.partition("\nNOTES:\n")[2]
    return found


@pytest.fixture(scope="module")
def said(bench: Any) -> str:
    return notes(bench, SHOP, {})


@pytest.mark.parametrize(
    "line",
    [
        "rel-web-published (LoadBalancer), port 8080/tcp 9090/udp:",
        "  kubectl --namespace ns get service rel-web-published --output jsonpath='{.status.loadBalancer.ingress[0]}'",
        "rel-admin-published (ClusterIP), port 8081/tcp:",
        "  kubectl --namespace ns port-forward service/rel-admin-published 8081",
        "  kubectl --namespace ns create job --from=cronjob/rel-nightly nightly-now",
        "  helm test rel --namespace ns",
        "Pods that use a.token wait for its content: give secrets.a.token.value",
        "Containers of web wait for API_PASSWORD: give services.web.secretEnvironment.API_PASSWORD.",
    ],
)
def test_notes_say_what_to_do(said: str, line: str) -> None:
    assert any(one.startswith(line) for one in said.splitlines()), said


def test_notes_say_nothing_of_what_is_there(said: str) -> None:
    assert "theirs" not in said
    assert "cron2" not in said
    assert "rel-migrate-published" not in said
    assert "Ingress" not in said
    assert "\n\n\n" not in said


def test_notes_follow_the_values(bench: Any) -> None:
    path = {"path": "/shop", "service": "web", "port": 80}
    values = {
        "common": {"publish": {"type": "NodePort"}},
        "services": {
            "web": {"secretEnvironment": {"API_PASSWORD": "x"}},
            "admin": {"publish": {"enabled": False}},
            "nightly": {"publish": {"port": 7}},
        },
        "secrets": {"a.token": {"value": "eA=="}},
        "dns": {"scope": "release"},
        "ingress": {"enabled": True, "hosts": [{"host": "x.example", "paths": [path]}], "tls": [{"secretName": "t"}]},
        "httpRoute": {"enabled": True, "parentRefs": [{"name": "gate"}], "hostnames": ["y.example"], "paths": [path]},
    }
    said = notes(bench, SHOP, values)
    assert "--output jsonpath='{.spec.ports[*].nodePort}'" in said
    assert "loadBalancer" not in said
    assert "rel-admin-published" not in said
    assert "a.token" not in said
    assert "API_PASSWORD" not in said
    assert "  https://x.example/shop\n" in said
    assert "  y.example/shop, through the Gateway gate\n" in said
    assert "in this release alone.\nThese further names are no names here: cron2.\n" in said


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a page, as rows of cells."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_the_readme(bench: Any) -> None:
    chart = bench.chart(SHOP)
    page = chart.files["README.md"]
    found = tables(page)
    for table in found:
        assert {len(row) for row in table} == {len(table[0])}, table
    rows = {row[0]: row[1:] for table in found for row in table}
    assert rows["web"] == ["Deployment", "`nginx:${TAG:-1}`", "80/tcp, 443/tcp, 90/udp", "migrate"]
    assert rows["nightly"][0] == "CronJob"
    assert rows["data"] == ["`10g`", "migrate"]
    assert rows["`dns.scope`"][0] == '`"namespace"`'
    assert rows["`common.pullPolicy`"][0] == '`"IfNotPresent"`'
    assert rows["`env.TAG`"] == ["compose.yaml:4 services.web.image"]
    assert rows["9"][0] == "`services.admin.cpu_shares`"
    assert "Volumes and finished Jobs outlive an uninstall; `kubectl --namespace demo delete pvc,job " in page
    assert "--set-string 'secrets.a\\.token.value'=\"$(base64 -w0 FILE)\" \\\n" in page
    assert "--set-string 'services.web.secretEnvironment.API_PASSWORD'=…\n" in page
    assert "s3cret" not in page
    assert "secrets.theirs" not in page
    count = len([row for row in chart.report if row.fate == "ignored"])
    assert f", {count} ignored;" in page


@pytest.mark.parametrize(
    ("service", "kept"),
    [
        ("{image: x}", ""),
        ("{image: x, restart: 'no'}", "Finished Jobs outlive an uninstall; `kubectl --namespace demo delete job "),
        ("{image: x, volumes: ['data:/v']}", "Volumes outlive an uninstall; `kubectl --namespace demo delete pvc "),
    ],
)
def test_the_readme_says_what_is_kept(bench: Any, service: str, kept: str) -> None:
    page = bench.chart(f"services: {{web: {service}}}\nvolumes: {{data: {{}}}}\n").files["README.md"]
    assert (kept in page) if kept else ("outlive" not in page)


def test_every_key_of_values_has_a_comment(bench: Any) -> None:
    """Or the comment of the entry that it is part of."""
    own = re.compile(r"  [a-zA-Z]+:")
    lines = bench.chart(SHOP).files["values.yaml"].splitlines()
    start = lines.index("common:")
    for number, line in enumerate(lines[start:], start):
        if re.match(r"[a-zA-Z]+:", line) or own.match(line):
            assert lines[number - 1].lstrip().startswith("# -- "), line


def test_every_object_says_whose_it_is(bench: Any) -> None:
    objects = bench.render(
        bench.chart(SHOP), {"tycho": {"guid": "1a", "username": "ann"}, "ingress": {"enabled": True}}
    )
    wanted = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "version", "part-of", "managed-by")}
    for one in objects:
        labels = one["metadata"]["labels"]
        assert wanted | {"helm.sh/chart"} <= set(labels), one["metadata"]["name"]
        assert (labels["executor"], labels["tycho-guid"], labels["username"]) == ("tycho", "1a", "ann")
        assert "namespace" not in one["metadata"]
    assert len({one["kind"] for one in objects}) > 10


def test_the_page_names_values_that_exist(bench: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/chart.md").read_text(encoding="utf-8")
    rows = page.partition("## What people override")[2].partition("## ")[0]
    named = {key for row in re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE) for key in re.findall(r"`([\w.]+)`", row)}
    schema = json.loads(bench.chart(SHOP).files["values.schema.json"])
    assert len(named) > 20
    for path in named:
        found = schema
        for part in path.split("."):
            found = found["properties"]
            found = next(iter(found.values())) if part in ("X", "NAME") else found[part]
            if "$ref" in found:
                found = schema["definitions"][found["$ref"].removeprefix("#/definitions/")]
