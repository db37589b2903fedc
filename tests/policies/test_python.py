"""Policies in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.applying import policy_result, set_fields
from tycho.errors import PolicyDenied, PolicyError
from tycho.policy import active_policies, explain

WEB = "services: {web: {image: 'nginx:${TAG:-1}', user: '1'}, db: {image: postgres}}"
POLICY = '''"""Databases are read by nobody else.

And so on.
"""
from tycho.model import Project

def apply(system: Project) -> Project:
    services = {
        name: service.model_copy(update={"read_only": True}) if name == "db" else service
        for name, service in system.services.items()
    }
    return system.model_copy(update={"services": services})
'''


def test_apply_changes_the_system(tmp_path: Path) -> None:
    result = policy_result(tmp_path, WEB, {"50-a.py": POLICY})
    assert result.system.services["db"].read_only
    assert result.policies == ("50-a.py",)
    assert result.system.at("services.db.read_only") == ("50-a.py", 7)
    assert set_fields(result.system.services["web"].image) == "nginx:${TAG:-1}"
    ours = tmp_path / "ours"
    assert active_policies([ours]) == [("50-a.py", ours / "50-a.py", "Databases are read by nobody else.")]
    (step,) = explain(policy_result(tmp_path, WEB, {"50-a.py": ""}).system, folders=[folder_with(ours, POLICY)])
    assert step.changes == ("services.db.read_only",)


def folder_with(folder: Path, text: str) -> Path:
    (folder / "50-a.py").write_text(text)
    return folder


def test_live_values_survive_a_rebuilt_service(tmp_path: Path) -> None:
    text = POLICY.replace('name == "db"', "True")
    web = policy_result(tmp_path, WEB, {"50-a.py": text}, TAG="9").system.services["web"]
    assert (str(web.image), set_fields(web.image)) == ("nginx:9", "nginx:${TAG:-1}")
    assert web.model_fields_set >= {"image", "user", "read_only"}


def test_it_may_refuse(tmp_path: Path) -> None:
    text = "from tycho.errors import PolicyDenied\ndef apply(system):\n    raise PolicyDenied('no')\n"
    with pytest.raises(PolicyDenied, match="no"):
        policy_result(tmp_path, WEB, {"50-a.py": text})


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("def apply(:", 1, "SyntaxError: invalid syntax"),
        ("x = 1\n1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("x = 1\n", 0, "has no function `apply`"),
        (
            "def apply(system):\n    x = 1\n    return system.nope\n",
            3,
            "AttributeError: 'Project' object has no",
        ),
        ("def apply(system):\n    return None\n", 0, "TypeError: apply must return the system, not NoneType"),
        (POLICY.replace('"read_only": True', '"read_only": "maybe"'), 7, '"maybe" should be a valid boolean'),
        ("def apply(system):\n    return system.model_copy(update={'networks': {'a': 1}})\n", 1, "1 should be a"),
        (POLICY.replace('"read_only": True', '"readonly": True'), 7, 'Compose has no key "readonly" here'),
    ],
)
def test_python_errors_name_file_and_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as broken:
        policy_result(tmp_path, WEB, {"50-a.py": text})
    (problem,) = broken.value.problems
    assert problem.file == str(tmp_path / "ours" / "50-a.py")
    assert problem.line == line
    assert problem.message.startswith(message)
    assert problem.path in ("", "networks.a", "services.db.read_only", "services.db.readonly")
