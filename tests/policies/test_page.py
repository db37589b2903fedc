"""The page on policies: what it shows works, and what it lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.policies.applying import set_fields, system
from tycho import apply_policies
from tycho.errors import PolicyDenied, PolicyError
from tycho.policy import active_policies
from tycho.policy.selector import KEYS
from tycho.policy.yaml_policy import READERS

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
FILE = re.compile(r"^```\w+\n(?:# |<%# )([\w.-]+)(?: %>)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOP = """
services:
  db: {image: "postgres:16", deploy: {replicas: 3}}
  web: {image: "nginx:1", user: "101", labels: {example.com/trusted: "true"}}
  shipper: {image: "fluent:1"}
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_examples_work(ours: Path) -> None:
    policy_result = apply_policies(system(SHOP), folders=[ours])
    services = policy_result.system.services
    assert [name for name, service in services.items() if service.read_only] == ["db", "shipper"]
    assert (services["db"].user, services["web"].user) == ("65534:65534", "101")
    assert services["db"].deploy.replicas == 1
    assert services["web"].deploy.resources.limits.memory == 2**29
    assert services["shipper"].x["x-tycho"] == {"hostPaths": ["/var/log"]}
    assert [emit.services for emit in policy_result.emits] == [("db",)]
    with pytest.raises(PolicyDenied) as denied:
        apply_policies(system(SHOP.replace("nginx:1", "nginx:latest")), folders=[ours])
    assert denied.value.problems[0].message == "nginx:latest is another image tomorrow"


def test_page_files_are_active_policies(ours: Path) -> None:
    listed = {name for name, _, _ in active_policies([ours])}
    assert {path.name for path in ours.iterdir() if path.suffix != ".j2"} <= listed
    for name, path, description in active_policies([ours]):
        if path.parent == ours:
            assert name in PAGE
            assert description.endswith(".")


def test_the_list_of_shipped_policies_is_whole() -> None:
    rows = re.findall(r"^\| `(\d\d-[\w.-]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, description) for name, _, description in active_policies()]


def test_every_key_is_told() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) | {"match", "unless", "hint", "description"}
    assert set(READERS) | set(KEYS) <= documented


def test_the_way_out_of_host_access(tmp_path: Path) -> None:
    proxy = system("services: {traefik: {image: t, network_mode: host}, other: {image: t}}")
    with pytest.raises(PolicyDenied):
        apply_policies(proxy)
    (tmp_path / "80-grants.yaml").write_text(dict(FILE.findall(PAGE))["80-grants.yaml"])
    assert apply_policies(proxy, folders=[tmp_path]).system.services["traefik"].network_mode == "host"
    with pytest.raises(PolicyDenied):
        apply_policies(system("services: {other: {image: t, network_mode: host}}"), folders=[tmp_path])


def test_the_way_out_of_hardening_stays_canonical() -> None:
    before = system("services: {web: {image: nginx, security_opt: ['no-new-privileges:false']}}")
    assert set_fields(apply_policies(before).system.services["web"].security_opt) == ["no-new-privileges=false"]


def test_a_policy_cannot_say_what_compose_cannot(tmp_path: Path) -> None:
    (tmp_path / "50-a.yaml").write_text("description: A.\npatch:\n  hostPath: /etc\n")
    with pytest.raises(PolicyError) as broken:
        apply_policies(system(SHOP), folders=[tmp_path])
    assert str(broken.value.problems[0]).endswith('50-a.yaml:3  patch.hostPath: Compose has no key "hostPath" here')
