"""Going back to the last good revision where an upgrade fails, as the caller or the compose file asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import structs

from tycho.errors import OperationInProgress, OrchestratorError
from tycho.kube.client import KubeClient
from tycho.orchestrators import Instance, WaitOptions
from tycho.orchestrators.helm import releases
from tycho.release import Identity, Release
from tycho.time_limit import begin_anew

CUT_SHORT = ("failed", "pending-upgrade")  # states of a revision that helm has not brought to its end
Rollback = Callable[[Identity, int, WaitOptions], Awaitable[Release]]


def asks_for_rollback(instance: Instance) -> bool:
    """Return whether an upgrade that fails is to be undone: the caller says so, or a service of the compose file.

    A first start has nothing to go back to: it is left for a look.
    """
    if not instance.upgrade or not instance.wait_options.wait:
        return False
    services = (*instance.project.services.values(), *instance.project.jobs.values())
    asked = any(service.deploy.update_config.failure_action == "rollback" for service in services)
    return asked or instance.wait_options.rollback


async def undo_upgrade(
    api: KubeClient, instance: Instance, error: OrchestratorError, before: int, made: int, rollback: Rollback
) -> OrchestratorError:
    """Undo an upgrade that failed, and make the error that says both.

    Args:
        api: The cluster.
        instance: What was to run.
        error: Why it failed.
        before: The revision that ran before.
        made: The revision that the upgrade has made; 0 where it came to none.
        rollback: Makes an earlier revision the running one, and waits for it.

    Returns:
        The same error, where somebody else is at work, or nothing was changed.
    """
    if isinstance(error, OperationInProgress):
        return error
    identity, options = instance.identity, instance.wait_options
    try:
        with begin_anew(options.timeout):
            known = await releases.list_revisions(api, identity)
            newest = known[-1] if known else None
            number = releases.read_number(newest) if newest else 0
            ours = newest and (number == made or releases.read_status(newest) in CUT_SHORT)
            if number <= before or not ours or not (target := releases.find_last_good(known, number)):
                return error
            options.tell(f"{identity.name}: {error.message}; going back to revision {target}")
            release = await rollback(identity, target, structs.replace(options, rollback=False))
    except OrchestratorError as second:
        return _join(error, f"{error.message}; going back failed, too: {second.message}", second.hint)
    hint = f"fix it and run `tycho up` again; `tycho history {identity.name}` shows both"
    return _join(error, f"{error.message}; went back to revision {target} (now revision {release.revision})", hint)


def _join(error: OrchestratorError, message: str, hint: str) -> OrchestratorError:
    return type(error)(message, hint=hint, problems=error.problems)
