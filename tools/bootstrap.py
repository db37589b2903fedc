"""Make or renew a checkout's private environment: `bootstrap.py ROOT VENV`; standard library only.

The stamp is written last: it says that the environment is whole, and what it was made from. Two at once are safe:
the second waits for the first, and then finds nothing to do.
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
    sink = subprocess.DEVNULL if may_fail else sys.stderr
    done = subprocess.run(
        [str(word) for word in argv], env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, check=False
    )
    if done.returncode and not may_fail:
        sys.exit(f"tycho: setting up its environment failed: {argv[0]} ended with {done.returncode}")
    return done.returncode == 0


def renew(venv: Path, root: bytes, lock: Path, old: bytes) -> None:
    """Bring the environment from what the old stamp says to what the lock says."""
    python, uv = venv / "bin/python", venv / "bin/uv"
    if not (old.startswith(root) and python.exists()):  # absent, half made, moved, or its Python is gone
        EnvBuilder(clear=True, symlinks=True).create(venv)
        old = b""
    if not old.startswith(root + lock.read_bytes()):
        pin = re.search(r"^uv==(?:.*\\\n)*.*\n", lock.read_text(), re.MULTILINE)
        if not pin:
            sys.exit(f"tycho: {lock} pins no uv")
        (venv / "uv.txt").write_text(pin[0])
        pip = (OUTER, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--require-hashes")
        run(*pip, "-r", venv / "uv.txt")
        sync = (uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock)
        if not run(*sync, "--offline", may_fail=True):
            run(*sync)
    install = (uv, "pip", "install", "--quiet", "--offline", "--python", python, "--no-deps", "--no-build-isolation")
    run(*install, "--editable", os.fsdecode(root).rstrip("\n"))


def main() -> None:
    """Make the environment what it should be, unless it is."""
    root, venv = Path(sys.argv[1]), Path(sys.argv[2])
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{venv}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        place, lock, stamp = os.fsencode(root) + b"\n", root / "requirements.lock", venv / "stamp"
        want = place + lock.read_bytes() + (root / "pyproject.toml").read_bytes()
        old = stamp.read_bytes() if stamp.exists() else b""
        if old == want and (venv / "bin/python").exists():
            return
        print(f"tycho: preparing {venv} (once per lock)", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        renew(venv, place, lock, old)
        part = venv / "stamp.part"
        part.write_bytes(want)
        part.rename(stamp)


main()
