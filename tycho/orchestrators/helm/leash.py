"""What a helm is started by, so that it does not outlive Tycho."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

LEASH = ("--pdeathsig", "KILL", "--")


def make_leash() -> list[str]:
    """Who kills Tycho kills its helm, too, where the system offers that: nobody else would know of it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, *LEASH] if setpriv and _is_able(setpriv) else []


@cache
def _is_able(setpriv: str) -> bool:
    """Tell whether it is the whole program: BusyBox, as images have it, knows no signal."""
    return not subprocess.run([setpriv, *LEASH, "true"], check=False, capture_output=True).returncode
