"""What comes before a start: whether it was made already, and what it would change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import yaml

from tycho.chart import COMPOSE_FILE, check_contents, release_values
from tycho.compilation import Compiled
from tycho.differences import list_differences
from tycho.errors import KeyReused, NotFound
from tycho.operations import Operations
from tycho.orchestrators import merge_values
from tycho.ownership import Caller
from tycho.release import Release

OWN = ("variables", "services", "secrets", "secretFiles")  # parts of the values that a request decides


class Starting(Operations):
    """Verbs on a start that is asked for, and not made yet."""

    async def find_start(self, compiled: Compiled, guid: str) -> Release | None:
        """Find the system that the same start has made already; None where there is none.

        Args:
            compiled: What is to run.
            guid: The start's GUID.

        Raises:
            KeyReused: Another start has this GUID.
        """
        try:
            found = await self.orchestrator.status((await self.find(guid)).identity)
        except NotFound:
            return None
        if found.state in ("kept", "lost", "uninstalling"):
            return None
        first = (await self.orchestrator.history(found.identity))[0].revision  # what was changed since is no start
        if first > 1:  # after so many changes nobody knows the start any more; its GUID is of this key
            return found
        stored = await self.orchestrator.contents(found.identity, first)
        values = release_values(compiled.policy_result.system, compiled.metadata)
        same = all((stored.values.get(part) or {}) == (values.get(part) or {}) for part in OWN)
        if not same or stored.compose != compiled.chart.files.get(COMPOSE_FILE, ""):
            raise KeyReused(
                f"this key came with another request before, which started {found.identity.name}",
                hint="a new request needs a new Idempotency-Key",
            )
        return found

    async def preview(
        self, compiled: Compiled, *, guid: str = "", new: bool = False, caller: Caller | None = None
    ) -> tuple[str, ...]:
        """Tell what a start would change; touches nothing.

        Args:
            compiled: What would run.
            guid: The system's GUID, when the caller has one.
            new: It is another instance even when the project runs already.
            caller: Who asks, and from where.

        Raises:
            Ambiguous: Several instances of the project run.
            Conflict: The GUID belongs to a system of another name.
            ComposeError: A config or a secret has no content.
        """
        system = compiled.policy_result.system
        check_contents(system)
        caller = await self._finder.identify(caller)
        running = None if new and not guid else await self._finder.find_running(system.name, guid, caller)
        before: Mapping[str, Any] = {"services": {}, "variables": {}}
        if running and running.state != "kept":
            before = (await self.orchestrator.contents(running.identity)).merged
        defaults = await asyncio.to_thread(yaml.safe_load, str(compiled.chart.files["values.yaml"]))
        after = merge_values(defaults, release_values(system, compiled.metadata))
        parts = ("services", "variables")
        old, new_ = ({part: values.get(part) or {} for part in parts} for values in (before, after))
        return tuple(difference.words for difference in list_differences(old, new_))
