"""Each shipped policy alone: a folder with a compose file, and what becomes of it, or why it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.applying import folder, set_fields
from tycho import Sources, apply_policies, data_folders, load
from tycho.errors import PolicyDenied
from tycho.policy import active_policies

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/compose.yaml"))
SECTIONS = ("services", "networks", "volumes", "configs", "secrets", "x")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_before_and_after(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    before = load(Sources.from_disk(["compose.yaml"], env={}))
    only = folder(tmp_path / "only", {}, keep=(f"{case.name.partition('.')[0]}.yaml",))
    if (refused := case / "refused.txt").exists():
        with pytest.raises(PolicyDenied) as denied:
            apply_policies(before, folders=[only])
        assert "\n".join(map(str, denied.value.problems)) + "\n" == refused.read_text()
        assert all(problem.hint for problem in denied.value.problems)
        return
    after = load(Sources.from_disk(["after.yaml"], env={}))
    policy_result = apply_policies(before, folders=[only]).system
    assert {key: set_fields(getattr(policy_result, key)) for key in SECTIONS} == {
        key: set_fields(getattr(after, key)) for key in SECTIONS
    }


def test_every_shipped_policy_has_a_case() -> None:
    assert {case.name.partition(".")[0] for case in CASES} == {Path(name).stem for name, _, _ in active_policies()}


def test_every_shipped_policy_says_what_it_does() -> None:
    for name, path, description in active_policies():
        assert path == data_folders.policies() / name
        assert description.endswith(".")
        assert len(description) <= 110


@pytest.mark.parametrize("example", ["notebook/docker-compose.yaml", "shop/compose.yaml"])
def test_the_examples_pass(example: str) -> None:
    root = Path(__file__).parents[2] / "examples"
    policy_result = apply_policies(load(Sources.from_disk([str(root / example)], env={})))
    assert policy_result.policies == tuple(name for name, _, _ in active_policies())
    assert all("no-new-privileges=true" in service.security_opt for service in policy_result.system.services.values())
