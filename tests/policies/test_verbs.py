"""default, patch, system, emit, deny, warn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.applying import policy_result, set_fields
from tycho.errors import PolicyDenied

SHOP = """
services:
  web:
    image: nginx:${TAG:-1}
    environment: {A: "${A}", B: two}
    labels: {tier: front}
    user: "33"
    deploy: {replicas: 3}
    healthcheck: {test: "true", interval: 5s}
  db:
    image: postgres
"""


def test_default_fills_what_the_file_left_open(tmp_path: Path) -> None:
    web = policy_result(
        tmp_path,
        SHOP,
        """
        description: Small and unprivileged.
        default:
          user: "1000:1000"
          read_only: true
          labels: {tier: middle, team: shop}
          deploy: {replicas: 1, resources: {limits: {memory: 67108864}}}
        """,
    ).system.services["web"]
    assert web.user == "33"
    assert web.read_only
    assert web.labels == {"tier": "front", "team": "shop"}
    assert web.deploy.replicas == 3
    assert web.deploy.resources.limits.memory == 67108864


def test_patch_overrides_and_null_deletes(tmp_path: Path) -> None:
    web = policy_result(
        tmp_path,
        SHOP,
        """
        description: Another user, no B, no healthcheck.
        patch:
          user: "1000:1000"
          environment: {B: null, C: three}
          healthcheck: null
          deploy: {replicas: null, mode: global}
        """,
    ).system.services["web"]
    assert web.user == "1000:1000"
    assert set_fields(web.environment) == {"A": "${A}", "C": "three"}
    assert web.healthcheck is None
    assert "healthcheck" not in web.model_fields_set
    assert set_fields(web.deploy) == {"mode": "global"}


def test_live_values_stay_live_beside_a_patch(tmp_path: Path) -> None:
    text = "description: B.\npatch: {environment: {B: '3'}, deploy: {replicas: 2}, user: '1'}"
    web = policy_result(tmp_path, SHOP, text, TAG="9", A="a").system.services["web"]
    assert (str(web.image), set_fields(web.image)) == ("nginx:9", "nginx:${TAG:-1}")
    assert set_fields(web.environment) == {"A": "${A}", "B": "3"}


def test_changed_paths_lie_in_the_policy(tmp_path: Path) -> None:
    changes = "default: {read_only: true}\npatch:\n  environment:\n    C: three\n  labels: {tier: back}\n"
    text = f"description: C.\n{changes}"
    system = policy_result(tmp_path, SHOP, text).system
    assert system.at("services.web.environment.C") == ("50-test.yaml", 5)
    assert system.at("services.web.labels.tier") == ("50-test.yaml", 6)
    assert system.at("services.web.read_only") == ("50-test.yaml", 2)
    assert system.at("services.web.environment.B") == ("system", 5)


def test_replaced_paths_have_new_places(tmp_path: Path) -> None:
    compose = "services:\n  web:\n    image: nginx\n    dns:\n      - 10.0.0.1\n      - 10.0.0.2\n"
    assert policy_result(tmp_path, compose, {}).system.at("services.web.dns[1]") == ("system", 6)
    after = policy_result(tmp_path, compose, "description: D.\npatch: {dns: [10.0.0.3]}").system
    assert after.at("services.web.dns[0]") == ("50-test.yaml", 2)
    assert after.at("services.web.image") == ("system", 3)


def test_equal_patch_ends_live_value(tmp_path: Path) -> None:
    web = policy_result(tmp_path, SHOP, "description: P.\npatch: {image: 'nginx:9'}", TAG="9").system.services["web"]
    assert set_fields(web.image) == "nginx:9"


def test_system_speaks_of_the_top_level(tmp_path: Path) -> None:
    text = "description: I.\nmatch: {name: db}\nsystem: {patch: {networks: {default: {internal: true}}}}"
    assert policy_result(tmp_path, SHOP, text).system.networks["default"].internal
    assert not policy_result(tmp_path, SHOP, text.replace("db", "nobody")).system.networks["default"].internal


def test_emit_names_the_template_and_the_services(tmp_path: Path) -> None:
    files = {
        "50-test.yaml": "description: One each.\nmatch: {name: w*}\nemit: budget.yaml.j2",
        "budget.yaml.j2": "kind: X",
    }
    (emit,) = policy_result(tmp_path, SHOP, files).emits
    assert (emit.policy, emit.template, emit.services) == (
        "50-test.yaml", str(tmp_path / "ours" / "budget.yaml.j2"), ("web",)
    )  # fmt: skip
    assert policy_result(tmp_path, SHOP, files | {"50-test.yaml": files["50-test.yaml"].replace("w*", "x")}).emits == ()


def test_refusals_come_together_with_places(tmp_path: Path) -> None:
    files = {
        "50-pinned.yaml": "description: P.\nunless: {image: '*:*'}\ndeny: '{image} floats'\nhint: pin {name}",
        "60-user.yaml": "description: U.\nmatch: {has: user=33}\ndeny: 'no {has}: {name.__class__} {0} {x'",
    }
    with pytest.raises(PolicyDenied) as denied:
        policy_result(tmp_path, SHOP, files)
    assert [str(problem) for problem in denied.value.problems] == [
        "system:11  services.db.image: postgres floats",
        "system:7  services.web.user: no 33: {name.__class__} {0} {x",
    ]
    assert denied.value.problems[0].hint == "pin db"
    assert (denied.value.exit_code, denied.value.http_status) == (21, 403)
    assert denied.value.message == "refused by 50-pinned.yaml, 60-user.yaml"


def test_a_warning_does_not_stop(tmp_path: Path) -> None:
    text = "description: W.\nmatch: {image: 'nginx:1'}\nwarn: '{image} is old'"
    assert [str(warning) for warning in policy_result(tmp_path, SHOP, text).warnings] == [
        "system:4  services.web.image: nginx:1 is old"
    ]
    assert not policy_result(tmp_path, SHOP, text, TAG="2").warnings


def test_braces_in_names_are_text(tmp_path: Path) -> None:
    compose = "services: {web: {image: 'a{name}b'}}"
    with pytest.raises(PolicyDenied) as denied:
        policy_result(tmp_path, compose, "description: D.\ndeny: '{image} no'")
    assert denied.value.problems[0].message == "a{name}b no"


def test_jobs_are_meant_too(tmp_path: Path) -> None:
    compose = SHOP + "jobs:\n  backup:\n    image: restic\n    triggers: {schedule: ['@daily']}\n"
    system = policy_result(
        tmp_path, compose, "description: RO.\nmatch: {name: backup}\npatch: {read_only: true}"
    ).system
    assert system.jobs["backup"].read_only
    assert not system.services["web"].read_only
