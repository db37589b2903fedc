"""Where a Service answers, from wherever the caller is."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tycho import kinds
from tycho.errors import OrchestratorError, UsageError
from tycho.orchestrators import Target
from tycho.orchestrators.helm.access import IN_CLUSTER
from tycho.orchestrators.helm.api import Api, at
from tycho.orchestrators.helm.workloads import node_address


def service_url(name: str, namespace: str) -> str | None:
    """A Service's URL: by DNS in a pod, else the load balancer's address, else a node's; None where there is none."""
    if IN_CLUSTER.is_file():
        return f"http://{name}.{namespace}:5000"
    from tycho.settings import settings

    api = Api(Target(kubeconfig=settings().kubeconfig, context=settings().context))
    try:
        with ThreadPoolExecutor(1) as thread:  # the caller, a notebook perhaps, may have an event loop of its own
            return thread.submit(asyncio.run, _outside(api, name, namespace)).result()
    except (OrchestratorError, UsageError):
        return None
    finally:
        api.close()


async def _outside(api: Api, name: str, namespace: str) -> str | None:
    service = await api.get(at(kinds.SERVICE, namespace, name))
    port = service["spec"]["ports"][0]
    for one in service.get("status", {}).get("loadBalancer", {}).get("ingress") or ():
        return f"http://{one.get('ip') or one.get('hostname')}:{port['port']}"
    if "nodePort" not in port:
        return None
    address = node_address(await api.list(at(kinds.NODE)))
    return f"http://{address}:{port['nodePort']}" if address else None
