"""What is accepted, and said: each warning with its place, and all of them errors where strictness is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.compose.conftest import Load

W = "services:\n  web:\n    image: x\n    "
UNSET = 'The "{}" variable is not set. Defaulting to a blank string.'
WARNINGS = {
    'version: "3"\n' + W: ("compose.yaml:1 version", "the attribute `version` is obsolete"),
    W + "hostname: a-${NAME}": ("compose.yaml:4 services.web.hostname", UNSET.format("NAME")),
    W + "environment: {DAY: 2024-01-01}": ("compose.yaml:4 services.web.environment.DAY", "is a date to YAML"),
    W + "init: yes": ("compose.yaml:4 services.web.init", '"yes" for boolean is not supported by YAML 1.2'),
    W + "secrets: [s]\nsecrets:\n  s: {file: none.txt}": ("compose.yaml:6 secrets.s.file", "none.txt: "),
    W + "\nnetworks:\n  n: {external: {name: m}}": ("compose.yaml:6 networks.n", "external.name is deprecated"),
}


@pytest.mark.parametrize("text", WARNINGS)
def test_a_warning(text: str, loaded: Load) -> None:
    (warning,) = loaded(text).warnings
    place, message = WARNINGS[text]
    assert f"{warning.place} {warning.path}" == place
    assert message in warning.message


def test_a_variable_is_missed_once(loaded: Load) -> None:
    warnings = loaded(W + "hostname: ${A}\n    domainname: ${A}${B}").warnings
    assert [warning.message for warning in warnings] == [UNSET.format("A"), UNSET.format("B")]


def test_strictness_takes_warnings_for_errors(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(W + "working_dir: ${A}\n    init: true\n")
    tycho = Path(sys.executable).with_name("tycho")

    def run(*flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([tycho, "compile", *flags], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run().returncode, UNSET.format("A") in run().stderr) == (0, True)
    strict = run("--strict")
    assert strict.returncode == 12
    assert [line.split()[0] for line in strict.stderr.splitlines() if line.startswith("compose")] == [
        "compose.yaml:4", "compose.yaml:5",
    ]  # fmt: skip
    assert strict.stderr.splitlines()[-1].startswith("2 warnings")
