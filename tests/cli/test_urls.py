"""The URL of a system from a shell: in the settings, on the cluster, in `tycho status`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.xdist_group("cluster")
TEMPLATE = "https://apps.example.org/private/{user}/{name}/{guid}/"
TWO = """
services:
  web: {image: "nginx:1", ports: ["8080:80"]}
  db: {image: "postgres:16"}
"""


def test_up_and_status_show_the_url(tycho: Run, tool: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(TWO)
    env = {"TYCHO_URL_TEMPLATE": TEMPLATE, "TYCHO_URL_CLASS": "public", "TYCHO_USERNAME": "ada"}
    (started,) = json.loads(tycho("up", "--name", "linked", "-o", "json", **env).stdout)
    guid, namespace = started["sid"], started["namespace"]
    url = f"https://apps.example.org/private/ada/linked/{guid}/"
    assert started["url"] == url
    assert [service["url"] for service in started["services"]] == [url, ""]
    ingresses = json.loads(tool("kubectl", "-n", namespace, "get", "ingress", "-o", "json").stdout)["items"]
    (rule,) = [rule for ingress in ingresses for rule in ingress["spec"]["rules"]]
    assert (rule["host"], rule["http"]["paths"][0]["path"]) == ("apps.example.org", url[24:-1])
    assert f"web {url}, db" in tycho("status", guid).stdout
    (row,) = [line.split() for line in tycho("status", "--services", guid).stdout.splitlines() if " web " in line]
    assert row[5] == url
    notes = tool("helm", "-n", namespace, "get", "notes", started["release"]).stdout
    assert f"{url}    # where a browser opens web" in notes
    tycho("down", guid, TYCHO_USERNAME="ada")


def test_a_template_that_has_no_meaning(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(TWO)
    refused = tycho("compile", rc=2, TYCHO_URL_TEMPLATE="https://{nmae}-{guid}.example.org/").stderr
    assert refused == (
        "TYCHO_URL_TEMPLATE: {nmae} is not a placeholder\n  hint: there are {name}, {user}, {guid}, {service}\n"
    )


def test_a_prefix_that_cannot_be_stripped(tycho: Run, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(TWO.replace('"8080:80"]', '"8080:80"], x-tycho: {url: strip}'))
    refused = tycho("compile", rc=10, TYCHO_URL_TEMPLATE=TEMPLATE, TYCHO_URL_CLASS="public").stderr
    assert "compose.yaml:3  services.web.x-tycho.url: Tycho does not know how the IngressClass" in refused
    assert "have the operator set TYCHO_URL_CONTROLLER" in refused
