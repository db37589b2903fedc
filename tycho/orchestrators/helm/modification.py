"""Reading back what a release was made of."""

from __future__ import annotations

from tycho.errors import NotFound
from tycho.orchestrators.helm import releases
from tycho.orchestrators.helm.api import Api
from tycho.orchestrators.helm.stored import read_stored
from tycho.orchestrators.stored import StoredRelease
from tycho.release import Identity


class Modification:
    """The verbs of an orchestrator that begin from what a release was made of."""

    api: Api

    async def contents(self, identity: Identity, revision: int = 0) -> StoredRelease:
        """What a revision was made of; 0 is the running one.

        Raises:
            NotFound: There is no such revision.
        """
        known = [releases.number(item) for item in await releases.revisions(self.api, identity)]
        wanted = revision or max(known, default=0)
        if wanted not in known:
            listed = ", ".join(map(str, known))
            raise NotFound(f"{identity.name} has no revision {wanted}", hint=f"it has: {listed}")
        return await read_stored(self.api, identity, wanted)
