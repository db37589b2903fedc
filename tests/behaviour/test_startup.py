"""What the probe looks at before it serves: what is not as it must be ends it, with a line that says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.behaviour.images import PROBE

pytestmark = pytest.mark.skipif(not shutil.which("go"), reason="the probe is a Go program")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A probe of its own: the judge's may be in use."""
    made = tmp_path_factory.mktemp("probe") / "probe"
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    subprocess.run(["go", "build", "-o", made, "."], cwd=PROBE, env=env, check=True, capture_output=True)
    return made


def start(probe: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it; one that gets as far as serving ends by itself, with 0."""
    argv = [probe, "serve", *words, "exit=0"]
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, mode in {"open": 0o755, "closed": 0o700, "mount/lost+found": 0o700, "used": 0o700}.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name).chmod(mode)
    for name, content in {"empty": "", "used/other": "x", "closed/node": "another"}.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "shared").write_text("cookie")
    return tmp_path


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("needs-writable={}/absent", "cannot be written to by"),
        ("needs-file={}/absent", "no such file"),
        ("needs-file={}/empty", "is empty"),
        ("needs-mode={}/shared:0600", "has the mode 0644, and must have 0600"),
        ("refuses-lost-found={}/mount", "has a lost+found"),
        ("needs-nofile=99999999999", "and needs 99999999999"),
        ("needs-capability=NONE", "it has no NONE"),
        ("init={}/used", "has a other, but no VERSION"),
        ("private={}/open", "has the mode 0755, and must be 0700 or 0750"),
        ("node={}/closed", 'is the data of "another"'),
        ("cookie={}/shared", "must be for its owner alone"),
        ("template={}/absent:{}/made", "no such file"),
        ("needs-peer=localhost:1", "does not answer"),
    ],
)
def test_what_is_wrong_ends_it(probe: Path, folder: Path, word: str, message: str) -> None:
    ended = start(probe, word.replace("{}", str(folder)))
    assert (ended.returncode, message in ended.stderr) == (1, True), ended.stderr
    assert ended.stderr.startswith(f"{word.partition('=')[0]}: ")


def test_what_is_right_lets_it_serve(probe: Path, folder: Path) -> None:
    """Twice: what the first start made suits the second."""
    words = ["needs-writable={}", "init={}/data", "private={}/data", "node={}/data", "cookie={}/data/cookie"]
    words += ["needs-mode={}/made:0600", "refuses-lost-found={}/data", "copies={}/used:{}/copy", "needs-nofile=1"]
    for _ in range(2):
        ended = start(probe, *(word.replace("{}", str(folder)) for word in words))
        assert (ended.returncode, ended.stderr) == (0, "")
    assert (folder / "copy" / "other").read_text() == "x"
