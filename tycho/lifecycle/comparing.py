"""The verbs that tell what others would change, and change nothing themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tycho.chart import check_start
from tycho.choices import check_running
from tycho.compilation import Compiled
from tycho.lifecycle.finder import keep_identity, new_identity
from tycho.lifecycle.starting import Starting
from tycho.ownership import Caller

if TYPE_CHECKING:
    from tycho.comparison import Comparison
    from tycho.release import Drift


class Comparing(Starting):
    """Verbs that compare what runs with what is to run."""

    async def diff(
        self, compiled: Compiled, *, guid: str = "", new: bool = False, caller: Caller | None = None
    ) -> Comparison:
        """Tell what `up` would change.

        Args:
            compiled: What would run.
            guid: The system's GUID, when the caller has one.
            new: It is another instance even when the project runs already.
            caller: Who asks, and from where.

        Raises:
            Ambiguous: Several instances of the project run.
            Conflict: The GUID belongs to a system of another name.
            ComposeError: A config or a secret has no content.
            PolicyDenied: It asks for what no policy granted.
        """
        system = compiled.policy_result.system
        check_start(system)
        caller = await self._finder.identify(caller)
        guid, running = await self._finder.find_for_up(system.name, guid, caller, new=new)
        if running is None or running.state in ("kept", "lost"):
            identity = running.identity if running else new_identity(system.name, guid, self.target, caller)
            return await self.orchestrator.diff(compiled.artifact, self.make_instance(compiled, identity, caller))
        compiled = await self._keep_images(compiled, running)
        identity = keep_identity(running.identity, caller)
        instance = self.make_instance(compiled, identity, caller, upgrade=True, paused=running.paused)
        comparison = await self.orchestrator.diff(compiled.artifact, instance)
        if running.state in ("deployed", "paused"):
            return comparison
        note = f"revision {running.revision} is {running.state}: `tycho up` makes another one, whatever differs"
        return comparison.model_copy(update={"notes": (note, *comparison.notes)})

    async def drift(self, id: str) -> Sequence[Drift]:
        """List the fields of a system's live objects that are not what the release says, and who changed them.

        Args:
            id: Which system.

        Raises:
            NotFound: No such system.
            Forbidden: The caller may not apply its objects: looking takes that right, too.
        """
        return await self.orchestrator.drift(check_running(await self.find(id)).identity)

    async def diff_revision(self, id: str, revision: int = 0) -> Comparison:
        """Tell what going back to a revision would change.

        Args:
            id: Which system.
            revision: Its number, or 0 for the last good one before this.

        Raises:
            NotFound: No such system, no such revision, or none that was ever good.
        """
        return await self.orchestrator.diff_revision(check_running(await self.find(id)).identity, revision)
