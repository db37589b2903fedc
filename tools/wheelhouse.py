"""Fill a folder with the wheels of Tycho and of what it needs: `wheelhouse.py ROOT FOLDER [PYTHON]`.

What only developers need is left out. Each is the lock's version with the lock's hash; Tycho's own is built here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OUTER = getattr(sys, "_base_executable", sys.executable)  # an active environment may have no pip
ENTRY = re.compile(r"^(?P<name>[a-z0-9._-]+)(?:\[[^\]]*\])?==(?:.*\n)(?:[ \t]+.*\n)*", re.MULTILINE)
VIA = re.compile(r"^ +#(?: via)? +(?!via$)(\S.*)$", re.MULTILINE)
PROJECT = "tycho (pyproject.toml)"


def needed(lock: str) -> list[str]:
    """List the entries of a lock that the program itself needs, by who asks for them."""
    entries = {match["name"]: match[0] for match in ENTRY.finditer(lock)}
    askers = {name: {via.partition("[")[0] for via in VIA.findall(entry)} for name, entry in entries.items()}
    names = {name for name, via in askers.items() if PROJECT in via}
    while more := {name for name, via in askers.items() if via & names} - names:
        names |= more
    return [entry for name, entry in entries.items() if name in names]


def main(root: Path, folder: Path, python: str = "") -> None:
    """Fill the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        lock = Path(temporary, "runtime.lock")
        lock.write_text("".join(needed((root / "requirements.lock").read_text())))
        pip = [OUTER, "-m", "pip"]
        options = ["--only-binary=:all:", "--no-deps", "--require-hashes", "--disable-pip-version-check", "--quiet"]
        options += [f"--python-version={python}"] if python else []
        subprocess.run([*pip, "download", *options, "-r", lock, "-d", folder], check=True)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder.absolute()], cwd=root, check=True
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
