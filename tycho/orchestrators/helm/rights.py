"""Rights that a chart takes beyond those of the cluster's role `edit`: asked for before anything is made."""

from __future__ import annotations

import asyncio
from typing import Any

from tycho import kinds
from tycho.chart import WAITING_ACCOUNT, Chart
from tycho.errors import Forbidden, NotFound
from tycho.kube.client import KubeClient
from tycho.kube.reviews import is_allowed
from tycho.release import Identity
from tycho.text import json_text

NEEDED = (kinds.SERVICE_ACCOUNT, kinds.ROLE, kinds.ROLE_BINDING)
"""What a chart makes whose pods ask the API server."""
LOOKED_AT = (kinds.JOB, kinds.POD)
"""What such a pod looks at."""


async def find_waiting_account(api: KubeClient, chart: Chart, identity: Identity) -> dict[str, Any]:
    """Find who the containers are that ask the API server, where the caller may not make an account for them.

    Returns:
        Values of the chart; none where it makes the account, or needs none.

    Raises:
        Forbidden: No account is there either; the hint has the manifest that an administrator applies once.
    """
    if not chart.contents.rights:
        return {}
    namespace = identity.namespace
    allowed = await asyncio.gather(*(is_allowed(api, "create", kind, namespace) for kind in NEEDED))
    if all(allowed):
        return {}
    try:
        await api.get(kinds.SERVICE_ACCOUNT.path(namespace, WAITING_ACCOUNT))
    except (NotFound, Forbidden):
        missing = ", ".join(kind.plural for kind, may in zip(NEEDED, allowed, strict=True) if not may)
        manifest = json_text({"apiVersion": "v1", "kind": "List", "items": _list_objects(namespace)})
        raise Forbidden(
            f"a service waits for a job, which takes rights that you lack: create {missing} in {namespace}",
            hint=f"ask an administrator to give them once for the namespace: kubectl apply -f - <<< '{manifest}'",
        ) from None
    return {"kubectl": {"serviceAccount": {"create": False, "name": WAITING_ACCOUNT}}}


def _list_objects(namespace: str) -> list[dict[str, Any]]:
    """List the account, what it may look at, and what ties the two."""
    metadata = {"name": WAITING_ACCOUNT, "namespace": namespace}
    account, role, binding = (
        {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata} for kind in NEEDED
    )
    rules = [
        {"apiGroups": [kind.group], "resources": [kind.plural], "verbs": ["get", "list", "watch"]} for kind in LOOKED_AT
    ]
    return [
        {**account, "automountServiceAccountToken": False},
        {**role, "rules": rules},
        {
            **binding,
            "roleRef": {"apiGroup": kinds.ROLE.group, "kind": kinds.ROLE.name, "name": WAITING_ACCOUNT},
            "subjects": [{"kind": kinds.SERVICE_ACCOUNT.name, "name": WAITING_ACCOUNT, "namespace": namespace}],
        },
    ]
