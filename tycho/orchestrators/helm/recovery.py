"""What to do with a release that somebody left in the middle: the Lease is ours, so nobody works on it any more."""

from __future__ import annotations

from tycho.orchestrators.helm import releases
from tycho.orchestrators.helm.api import Api, Object
from tycho.orchestrators.helm.process import Helm
from tycho.release import Identity


async def recover(api: Api, helm: Helm, identity: Identity) -> tuple[tuple[str, ...], Object | None]:
    """Bring a release into a state from which it can go on.

    Returns:
        What was done, and the newest revision; None when there is no release (any more).
    """
    known = await releases.revisions(api, identity)
    if not known:
        return (), None
    last = known[-1]
    if not releases.pending(last):
        return (), last
    good = releases.last_good(known, releases.number(last))
    where = ["--namespace", identity.namespace]
    if good:
        await helm.run(["rollback", identity.release, str(good), *where, "--history-max", "10"])
        note = f"an earlier change of {identity.name} was cut short; went back to revision {good} first"
        return (note,), (await releases.revisions(api, identity))[-1]
    await helm.run(["uninstall", identity.release, *where, "--wait", "--timeout", "120s"])
    return (f"an earlier start of {identity.name} was cut short; began anew",), None
