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
  admin: {image: admin, ports: ["127.0.0.1:8081:81"], oom_score_adj: 5}
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
    printed: str = done.stdout.partition("\nNOTES:\n")[2]
    return printed


@pytest.fixture(scope="module")
def shop_notes(bench: Any) -> str:
    return notes(bench, SHOP, {})


@pytest.mark.parametrize(
    "line",
    [
        "  kubectl -n ns get pods,services -l app.kubernetes.io/instance=rel",
        "  kubectl -n ns get service rel-web-published    # where web answers",
        "  kubectl -n ns get service rel-admin-published    # where admin answers",
        "  kubectl -n ns create job --from=cronjob/rel-nightly nightly-now",
        "  helm -n ns test rel",
        "Pods that use a.token wait for its content: set secrets.a.token.value",
        "Containers of web wait for API_PASSWORD: set services.web.secretEnv.API_PASSWORD.",
    ],
)
def test_notes_say_what_to_do(shop_notes: str, line: str) -> None:
    assert any(printed.startswith(line) for printed in shop_notes.splitlines()), shop_notes


def test_notes_say_nothing_of_what_is_there(shop_notes: str) -> None:
    assert "theirs" not in shop_notes
    assert "cron2" not in shop_notes
    assert "rel-migrate-published" not in shop_notes
    assert "Ingress" not in shop_notes
    assert "\n\n\n" not in shop_notes


def test_notes_follow_the_values(bench: Any) -> None:
    values = {
        "services": {
            "web": {
                "secretEnv": {"API_PASSWORD": "x"},
                "ingress": {"enabled": True, "hosts": ["x.example"], "path": "/shop", "tls": [{"secretName": "t"}]},
            },
            "admin": {"service": {"ports": None}},
        },
        "secrets": {"a.token": {"value": "eA=="}},
        "dns": {"scope": "release"},
    }
    printed = notes(bench, SHOP, values)
    assert "rel-admin-published" not in printed
    assert "a.token" not in printed
    assert "API_PASSWORD" not in printed
    assert "  https://x.example/shop\n" in printed
    assert "These aliases do not resolve with dns.scope release: cron2.\n" in printed


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a page, as rows of cells."""
    parsed: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            parsed[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif parsed[-1]:
            parsed.append([])
    return [table for table in parsed if table]


def test_the_readme(bench: Any) -> None:
    chart = bench.chart(SHOP)
    page = chart.files["README.md"]
    parsed = tables(page)
    for table in parsed:
        assert {len(row) for row in table} == {len(table[0])}, table
    rows = {row[0]: row[1:] for table in parsed for row in table}
    assert rows["web"] == ["Deployment", "`nginx:${TAG:-1}`", "8080 → 80/TCP, 9090 → 90/UDP", "migrate, completed"]
    assert rows["nightly"][0] == "CronJob"
    assert rows["`dns.scope`"][0] == "`namespace`"
    assert rows["`variables.NAME`"] == ["`null`", "TAG"]
    persistence = "`persistence.NAME.existingClaim`, `persistence.NAME.size`, `persistence.NAME.storageClass`"
    assert rows[persistence][1] == "where data is stored: data"
    assert "Volumes and finished Jobs remain after an uninstall; `kubectl --namespace demo delete pvc,job " in page
    assert "--set-string 'secrets.a\\.token.value'=\"$(base64 -w0 FILE)\" \\\n" in page
    assert "--set-string 'services.web.secretEnv.API_PASSWORD'=…\n" in page
    assert "s3cret" not in page
    assert "secrets.theirs" not in page
    changed = [row for row in chart.report if row.outcome != "translated"]
    assert f"{len(changed)} keys of the compose file have another meaning on Kubernetes" in page
    assert [row["path"] for row in json.loads(chart.files["tycho-report.json"])] == [row.path for row in changed]


@pytest.mark.parametrize(
    ("service", "kept"),
    [
        ("{image: x}", ""),
        ("{image: x, restart: 'no'}", "Finished Jobs remain after an uninstall; `kubectl --namespace demo delete job "),
        (
            "{image: x, volumes: ['data:/v']}",
            "Volumes remain after an uninstall; `kubectl --namespace demo delete pvc ",
        ),
    ],
)
def test_the_readme_says_what_is_kept(bench: Any, service: str, kept: str) -> None:
    page = bench.chart(f"services: {{web: {service}}}\nvolumes: {{data: {{}}}}\n").files["README.md"]
    assert (kept in page) if kept else ("outlive" not in page)


def test_values_say_what_they_are(bench: Any) -> None:
    """Each setting of the chart has a comment, or shares that of the one before it."""
    lines = bench.chart(SHOP).files["values.yaml"].splitlines()
    for number, line in enumerate(lines[lines.index("defaults:") :], lines.index("defaults:")):
        if re.match(r"[a-zA-Z]+:", line) and line != 'fullnameOverride: ""':
            assert lines[number - 1].startswith("# "), line


def test_every_object_says_whose_it_is(bench: Any) -> None:
    objects = bench.render(
        bench.chart(SHOP),
        {"commonLabels": {"tycho-guid": "1a", "username": "ann"}, "services": {"web": {"ingress": {"enabled": True}}}},
    )
    standard_labels = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "version", "part-of", "managed-by")}
    for rendered in objects:
        labels = rendered["metadata"]["labels"]
        assert standard_labels | {"helm.sh/chart"} <= set(labels), rendered["metadata"]["name"]
        assert (labels["executor"], labels["tycho-guid"], labels["username"]) == ("tycho", "1a", "ann")
        assert "namespace" not in rendered["metadata"]
    assert len({rendered["kind"] for rendered in objects}) > 10


def test_the_page_names_values_that_exist(bench: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/chart.md").read_text(encoding="utf-8")
    rows = page.partition("## What people override")[2].partition("## ")[0]
    named = {key for row in re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE) for key in re.findall(r"`([\w.]+)`", row)}
    schema = json.loads(bench.chart(SHOP).files["values.schema.json"])
    assert len(named) > 20
    for path in named:
        node = {**schema, "$defs": {}}
        for part in path.split("."):
            node = _step(schema, node, part)


def _step(schema: Any, node: Any, part: str) -> Any:
    """The schema of a key below another, `NAME` standing for any."""
    while "$ref" in node or "allOf" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node["allOf"][0]
    below = node.get("properties") or {}
    if part == "NAME":
        return next(iter(below.values()), None) or node["additionalProperties"]
    for pattern, child in node.get("patternProperties", {}).items():
        if re.search(pattern, part):
            return child
    return below.get(part) or node.get("additionalProperties") or {"type": "object"}
