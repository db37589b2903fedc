"""What each policy did, told."""

from __future__ import annotations

from pathlib import Path

from tests.policies.applying import folder, system
from tycho.policy import Step, explain

COMPOSE = "services: {web: {image: nginx, user: '1'}, db: {image: postgres, privileged: true}}"


def test_matched_skipped_and_changed(tmp_path: Path) -> None:
    ours = folder(
        tmp_path / "ours",
        {
            "10-a.yaml": "description: A.\nmatch: {name: web}\ndefault: {user: '2', tty: true}",
            "20-b.yaml": "description: B.\ndeny: no\nmatch: {has: privileged}",
            "30-c.yaml": "description: C.\nsystem: {default: {x-tycho: {a: 1}}}",
        },
    )
    assert explain(system(COMPOSE), folders=[ours]) == (
        Step("10-a.yaml", "services.web", matched=True, changes=("services.web.tty",)),
        Step("10-a.yaml", "services.db", matched=False),
        Step("20-b.yaml", "services.web", matched=False),
        Step("20-b.yaml", "services.db", matched=True, denied=("services.db.privileged",)),
        Step("30-c.yaml", "", matched=True, changes=("x-tycho",)),
    )
