"""The verbs of a service that tell what a system is made of, and what would be made of it."""

from __future__ import annotations

import builtins
from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tycho.client.requests import Request, Steps, address, pairs
from tycho.client.sending import Sender
from tycho.client.verb import verb

if TYPE_CHECKING:
    from tycho.comparison import Comparison
    from tycho.release import Drift


class ReadingVerbs(Sender):
    """Verbs that change nothing."""

    @verb
    def values(self, id: str, *, revision: int = 0, all: bool = False) -> Steps[dict[str, Any]]:
        """Return the values of a system's release, secrets masked; `all` adds those of its chart."""
        values: dict[str, Any] = (yield from self._get("system", id, "values", revision=revision or None, all=all))[
            "values"
        ]
        return values

    @verb
    def report(self, id: str, *, revision: int = 0) -> Steps[builtins.list[dict[str, Any]]]:
        """Return what changed its meaning on the way from the compose file to the cluster, key by key."""
        rows: builtins.list[dict[str, Any]] = yield from self._get("system", id, "report", revision=revision or None)
        return rows

    @verb
    def compose(self, id: str, *, revision: int = 0) -> Steps[str]:
        """Return the compose file of what runs: merged, after the policies, without secrets."""
        document: str = yield from self._get("system", id, "compose", revision=revision or None)
        return document

    @verb
    def chart(self, id: str, *, revision: int = 0) -> Steps[dict[str, bytes]]:
        """Return the files of the chart that a system was made of, by path."""
        chart = yield from self._get("system", id, "chart", revision=revision or None)
        return {path: b64decode(content) for path, content in chart["files"].items()}

    @verb
    def diff(self, request: Mapping[str, Any]) -> Steps[Comparison]:
        """Tell what a start would change: of a request as of `start`, whose `upgrade` compares with what runs."""
        from tycho.comparison import Comparison

        plan = yield from self._send(Request("POST", "/system", pairs(dryRun=True), dict(request), safe=True))
        return Comparison.model_validate(plan["comparison"])

    @verb
    def drift(self, id: str) -> Steps[builtins.list[Drift]]:
        """List the fields of live objects that are not what the release says, and who changed them."""
        from tycho.release import Drift

        return [Drift.model_validate(row) for row in (yield from self._get("system", id, "drift"))]

    @verb
    def diff_revision(self, id: str, revision: int = 0) -> Steps[Comparison]:
        """Tell what going back to a revision would change; 0 is the last good one before the running one."""
        from tycho.comparison import Comparison

        path = address("system", id, "rollback")
        plan = yield from self._send(Request("POST", path, pairs(dryRun=True), {"revision": revision}, safe=True))
        return Comparison.model_validate(plan["comparison"])
