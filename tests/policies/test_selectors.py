"""match and unless: which services are meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.policies.applying import policy_result, set_fields, system
from tycho.model import ServiceMetadata

SHOP = """
services:
  web:
    image: registry.example/nginx:${TAG:-1.27}
    labels: {tycho.root: "true", com.example/tier: front}
    ports: [{target: 80, published: "8080"}]
    sysctls: {net.core.somaxconn: "1024"}
    x-tycho: {kind: StatefulSet}
  api:
    image: example/api
    privileged: false
    cap_add: [Net_Admin, CHOWN]
    volumes: ["./src:/src", "data:/data"]
    labels: {tycho.root: "false"}
  db:
    build: .
    read_only: true
volumes: {data: {}}
"""

TABLE = [
    ({}, "web api db"),
    ({"name": "web"}, "web"),
    ({"name": ["web", "d?"]}, "web db"),
    ({"name": "*"}, "web api db"),
    ({"name": "WEB"}, ""),
    ({"image": "*nginx*"}, "web"),
    ({"image": "*:*"}, "web"),
    ({"image": "*"}, "web api"),
    ({"label": "tycho.root"}, "web api"),
    ({"label": "tycho.root=true"}, "web"),
    ({"label": "*/tier=fr*"}, "web"),
    ({"has": "privileged"}, ""),
    ({"has": "read_only"}, "db"),
    ({"has": "cap_add=NET_ADMIN"}, "api"),
    ({"has": "cap_add=SYS_ADMIN"}, ""),
    ({"has": "volumes.source=data"}, "api"),
    ({"has": "volumes.type=b*"}, "api"),
    ({"has": "sysctls.net.core.*=1024"}, "web"),
    ({"has": "*.target=80"}, "web"),
    ({"has": "x-tycho.kind=StatefulSet"}, "web"),
    ({"has": "networks.default"}, "web api db"),
    ({"has": ["read_only", "ports"]}, "web db"),
    ({"name": "web", "has": "read_only"}, ""),
    ({"metadata": "port=8888"}, "api"),
    ({"metadata": "clients=10.*"}, "api"),
    ({"metadata": "port"}, "api"),
]
METADATA = {"api": ServiceMetadata(port=8888, clients=("10.0.0.0/8",))}


@pytest.mark.parametrize(("selector", "meant"), TABLE, ids=[json.dumps(row[0]) for row in TABLE])
def test_match_and_unless(selector: dict[str, object], meant: str, tmp_path: Path) -> None:
    for verb in ("match", "unless") if selector else ("match",):
        text = json.dumps({"description": "T.", "patch": {"tty": True}} | ({verb: selector} if selector else {}))
        services = policy_result(tmp_path, SHOP, text, metadata=METADATA).system.services
        chosen = [name for name, service in services.items() if service.tty == (verb == "match")]
        assert chosen == meant.split()


def test_both_must_hold(tmp_path: Path) -> None:
    text = "description: T.\nmatch: {label: tycho.root}\nunless: {name: api}\npatch: {tty: true}"
    services = policy_result(tmp_path, SHOP, text).system.services
    assert [name for name, service in services.items() if service.tty] == ["web"]


@pytest.mark.parametrize("image", ["*:1.27", "*:9", "*TAG*", "*"])
def test_the_environment_changes_no_chart(image: str, tmp_path: Path) -> None:
    text = f"description: T.\nmatch: {{image: '{image}'}}\npatch: {{tty: true}}"
    first, second = (policy_result(tmp_path, SHOP, text, TAG=tag).system for tag in ("9", "1.27"))
    assert set_fields(first.services) == set_fields(second.services)


def test_the_shipped_policies_leave_templates_alone() -> None:
    from tycho import apply_policies

    before = system(SHOP.replace("Net_Admin, ", ""), TAG="9")
    after = apply_policies(before).system
    assert (
        set_fields(after.services["web"].image)
        == set_fields(before.services["web"].image)
        == "registry.example/nginx:${TAG:-1.27}"
    )
