"""A fresh clone needs Python and nothing else: the environment makes and renews itself, whatever befalls it.

The checkouts here are real; the packages of their small lock lie in a folder, so nothing is downloaded.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PREPARING = "tycho: preparing"


def pack(wheels: Path, name: str, files: dict[str, str]) -> str:
    """A wheel in the folder, and its line of a lock."""
    info = f"{name}-1.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {path: hashlib.sha256(text.encode()).digest() for path, text in files.items()}
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{len(files[path].encode())}"
        for path, digest in digests.items()
    ]
    path = wheels / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in (files | {f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""])}).items():
            entry = zipfile.ZipInfo(inner)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)
    return f"{name}==1 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Checkout:
    """A clone at an awkward place, and the machine around it."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "a clone, voilà"
        self.wheels = tmp_path / "wheels"
        self.wheels.mkdir()
        for folder in ("bin", "tools", "tycho", "chart_templates", "policies"):
            shutil.copytree(ROOT / folder, self.root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, self.root)
        real = Path(sys.executable).parent
        # The real uv, and the real libraries by reference.
        self.pins = pack(
            self.wheels,
            "uv",
            {
                "uv-1.data/scripts/uv": f'#!/bin/sh\nexec "{real}/uv" "$@"\n',
                "uv-1.data/scripts/task": f'#!/bin/sh\nexec "{real}/task" "$@"\n',
                "libraries.pth": f"{sysconfig.get_path('purelib')}\n",
            },
        )
        self.lock = self.root / "requirements.lock"
        self.lock.write_text(self.pins)
        self.env = {
            "PATH": os.environ["PATH"],
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.wheels),
            "UV_CACHE_DIR": str(tmp_path / "cache"),
        }

    @property
    def stamp(self) -> Path:
        return self.root / ".venv/stamp"

    def start(self, tool: str = "task", **env: str) -> subprocess.Popen[str]:
        argv = [self.root / "bin" / tool, "--version"]
        return subprocess.Popen(
            argv, cwd="/", env=self.env | env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip

    def run(self, **env: str) -> tuple[int, str, str]:
        with self.start(**env) as running:
            out, err = running.communicate()
        return running.returncode, out, err

    def renews(self) -> bool:
        code, out, err = self.run()
        assert code == 0, err
        assert out.startswith("3."), "the tool itself has spoken"
        return PREPARING in err

    def add(self, name: str) -> None:
        with self.lock.open("a") as lock:
            lock.write(pack(self.wheels, name, {f"{name}.py": ""}))

    def holds(self, module: str) -> bool:
        argv = [self.root / ".venv/bin/python", "-I", "-c", f"import {module}"]
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_environment_is_made_once_and_holds_this_checkout(checkout: Checkout) -> None:
    assert checkout.renews()
    assert not checkout.renews()
    argv = [checkout.root / ".venv/bin/python", "-I", "-c", "import tycho; print(tycho.__file__)"]
    stdout = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert stdout.strip() == str(checkout.root / "tycho/__init__.py")
    assert (checkout.root / ".venv/bin/tycho").exists()


def test_what_it_is_made_from_renews_it(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.renews()
    checkout.add("added")
    assert checkout.renews()
    assert checkout.holds("added")
    checkout.lock.write_text(checkout.pins)
    assert checkout.renews()
    assert not checkout.holds("added")
    with (checkout.root / "pyproject.toml").open("a") as project:
        project.write("\n# changed\n")
    assert checkout.renews()
    checkout.root = checkout.root.rename(tmp_path / "moved")
    assert checkout.renews()
    assert not checkout.renews()


def test_many_at_once_make_it_once(checkout: Checkout) -> None:
    for _ in "fresh", "changed":
        running = [checkout.start() for _ in range(4)]
        outputs = [process.communicate() for process in running]
        assert [process.returncode for process in running] == [0] * 4, outputs
        assert sum(PREPARING in err for _, err in outputs) == 1
        checkout.add("added")


def test_killed_in_the_middle_it_starts_anew(checkout: Checkout) -> None:
    running = checkout.start()
    assert running.stderr
    assert running.stdout
    assert PREPARING in running.stderr.readline()
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert not checkout.stamp.exists()
    assert checkout.renews()


def test_a_broken_environment_is_made_again(checkout: Checkout) -> None:
    assert checkout.renews()
    python = checkout.root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nonexistent/python")
    assert checkout.renews()


def test_a_link_to_the_tool_runs_it(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.renews()
    (tmp_path / "linked").symlink_to(checkout.root / "bin/task")
    argv = [tmp_path / "linked", "--version"]
    completed = subprocess.run(argv, cwd="/", env=checkout.env, check=True, capture_output=True, text=True)
    assert completed.stderr == ""


def test_the_callers_python_settings_are_not_ours(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "tycho.py").write_text("raise SystemExit('the wrong tycho')")
    env = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    code, _, err = checkout.run(**env)
    assert code == 0, err


def test_a_wrong_hash_is_refused(checkout: Checkout) -> None:
    checkout.lock.write_text(checkout.pins.replace("sha256:", "sha256:0")[: len(checkout.pins)] + "\n")
    code, _, err = checkout.run()
    assert code != 0
    assert "tycho: setting up its environment failed" in err
    assert not checkout.stamp.exists()
    checkout.lock.write_text(checkout.pins)
    assert checkout.renews()


def test_an_old_python_is_told_what_is_needed(checkout: Checkout, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    code, _, err = checkout.run(PATH=f"{old}:{os.environ['PATH']}")
    assert code == 1
    assert err == "tycho needs Python 3.11 or newer: install it, or set TYCHO_PYTHON to one\n"
    code, out, err = checkout.run(PATH=f"{old}:{os.environ['PATH']}", TYCHO_PYTHON=sys.executable)
    assert (code, out[:2]) == (0, "3."), err
