"""Where a Service answers, from wherever the caller is, and who he is to it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from tycho import kinds
from tycho.errors import OrchestratorError, UsageError
from tycho.kube.client import KubeClient
from tycho.kube.kubeconfig import IN_CLUSTER
from tycho.kube.objects import node_address
from tycho.kube.reviews import read_user
from tycho.settings import environment

T = TypeVar("T")
HTTPS = "https"
LIFE = 3600  # seconds of a token; half of them are used


def in_pod() -> bool:
    """Return whether this is a pod of a cluster; one that may ask the API server nothing has no token for it."""
    return IN_CLUSTER.is_file() or "KUBERNETES_SERVICE_HOST" in environment()


def service_url(name: str, namespace: str) -> str | None:
    """A Service's URL: by DNS in a pod, else the load balancer's address, else a node's; None where there is none."""
    if in_pod():
        return f"http://{name}.{namespace}:5000"
    from tycho.settings import settings

    api = KubeClient(settings().kubeconfig, settings().context)
    try:
        return _run(_outside(api, name, namespace))
    except (OrchestratorError, UsageError):
        return None
    finally:
        api.close()


async def _outside(api: KubeClient, name: str, namespace: str) -> str | None:
    service = await api.get(kinds.SERVICE.path(namespace, name))
    port = service["spec"]["ports"][0]
    secure = HTTPS in (port.get("name"), port.get("appProtocol")) or port["port"] == 443
    scheme = HTTPS if secure else "http"
    for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
        return f"{scheme}://{_bracket(ingress.get('ip') or ingress['hostname'])}:{port['port']}"
    if "nodePort" not in port:
        return None
    address = node_address(await api.list(kinds.NODE.path()))
    return f"{scheme}://{_bracket(address)}:{port['nodePort']}" if address else None


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end; the caller, a notebook perhaps, may have an event loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class Borrowed:
    """Tokens of one audience, which the cluster gives to whom the kubeconfig stands for.

    The API server makes them for service accounts alone: for the one that the kubeconfig is of, or the one that
    TYCHO_SERVICE_ACCOUNT names, where the caller may ask for its tokens.

    Args:
        audience: Who is to take them.
    """

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._lock = Lock()
        self._kept = ""
        self._until = 0.0

    def __repr__(self) -> str:
        return f"Borrowed({self._audience}, ***)"

    def token(self, refused: bool) -> str:
        """Return a token that is good for a while; "" where the cluster gives none.

        Args:
            refused: Whether the last one was refused, so that another is needed.
        """
        from tycho.settings import settings

        with self._lock:
            if refused or time.monotonic() >= self._until:
                configured = settings()
                api = KubeClient(configured.kubeconfig, configured.context)
                try:
                    self._kept = _run(_borrow(api, configured.service_account, self._audience))
                except (OrchestratorError, UsageError):
                    self._kept = ""
                finally:
                    api.close()
                self._until = time.monotonic() + (LIFE / 2 if self._kept else 0)
            return self._kept


async def _borrow(api: KubeClient, account: str, audience: str) -> str:
    """Ask for a token; "" where there is no account to ask for."""
    namespace, _, name = account.partition("/")
    if not name:
        match = re.fullmatch("system:serviceaccount:([^:]+):([^:]+)", await read_user(api))
        if not match:
            return ""
        namespace, name = match.groups()
    request = {"spec": {"audiences": [audience], "expirationSeconds": LIFE}}
    given = await api.create(f"{kinds.SERVICE_ACCOUNT.path(namespace, name)}/token", request)
    token: str = given["status"]["token"]
    return token
