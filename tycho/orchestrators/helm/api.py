"""The one door to the API server: JSON in, JSON out, errors in our terms.

Requests go through urllib3, which the kubernetes library itself uses; see `access` for why not through that library.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import getproxies, proxy_bypass

from tycho.errors import (
    ClusterUnreachable,
    Conflict,
    CredentialsRejected,
    Forbidden,
    NotFound,
    OrchestratorError,
    Unauthorized,
    UsageError,
    WaitTimeout,
)
from tycho.kinds import Kind
from tycho.orchestrators import Target
from tycho.orchestrators.helm.access import Access, Way
from tycho.orchestrators.helm.clock import Clock
from tycho.orchestrators.helm.errors import NO_CLUSTER
from tycho.orchestrators.helm.lease_holder import LeaseHolder
from tycho.text import safe_message

Object = dict[str, Any]
Cut = Callable[[Object], Object]
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
LOOPBACK = re.compile(r"localhost\b|127\.|\[::1\]")
BY_STATUS = {401: CredentialsRejected, 403: Forbidden, 404: NotFound, 409: Conflict, 504: WaitTimeout}

KUBELET = re.compile(r'(?:Get|Post) "https?://[^"]*": ')


class Api:
    """A cluster's API server.

    Args:
        target: Kubeconfig and context.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.clock = Clock()
        self.lease_holder = LeaseHolder()
        self._reached: tuple[Access, Any] | None = None
        self._finding = Lock()
        self._threads = ThreadPoolExecutor(8, "tycho-api")
        self._way = Way(target)

    @property
    def access(self) -> Access:
        """How the cluster is reached; found at the first use."""
        return self._reach()[0]

    async def get(self, path: str, **query: str) -> Object:
        """One object or list."""
        return await self.call("GET", path, query=query)

    async def list_versioned(
        self, path: str, *, metadata: bool = False, cut: Cut | None = None, **query: str
    ) -> tuple[list[Object], str]:
        """All items of a list, page by page, and the resourceVersion that a watch goes on from.

        Args:
            path: Of the list.
            metadata: Whether only the metadata of each is asked for.
            cut: Leaves of each item what is needed, so that no more than a page is ever held as it came.
            query: Selectors, and how many a page has.
        """
        items: list[Object] = []
        query = {"limit": "500", **{key: value for key, value in query.items() if value}}
        while True:
            accept = METADATA if metadata else "application/json"
            page = await self.call("GET", path, query=query, headers={"Accept": accept})
            new = page.pop("items", None) or ()
            items += map(cut, new) if cut else new
            if not (more := page.get("metadata", {}).get("continue")):
                return items, str(page.get("metadata", {}).get("resourceVersion", ""))
            query["continue"] = more

    async def list(self, path: str, *, metadata: bool = False, cut: Cut | None = None, **query: str) -> list[Object]:
        """All items of a list; see `list_versioned`."""
        return (await self.list_versioned(path, metadata=metadata, cut=cut, **query))[0]

    async def create(self, path: str, body: Object) -> Object:
        """Make an object."""
        return await self.call("POST", path, body)

    async def replace(self, path: str, body: Object) -> Object:
        """Replace an object; its resourceVersion must still be the current one."""
        return await self.call("PUT", path, body)

    async def delete(self, path: str, *, propagation: str = "Background", version: str = "") -> None:
        """Delete an object; one that is gone is fine, and with `version` one that has changed stays."""
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if version:
            options["preconditions"] = {"resourceVersion": version}
        with contextlib.suppress(NotFound):
            await self.call("DELETE", path, options)

    async def gone(self, path: str) -> bool:
        """Whether there is no such object."""
        try:
            await self.get(path)
        except NotFound:
            return True
        return False

    async def call(
        self, method: str, path: str, body: Object | None = None, *, query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Object:  # fmt: skip
        """One request.

        Raises:
            OrchestratorError: What the server said, in our terms.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._call, method, path, body, query or {}, headers or {})

    def stream(self, path: str, *, accept: str = "*/*", silence: float | None = None, **query: str) -> Any:
        """An answer that goes on: urllib3's response, whose `read1` blocks, and whose `shutdown` ends that.

        Args:
            path: Of what.
            accept: The type of the answer.
            silence: Seconds without a word after which the connection counts as lost; None for any number.
            query: What of it.
        """
        response = self._open("GET", path, None, query, {"Accept": accept}, stream=True, silence=silence)
        if response.status == Unauthorized.http_status and self.access.renewable:
            response.close()
            self._forget()
            response = self._open("GET", path, None, query, {"Accept": accept}, stream=True, silence=silence)
        if response.status >= 400:
            raise _said(response.status, response.read())
        return response

    def close(self) -> None:
        """Let go of connections and of key files."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._forget()

    def _call(
        self, method: str, path: str, body: Object | None, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Object:
        sent = {"Accept": "application/json", **headers}
        response = self._open(method, path, body, query, sent)
        if response.status == Unauthorized.http_status and self.access.renewable:
            self._forget()
            response = self._open(method, path, body, query, sent)
        if response.status >= 400:
            raise _said(response.status, response.data)
        if not response.data:
            return {}
        from pydantic_core import from_json

        found: Object = from_json(response.data, cache_strings="keys")  # lists are long, and their keys few
        return found

    def _open(
        self, method: str, path: str, body: Object | None, query: Mapping[str, str], headers: Mapping[str, str],
        *, stream: bool = False, silence: float | None = None,
    ) -> Any:  # fmt: skip
        import urllib3

        access, pool = self._reach()
        url = access.server + path + (f"?{urlencode(query)}" if query else "")
        sent = {"User-Agent": "tycho", **access.headers, **headers}
        data = None
        if body is not None:
            data, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        again = urllib3.Retry(1, redirect=0, status=0, other=0, allowed_methods={"GET"})  # a connection that went stale
        try:
            response = pool.request(
                method, url, body=data, headers=sent, preload_content=not stream, retries=again,
                timeout=urllib3.Timeout(connect=5, read=silence if stream else 60),
            )  # fmt: skip
            self.clock.learn(response.headers.get("Date", ""), time.monotonic())
            return response  # noqa: TRY300
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            if isinstance(cause, urllib3.exceptions.SSLError):
                said = f"{safe_message(access.server)} shows a certificate that is not trusted: {cause}"
                raise ClusterUnreachable(said) from error
            where = safe_message(access.server)
            raise ClusterUnreachable(f"no Kubernetes cluster answers at {where}", hint=NO_CLUSTER) from error

    def _reach(self) -> tuple[Access, Any]:
        import urllib3

        with self._finding:
            if self._reached is None:
                access = self._way.find()
                proxy = find_proxy(access.server)
                options: dict[str, Any] = {"num_pools": 2, "maxsize": 32, **access.tls}
                pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
                self._reached = access, pool
            return self._reached

    def _forget(self) -> None:
        """What was found out about the way in; a token that has run out is found anew."""
        with self._finding:
            if self._reached is not None:
                self._reached[1].clear()
                self._reached = None
            self._way.close()


def _said(status: int, data: bytes) -> OrchestratorError:
    try:
        message = str(json.loads(data).get("message") or "")
    except ValueError:
        message = data[:300].decode(errors="replace")
    kind = BY_STATUS.get(status, OrchestratorError)
    if KUBELET.match(message):  # the API server passes on what its own request to a node met
        message = f"the node does not answer: {message.rpartition(': ')[2]}"
    return kind(safe_message(message) or f"the API server answered {status}")


def find_proxy(server: str) -> str | None:
    """Find the proxy that the environment names for a server; this machine's own are reached without any."""
    scheme, _, rest = server.partition("://")
    near = LOOPBACK.match(rest) or proxy_bypass(rest.partition("/")[0])
    return None if near else getproxies().get(scheme)


def at(kind: Kind, namespace: str = "", name: str = "") -> str:
    """The path of the objects of a kind, or of one object.

    Args:
        kind: Their kind.
        namespace: "" for all namespaces, or for a kind that has none.
        name: One object's.
    """
    base = f"/{'apis' if kind.group else 'api'}/{kind.api_version}"
    where = f"/namespaces/{_segment(namespace)}" if namespace else ""
    return f"{base}{where}/{kind.plural}" + (f"/{_segment(name)}" if name else "")


def _segment(text: str) -> str:
    """Write a text as one segment of a path; `.` and `..`, which servers and proxies resolve, cannot be one."""
    if text in (".", ".."):
        raise UsageError(f'"{text}" is not a name')
    return quote(text, safe="")
