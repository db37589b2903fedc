"""Folders: order, replacing, disabling; and every way a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.applying import folder, policy_result, system
from tycho import apply_policies, data_folders
from tycho.errors import PolicyError
from tycho.policy import active_policies

WEB = "services: {web: {image: nginx, labels: {a: b}}}"


def tier(value: str) -> str:
    return f"description: {value}.\npatch: {{labels: {{tier: {value}}}}}"


def test_the_name_is_the_order(tmp_path: Path) -> None:
    first = folder(tmp_path / "one", {"20-b.yaml": tier("two"), "60-c.yaml": tier("six")})
    second = folder(tmp_path / "two", {"40-a.yaml": tier("four")})
    for folders in ([first, second], [second, first]):
        result = apply_policies(system(WEB), folders=folders)
        assert result.policies == ("20-b.yaml", "40-a.yaml", "60-c.yaml")
        assert result.system.services["web"].labels["tier"] == "six"


def test_later_folder_replaces_or_disables(tmp_path: Path) -> None:
    first = folder(tmp_path / "one", {"20-b.yaml": tier("one"), "30-c.yaml": tier("one")})
    second = tmp_path / "two"
    second.mkdir()
    (second / "20-b.yaml").write_text(tier("two"))
    (second / "30-c.yaml").write_text("# not here\n\n")
    result = apply_policies(system(WEB), folders=[first, second])
    assert result.policies == ("20-b.yaml",)
    assert result.system.services["web"].labels["tier"] == "two"
    assert active_policies([first, second]) == [("20-b.yaml", second / "20-b.yaml", "two.")]


def test_other_files_are_no_policies(tmp_path: Path) -> None:
    files = {"README.md": "…", "x.yaml.j2": "kind: X", ".50-hidden.yaml": "{", "50-a.yml": tier("x")}
    assert policy_result(tmp_path, WEB, files).policies == ("50-a.yml",)


def test_the_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    emit = {"50-a.yaml": "description: E.\nemit: x.j2", "x.j2": "kind: X"}
    variants = [
        {},
        {"50-a.yaml": tier("x")},
        {"50-b.yaml": tier("x")},
        {"50-a.yaml": tier("y")},
        {"50-a.py": '"""P."""\ndef apply(system): return system\n'},
        emit,
        emit | {"x.j2": "kind: Y"},
    ]
    digests = [policy_result(tmp_path / str(n), WEB, files).digest for n, files in enumerate(made(tmp_path, variants))]
    assert len(set(digests)) == len(variants)
    assert digests[1] == policy_result(tmp_path / "again", WEB, made(tmp_path, [variants[1]], "again")[0]).digest


def made(tmp_path: Path, variants: list[dict[str, str]], name: str = "") -> list[dict[str, str]]:
    for n in range(len(variants)):
        (tmp_path / (name or str(n))).mkdir()
    return variants


BROKEN = [
    ("- a list", [(1, "", "a policy is a mapping")]),
    ("description: [", [(2, "", "did not find expected node content while parsing a flow node")]),
    ("patch: {tty: true}", [(1, "description", "is missing")]),
    ("description: D.", [(1, "", "does nothing")]),
    (
        "description: D.\npatch: {tty: true}\npatch: {tty: false}",
        [(3, "", 'mapping key "patch" already defined at line 2')],
    ),
    ("description: D.\nmatsch: {name: x}\nwarn: w", [(2, "matsch", 'unknown key "matsch"')]),
    ("description: D.\nmatch: {nam: x}\nwarn: w", [(2, "match.nam", 'unknown key "nam"')]),
    ("description: D.\nmatch: {name: 1}\nwarn: w", [(2, "match.name", "must be a glob")]),
    ("description: D.\nmatch: web\nwarn: w", [(2, "match", "must be a mapping")]),
    (
        "description: D.\npatch:\n  privilegd: true",
        [(3, "patch.privilegd", 'Compose has no key "privilegd" here')],
    ),
    (
        "description: D.\npatch: {deploy: {replica: 1}}",
        [(2, "patch.deploy.replica", 'Compose has no key "replica"')],
    ),
    ("description: D.\npatch: {user: 1000}", [(2, "patch.user", "1000 should be a valid string")]),
    (
        "description: D.\npatch: {mem_limit: 512m}",
        [(2, "patch.mem_limit", '"512m" should be a valid integer')],
    ),
    ("description: D.\npatch: {ports: ['80:80']}", [(2, "patch.ports[0]", '"80:80" should be')]),
    ("description: D.\npatch: {x: {}}", [(2, "patch.x", "extensions are written with their x-")]),
    ("description: D.\ndefault: {user: null}", [(2, "default.user", "null sets nothing")]),
    (
        "description: D.\nsystem: {patch: {services: {}}}",
        [(2, "system.patch.services", "is chosen by `match`")],
    ),
    ("description: D.\nsystem: {set: {}}", [(2, "system.set", 'unknown key "set"')]),
    ("description: D.\nsystem: {patch: {nets: {}}}", [(2, "system.patch.nets", 'Compose has no key "nets"')]),
    ("description: D.\nemit: missing.j2", [(2, "emit", "missing.j2: no such file")]),
    ("description: D.\nemit: ../other/x.j2", [(2, "emit", "../other/x.j2 is not in the policy's folder")]),
    ("description: D.\ndeny: '{user} no'", [(2, "deny", "unknown placeholder {user}")]),
    ("description: D.\ndeny: ''", [(2, "deny", "must be text")]),
    ("description: D.\npatch: {cpus: .inf}", [(2, "patch.cpus", "unsupported value")]),
    ("description: D.\nwarn: w\n---\n{}", [(4, "", "a policy is one YAML document")]),
    ("description: D.\npatch: !reset {}", [(2, "patch", "the tag !reset has no meaning in a policy")]),
    ("description: D.\npatch: &a {labels: *a}", [(2, "patch.labels", "cycle detected: an alias at patch.labels")]),
    (
        "description: ''\nmatch: {x: y}\ndefalt: {}\nwarn: '{z}'",
        [
            (1, "description", "must be text"),
            (2, "match.x", 'unknown key "x"'),
            (3, "defalt", 'unknown key "defalt"'),
            (4, "warn", "unknown placeholder {z}"),
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), BROKEN, ids=[row[0] for row in BROKEN])
def test_broken_file_names_line(text: str, expected: list[tuple[int, str, str]], tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as broken:
        policy_result(tmp_path, WEB, text)
    problems = sorted(broken.value.problems)
    assert {problem.file for problem in problems} == {str(tmp_path / "ours" / "50-test.yaml")}
    assert broken.value.exit_code == 20
    assert [(problem.line, problem.path) for problem in problems] == [(line, path) for line, path, _ in expected]
    for problem, (_, _, start) in zip(problems, expected, strict=True):
        assert problem.message.startswith(start)


def test_problems_of_all_files_together(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as broken:
        policy_result(tmp_path, WEB, {"50-a.yaml": "description: A.", "60-b.yaml": "[]", "70-c.py": "def apply(:"})
    assert [Path(problem.file).name for problem in broken.value.problems] == ["50-a.yaml", "60-b.yaml", "70-c.py"]
    assert broken.value.message == "3 problems in the policies"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="nowhere is not a folder of policies"):
        apply_policies(system(WEB), folders=[tmp_path / "nowhere"])


def test_short_syntax_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as broken:
        policy_result(tmp_path, WEB, "description: D.\npatch: {mem_limit: 512m}")
    assert "write long syntax" in broken.value.problems[0].hint


def test_no_bytecode_is_left_behind(tmp_path: Path) -> None:
    policy_result(tmp_path, WEB, {"50-a.py": "def apply(system):\n    '''Nothing.'''\n    return system\n"})
    assert not list(tmp_path.rglob("__pycache__"))
    assert not list(data_folders.policies().rglob("__pycache__"))
