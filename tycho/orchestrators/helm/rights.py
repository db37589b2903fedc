"""Rights that a chart takes beyond those of the cluster's role `edit`: asked for before anything is made."""

from __future__ import annotations

import asyncio
from typing import Any

from tycho.chart import WAITING_ACCOUNT, Chart
from tycho.errors import Forbidden, NotFound
from tycho.orchestrators.helm.api import Api, at
from tycho.release import Identity
from tycho.text import json_text

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RBAC = "rbac.authorization.k8s.io"
NEEDED = (("", "serviceaccounts"), (RBAC, "roles"), (RBAC, "rolebindings"))
"""What a chart makes whose pods ask the API server, by API group and resource."""


async def is_allowed(api: Api, verb: str, resource: str, namespace: str = "", group: str = "") -> bool:
    """Ask the cluster whether the caller may do something.

    Args:
        api: The cluster.
        verb: create, list, …
        resource: In the plural.
        namespace: "" for everywhere.
        group: The resource's API group.
    """
    attributes = {"verb": verb, "resource": resource, "namespace": namespace, "group": group}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    return bool((await api.create(REVIEWS, review))["status"].get("allowed"))


async def find_waiting_account(api: Api, chart: Chart, identity: Identity) -> dict[str, Any]:
    """Find who the containers are that ask the API server, where the caller may not make an account for them.

    Returns:
        Values of the chart; none where it makes the account, or needs none.

    Raises:
        Forbidden: No account is there either; the hint has the manifest that an administrator applies once.
    """
    if not chart.contents.rights:
        return {}
    namespace = identity.namespace
    allowed = await asyncio.gather(*(is_allowed(api, "create", name, namespace, group) for group, name in NEEDED))
    if all(allowed):
        return {}
    try:
        await api.get(at("serviceaccounts", namespace, WAITING_ACCOUNT))
    except (NotFound, Forbidden):
        missing = ", ".join(name for (_, name), may in zip(NEEDED, allowed, strict=True) if not may)
        manifest = json_text({"apiVersion": "v1", "kind": "List", "items": _list_objects(namespace)})
        raise Forbidden(
            f"a service waits for a job, which takes rights that you lack: create {missing} in {namespace}",
            hint=f"an administrator gives them once for the namespace: kubectl apply -f - <<< '{manifest}'",
        ) from None
    return {"kubectl": {"serviceAccount": {"create": False, "name": WAITING_ACCOUNT}}}


def _list_objects(namespace: str) -> list[dict[str, Any]]:
    """List the account, what it may look at, and what ties the two."""
    metadata = {"name": WAITING_ACCOUNT, "namespace": namespace}
    verbs = ["get", "list", "watch"]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [
                {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": verbs},
                {"apiGroups": [""], "resources": ["pods"], "verbs": verbs},
            ],
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": WAITING_ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": WAITING_ACCOUNT, "namespace": namespace}],
        },
    ]
