"""What to do with a release that somebody left in the middle: the Lease is ours, so nobody works on it any more."""

from __future__ import annotations

from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators import WaitOptions
from tycho.orchestrators.helm import releases
from tycho.orchestrators.helm.helm_program import program, version
from tycho.orchestrators.helm.process import Helm
from tycho.ownership import DESCRIPTION
from tycho.release import Identity

HISTORY = ("--history-max", "10")  # revisions that helm keeps
DESCRIBES_ROLLBACKS = (4, 3, 0)  # the first helm whose `rollback` takes a description
LONGEST = 250  # characters of a description, of which helm takes 256
# The helms that apply with fieldValidation=Strict whatever they are told: the API server refuses unknown fields.
STRICT_ANYWAY = ((4, 2), (4, 3))
NO_QUESTION = "--disable-openapi-validation"


async def list_options(verb: str) -> list[str]:
    """List what helm is told with a verb that makes a revision: how many to keep, and who asked for this one.

    By default an install or upgrade reads megabytes of OpenAPI, only to learn whether the API server validates fields.
    Every server that a chart admits (Kubernetes 1.31 on) does, and these helms have it do so whatever they are told.
    """
    options = [] if verb == "install" else [*HISTORY]
    asked, number = DESCRIPTION.get(), await version(await program())
    if asked and (verb != "rollback" or number >= DESCRIBES_ROLLBACKS):
        options += ["--description", asked[:LONGEST]]
    if verb in ("install", "upgrade") and number[:2] in STRICT_ANYWAY:
        options.append(NO_QUESTION)
    return options


def list_force(wait_options: WaitOptions) -> list[str]:
    """List what helm is told where a change takes back the fields of objects that others have changed."""
    return ["--force-conflicts"] if wait_options.force_conflicts else []


async def recover_release(
    api: KubeClient, helm: Helm, identity: Identity, wait_options: WaitOptions
) -> tuple[tuple[str, ...], KubeObject | None]:
    """Bring a release into a state from which it can go on.

    Args:
        api: The cluster.
        helm: The program.
        identity: Which system.
        wait_options: Whether going back takes back what others have changed.

    Returns:
        What was done, and the newest revision; None when there is no release (any more).
    """
    known = await releases.list_revisions(api, identity)
    if not known:
        return (), None
    last = known[-1]
    if not releases.is_pending(last):
        return (), last
    where = ["--namespace", identity.namespace]
    good = releases.find_last_good(known, releases.read_number(last))
    if good and releases.read_status(last) != "uninstalling":
        await helm.run(["rollback", identity.release, str(good), *where, *HISTORY, *list_force(wait_options)])
        note = f"an earlier change of {identity.name} was cut short; went back to revision {good} first"
        return (note,), (await releases.list_revisions(api, identity))[-1]
    await helm.run(["uninstall", identity.release, *where, "--wait", "--timeout", "120s"])
    what = "removal" if releases.read_status(last) == "uninstalling" else "start"
    return (f"an earlier {what} of {identity.name} was cut short; began anew",), None
