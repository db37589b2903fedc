"""Reviews: what the API server says of a caller, and of what it may do."""

from __future__ import annotations

from tycho.errors import Forbidden, NotFound
from tycho.kinds import Kind
from tycho.kube.client import KubeClient

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105 - a path
SUBJECT_ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SELF_SUBJECT_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SELF_SUBJECT_ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
ADMINISTRATORS = {"system:masters", "kubeadm:cluster-admins"}
"""Groups of the account that comes with a cluster: several people may hold it, so it says nothing about who asks."""


async def read_user(api: KubeClient) -> str:
    """Return the name that the cluster knows the caller by; "" for its administrator, and where it does not say."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        review = await api.create(SELF_SUBJECT_REVIEWS, body)
    except (Forbidden, NotFound):  # it may be switched off
        return ""
    user = review.get("status", {}).get("userInfo", {})
    if ADMINISTRATORS & set(user.get("groups") or ()):
        return ""
    return str(user.get("username", ""))


async def is_allowed(api: KubeClient, verb: str, kind: Kind, namespace: str = "") -> bool:
    """Ask the cluster whether the caller may do something.

    Args:
        api: The cluster.
        verb: create, list, …
        kind: With which objects.
        namespace: "" for everywhere.
    """
    attributes = {"verb": verb, "resource": kind.plural, "namespace": namespace, "group": kind.group}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    review = await api.create(SELF_SUBJECT_ACCESS_REVIEWS, body)
    return bool(review["status"].get("allowed"))
