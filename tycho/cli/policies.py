"""`tycho policies`: what is applied, and from where."""

from __future__ import annotations

from pathlib import Path

from tycho.cli import show
from tycho.cli.options import Policies


def policies(policies: Policies = None) -> None:
    r"""List the policies in force, in their order.

    \b
    Example:
      tycho policies --policies ours/
    """
    from tycho.policy import active_policies
    from tycho.settings import settings

    folders = [Path(folder) for folder in (*settings().policies, *(policies or ()))]
    show.table([("POLICY", "FROM", "WHAT IT DOES"), *((n, str(p), d) for n, p, d in active_policies(folders))])
