"""What a chart cannot know before it meets its cluster: the API server's place, who answers names, old claims."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from tycho import kinds
from tycho.chart import Chart
from tycho.errors import Forbidden, NotFound
from tycho.kube.client import KubeClient
from tycho.kube.objects import KubeObject
from tycho.orchestrators.helm.rights import find_waiting_account
from tycho.orchestrators.helm.volumes import find_whole_claims
from tycho.release import Identity


async def with_facts(api: KubeClient, chart: Chart, identity: Identity, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values, and beside them what the cluster says of itself, as far as one may read that.

    Pods that wait need a way to the API server, however closed their networks are. In a shared namespace, a system
    that asks the cluster's name server itself, its own names first, cannot be answered by a neighbour's Service.
    Claims that an earlier chart made stay mounted whole. Who may make no Role uses an account that is there.

    Raises:
        Forbidden: The chart takes rights that the caller lacks; nothing was made.
    """
    complete = dict(values)
    if chart.contents.fenced:
        behind, before = await asyncio.gather(
            _read(api, kinds.ENDPOINT_SLICE.path("default", "kubernetes")),
            _read(api, kinds.SERVICE.path("default", "kubernetes")),
        )
        addresses = [address for endpoint in behind.get("endpoints") or () for address in endpoint["addresses"]]
        addresses += before.get("spec", {}).get("clusterIPs") or ()
        ports = [*(behind.get("ports") or ()), *(before.get("spec", {}).get("ports") or ())]
        if addresses:
            complete["networkPolicy"] = {
                "apiServer": {
                    "cidrs": sorted({f"{address}/{ip_address(address).max_prefixlen}" for address in addresses}),
                    "ports": sorted({int(port["port"]) for port in ports}),
                }
            }
    if chart.contents.looks_up and not identity.own_namespace:
        answers = await _read(api, kinds.SERVICE.path("kube-system", "kube-dns"))
        if server := answers.get("spec", {}).get("clusterIP"):
            complete["dns"] = {**complete.get("dns", {}), "nameservers": [server]}
    complete |= await find_waiting_account(api, chart, identity)
    if whole := await find_whole_claims(api, chart, identity):
        complete["persistence"] = {name: {"subPath": ""} for name in whole}
    return complete


async def _read(api: KubeClient, path: str) -> KubeObject:
    try:
        return await api.get(path)
    except (Forbidden, NotFound):
        return {}
