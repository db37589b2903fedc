"""A websocket to the API server, for what goes to and fro: a program's streams, a port's bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tycho.errors import ClusterUnreachable, OrchestratorError
from tycho.kube.client import KubeClient, find_proxy
from tycho.kube.errors import NO_CLUSTER
from tycho.kube.kubeconfig import ClusterAccess
from tycho.text import safe_message

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse, WSMessage

CONNECT = 15.0  # seconds that the API server has to begin


@asynccontextmanager
async def connect(
    api: KubeClient, path: str, query: Sequence[tuple[str, str]], *, protocol: str, purpose: str
) -> AsyncIterator[ClientWebSocketResponse]:
    """Open a websocket, and close it in the end.

    Args:
        api: The cluster.
        path: Of the object's subresource.
        query: What is asked of it.
        protocol: The subprotocol.
        purpose: What it is for, as it stands after "the cluster refuses to".

    Raises:
        ClusterUnreachable: No API server answers.
        OrchestratorError: The cluster does not allow it.
    """
    import aiohttp

    access = api.access
    # A token that runs out is renewed by the requests before this one.
    async with aiohttp.ClientSession(headers={"User-Agent": "tycho", **access.headers}) as session:
        try:
            async with asyncio.timeout(CONNECT):
                socket = await session.ws_connect(
                    access.server + path, params=query, protocols=(protocol,), ssl=_tls(access),
                    proxy=find_proxy(access.server), max_msg_size=0, autoclose=True,
                )  # fmt: skip
        except aiohttp.WSServerHandshakeError as error:
            raise await _refusal(api, path, error.status, purpose) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            where = safe_message(access.server)
            raise ClusterUnreachable(f"no Kubernetes cluster answers at {where}", hint=NO_CLUSTER) from error
        async with socket:
            yield socket


def split_channel(message: WSMessage) -> tuple[int, bytes]:
    """Split a message into its channel, which is its first byte, and its content."""
    content = message.data if isinstance(message.data, bytes) else str(message.data).encode()
    return content[0] if content else -1, content[1:]


async def _refusal(api: KubeClient, path: str, status: int, purpose: str) -> OrchestratorError:
    """Find out why there is no connection: the answer to a handshake has no text, that to a plain request has."""
    try:
        await api.get(path)
    except OrchestratorError as error:
        if status in (401, 403, 404):
            return error
    return OrchestratorError(f"the cluster refuses to {purpose} (HTTP {status})")


def _tls(access: ClusterAccess) -> ssl.SSLContext | bool:
    """Make what aiohttp verifies a server by, of what urllib3 takes."""
    options = access.tls
    if not access.server.startswith("https://"):
        return True
    context = ssl.create_default_context(cafile=options.get("ca_certs"), cadata=options.get("ca_cert_data"))
    if options.get("cert_reqs") == ssl.CERT_NONE:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate := options.get("cert_file"):
        context.load_cert_chain(certificate, options.get("key_file"))
    return context
