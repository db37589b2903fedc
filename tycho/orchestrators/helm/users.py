"""Who the cluster takes the caller for."""

from __future__ import annotations

from tycho.errors import Forbidden, NotFound
from tycho.orchestrators.helm.api import Api

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ADMINISTRATORS = {"system:masters", "kubeadm:cluster-admins"}
"""Groups of the account that comes with a cluster: several people may hold it, so it says nothing about who asks."""


async def read_user(api: Api) -> str:
    """Return the name that the cluster knows the caller by; "" for its administrator, and where it does not say."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        review = await api.call("POST", REVIEW, body)
    except (Forbidden, NotFound):  # it may be switched off
        return ""
    user = review.get("status", {}).get("userInfo", {})
    if ADMINISTRATORS & set(user.get("groups") or ()):
        return ""
    return str(user.get("username", ""))
