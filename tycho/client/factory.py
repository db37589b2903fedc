"""Finds the service, and who the caller is to it, from wherever the caller is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tycho.client.asynchronous import AsyncTychoClient
from tycho.client.requests import URL
from tycho.client.synchronous import TychoClient


class TychoClientFactory:
    """Finds the API's address: in a pod by its name, outside by a balancer or a node, or on this machine.

    In a pod the service answers plain HTTP behind its NetworkPolicy, so a token may go there as it is. From outside it
    goes over https alone, unless the caller allows more.
    """

    def get_client(
        self, name: str = "tycho-api", namespace: str = "default", default_url: str = URL, *, plain_http: bool = False
    ) -> TychoClient:
        """Return a client of the API that runs as a Service.

        Args:
            name: Of the Service.
            namespace: Where the Service is.
            default_url: Used where no such Service is found.
            plain_http: Let a token travel unencrypted to a balancer or a node.
        """
        return TychoClient(**_find(name, namespace, default_url, plain_http=plain_http))

    def get_async_client(
        self, name: str = "tycho-api", namespace: str = "default", default_url: str = URL, *, plain_http: bool = False
    ) -> AsyncTychoClient:
        """Return the same as `get_client`, to be awaited."""
        return AsyncTychoClient(**_find(name, namespace, default_url, plain_http=plain_http))


TychoFactory = TychoClientFactory


def _find(name: str, namespace: str, default_url: str, *, plain_http: bool) -> dict[str, Any]:
    """Find what a client is made with."""
    from tycho.kube.discovery import in_pod, service_url

    url = service_url(name, namespace)
    if not url:
        return {"url": default_url, "plain_http": plain_http}
    if in_pod():
        return {"url": url, "plain_http": True}
    return {"url": url, "plain_http": plain_http, "borrow": _borrower()}


def _borrower() -> Callable[[bool], str]:
    """Return what gets tokens from the cluster with the kubeconfig's rights, and keeps one while it is good."""
    from tycho.kube.discovery import Borrowed

    return Borrowed("tycho").token
