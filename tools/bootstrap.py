"""Make or renew a checkout's private environment: `bootstrap.py ROOT VENV`; standard library only.

The stamp is written last: it says that the environment is whole, and what it was made from.
Two at once are safe: the second waits for the first, and then finds nothing to do.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path
from venv import EnvBuilder

OUTER = getattr(sys, "_base_executable", sys.executable)  # an active environment may have no pip


def run(*argv: object, may_fail: bool = False) -> bool:
    """Run a program quietly; one that must succeed ends the set-up when it does not."""
    env = {"UV_SYSTEM_CERTS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **os.environ}
    if "PIP_INDEX_URL" in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    words = [str(word) for word in argv]
    sink = subprocess.DEVNULL if may_fail else sys.stderr
    done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False)
    if done.returncode and not may_fail:
        sys.exit(f"tycho: setting up its environment failed: {words[0]} ended with {done.returncode}")
    return done.returncode == 0


def fresh(venv: Path, lock: Path) -> None:
    """An environment that holds uv and nothing else; the lock's own hash says which uv."""
    pin = re.search(r"^uv==(?:.*\\\n)*.*\n", lock.read_text(), re.MULTILINE)
    if not pin:
        sys.exit(f"tycho: {lock} pins no uv")
    lent = run(OUTER, "-m", "pip", "--version", may_fail=True)  # else the environment gets one of its own
    try:
        EnvBuilder(clear=True, symlinks=True, with_pip=not lent).create(venv)
    except subprocess.CalledProcessError:
        sys.exit("tycho: this Python has neither pip nor ensurepip; on Debian: apt-get install python3-venv")
    python, requirement = venv / "bin/python", venv / "uv.txt"
    requirement.write_text(pin[0])
    pip = (OUTER if lent else python, "-m", "pip", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--require-hashes", "-r", requirement)


def renew(venv: Path, root: Path, lock: Path, old: bytes) -> None:
    """Bring the environment from what the old stamp says to what the lock and pyproject.toml say."""
    python, uv = venv / "bin/python", venv / "bin/uv"
    if not (
        old.startswith(os.fsencode(root) + b"\n") and python.exists()
    ):  # absent, half made, moved, or its Python is gone
        fresh(venv, lock)
    sync = (uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock)
    if not run(*sync, "--offline", may_fail=True):
        run(*sync)
    install = (uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation")
    run(*install, "--python", python, "--editable", root)


def main() -> None:
    """Make the environment what it should be, unless it is."""
    root, venv = Path(sys.argv[1]), Path(sys.argv[2])
    venv.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{venv}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        lock, stamp = root / "requirements.lock", venv / "stamp"
        want = os.fsencode(root) + b"\n" + lock.read_bytes() + (root / "pyproject.toml").read_bytes()
        old = stamp.read_bytes() if stamp.exists() else b""
        if old == want and (venv / "bin/python").exists():
            return
        print(f"tycho: preparing {venv} (once per lock)", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        renew(venv, root, lock, old)
        part = venv / "stamp.part"
        part.write_bytes(want)
        part.rename(stamp)


main()
