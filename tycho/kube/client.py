"""The one door to the API server: JSON in, JSON out, errors in our terms.

Requests go through urllib3, which the kubernetes library itself uses; `docs/decisions/0001-kubernetes-libraries.md`
says why not
through that library.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import msgspec

from tycho.errors import NotFound, OrchestratorError, Unauthorized, UsageError
from tycho.kube.clock import Clock
from tycho.kube.errors import explain_silence, explain_unreachable, is_closed, parse_error
from tycho.kube.kubeconfig import ClusterAccess, KubeconfigLoader
from tycho.kube.lease_holder import LeaseHolder
from tycho.kube.objects import METADATA_LIST, KubeObject, Reduce
from tycho.text import safe_message
from tycho.time_limit import step_time

CONNECT = 10.0  # seconds in which a connection is made
ANSWER = 60.0  # seconds in which a request is answered
MARGIN = 0.5  # seconds that a request may take longer than its time, for it to say why it ends
READY_SECONDS = 5.0  # in which an API server that works says so
# What can be asked twice where the first answer was lost: nothing is made by it, or the API server refuses the second.
REPEATABLE = ("GET", "PUT", "PATCH", "DELETE")
REVIEWS = ("/apis/authentication.k8s.io/", "/apis/authorization.k8s.io/")
LOOPBACK = re.compile(r"localhost\b|127\.|\[::1\]")


class KubeClient:
    """A cluster's API server.

    Args:
        kubeconfig: Path of the file, several as KUBECONFIG has them; "" for the usual place.
        context: Context in that file; "" for the current one.
    """

    def __init__(self, kubeconfig: str = "", context: str = "") -> None:
        self.clock = Clock()
        self.lease_holder = LeaseHolder()
        self._reached: tuple[ClusterAccess, Any] | None = None
        self._finding = Lock()
        self._threads = ThreadPoolExecutor(8, "tycho-api")
        self._loader = KubeconfigLoader(kubeconfig, context)

    @property
    def access(self) -> ClusterAccess:
        """How the cluster is reached; read at the first use."""
        return self._reach()[0]

    async def get(self, path: str, **query: str) -> KubeObject:
        """Return an object, or one page of a list."""
        return await self.call("GET", path, query=query)

    async def list_versioned(
        self, path: str, *, metadata: bool = False, reduce: Reduce | None = None, **query: str
    ) -> tuple[list[KubeObject], str]:
        """Return all objects of a list, asked for page by page, and the resourceVersion that a watch goes on from.

        Args:
            path: Of the list.
            metadata: Whether only the metadata of each is asked for.
            reduce: Keeps of each object what is needed, so that no more than a page is in memory as it came.
            query: Selectors, and how many a page has.
        """
        items: list[KubeObject] = []
        query = {"limit": "500", **{key: value for key, value in query.items() if value}}
        while True:
            accept = METADATA_LIST if metadata else "application/json"
            page = await self.call("GET", path, query=query, headers={"Accept": accept})
            new = page.pop("items", None) or ()
            items += map(reduce, new) if reduce else new
            if not (more := page.get("metadata", {}).get("continue")):
                return items, str(page.get("metadata", {}).get("resourceVersion", ""))
            query["continue"] = more

    async def list(
        self, path: str, *, metadata: bool = False, reduce: Reduce | None = None, **query: str
    ) -> list[KubeObject]:
        """Return all objects of a list; see `list_versioned`."""
        return (await self.list_versioned(path, metadata=metadata, reduce=reduce, **query))[0]

    async def create(self, path: str, body: KubeObject) -> KubeObject:
        """Make an object."""
        return await self.call("POST", path, body)

    async def replace(self, path: str, body: KubeObject) -> KubeObject:
        """Replace an object; its resourceVersion must still be the current one."""
        return await self.call("PUT", path, body)

    async def delete(self, path: str, *, propagation: str = "Background", version: str = "") -> None:
        """Delete an object; one that is gone is fine, and with `version` one that has changed stays."""
        options: KubeObject = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if version:
            options["preconditions"] = {"resourceVersion": version}
        with contextlib.suppress(NotFound):
            await self.call("DELETE", path, options)

    async def is_gone(self, path: str) -> bool:
        """Return whether there is no such object."""
        try:
            await self.get(path)
        except NotFound:
            return True
        return False

    async def call(
        self,
        method: str,
        path: str,
        body: KubeObject | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> KubeObject:
        """Send a request; see `request`."""
        loop, context = asyncio.get_running_loop(), copy_context()
        sending = loop.run_in_executor(self._threads, context.run, self.request, method, path, body, query, headers)
        limit = step_time(math.inf)
        try:
            async with asyncio.timeout(limit + MARGIN if math.isfinite(limit) else None):
                return await sending
        except TimeoutError:  # bytes come, and do not end; or no thread is free
            reached = self._reached  # not asked for: a program that finds out how may be what takes so long
            raise explain_silence(safe_message(reached[0].server) if reached else "the kubeconfig's", limit) from None

    def request(
        self,
        method: str,
        path: str,
        body: KubeObject | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> KubeObject:
        """Send a request, and wait for the answer.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: Of an object, or of a list.
            body: What is sent.
            query: Parameters.
            headers: Besides those that every request has.

        Returns:
            The answer; {} where it is empty.

        Raises:
            OrchestratorError: The API server refuses, or there is none.
        """
        query, headers = query or {}, {"Accept": "application/json", **(headers or {})}
        response = self._open(method, path, body, query, headers)
        if response.status == Unauthorized.http_status and self.access.renewable:
            self._forget()
            response = self._open(method, path, body, query, headers)
        if response.status >= 400:
            raise parse_error(response.status, response.data)
        if not response.data:
            return {}
        answer: KubeObject = msgspec.json.decode(response.data)
        return answer

    def apply(self, path: str, body: KubeObject, *, manager: str) -> None:
        """Make an object what it should be, and wait for that.

        Args:
            path: Of the object.
            body: Its fields, as far as they are this manager's business.
            manager: Who the API server remembers as their owner.
        """
        query = {"fieldManager": manager, "force": "true"}
        self.request("PATCH", path, body, query, {"Content-Type": "application/apply-patch+yaml"})

    def is_ready(self) -> bool:
        """Return whether the API server answers, and says that it is ready; wait for the answer."""
        try:
            self.stream("/readyz", silence=READY_SECONDS).close()
        except OrchestratorError:
            return False
        return True

    def stream(self, path: str, *, accept: str = "*/*", silence: float | None = None, **query: str) -> Any:
        """Return an answer that goes on: urllib3's response, whose `read1` blocks, and whose `shutdown` ends that.

        Args:
            path: Of what.
            accept: The type of the answer.
            silence: Seconds without a byte after which the connection counts as lost; None for any number.
            query: Parameters.
        """
        response = self._open("GET", path, None, query, {"Accept": accept}, stream=True, silence=silence)
        if response.status == Unauthorized.http_status and self.access.renewable:
            response.close()
            self._forget()
            response = self._open("GET", path, None, query, {"Accept": accept}, stream=True, silence=silence)
        if response.status >= 400:
            raise parse_error(response.status, response.read())
        return response

    def close(self) -> None:
        """Let go of connections and of key files."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._forget()

    def _open(
        self, method: str, path: str, body: KubeObject | None, query: Mapping[str, str], headers: Mapping[str, str],
        *, stream: bool = False, silence: float | None = None,
    ) -> Any:  # fmt: skip
        import urllib3

        access, pool = self._reach()
        url = access.server + path + (f"?{urlencode(query)}" if query else "")
        headers = {"User-Agent": "tycho", **access.headers, **headers}
        content = None
        if body is not None:
            content, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        repeatable, tries = method in REPEATABLE or path.startswith(REVIEWS), 0
        while True:
            connect, read = step_time(CONNECT), silence if stream else step_time(ANSWER)
            try:
                response = pool.request(
                    method, url, body=content, headers=headers, preload_content=not stream,
                    retries=urllib3.Retry(0, redirect=0, status=0, other=0),
                    timeout=urllib3.Timeout(connect=connect, read=read),
                )  # fmt: skip
                self.clock.learn(response.headers.get("Date", ""), time.monotonic())
                return response  # noqa: TRY300
            except urllib3.exceptions.HTTPError as error:
                cause = getattr(error, "reason", None) or error
                if tries or not (repeatable and is_closed(cause)):  # a connection that was kept, and has gone stale
                    raise explain_unreachable(safe_message(access.server), cause) from error
                tries += 1

    def _reach(self) -> tuple[ClusterAccess, Any]:
        import urllib3

        with self._finding:
            if self._reached is None:
                access = self._loader.load()
                proxy = find_proxy(access.server)
                options = {"num_pools": 2, "maxsize": 32, **share_certificates(access.tls)}
                pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
                self._reached = access, pool
            return self._reached

    def _forget(self) -> None:
        """Forget how the cluster is reached: a token that has run out is read anew."""
        with self._finding:
            if self._reached is not None:
                self._reached[1].clear()
                self._reached = None
            self._loader.close()


def share_certificates(tls: Mapping[str, Any]) -> dict[str, Any]:
    """Read the certificates and keys that options of urllib3 name, once: urllib3 does so for each connection.

    Raises:
        UsageError: They cannot be read.
    """
    from urllib3.util.ssl_ import create_urllib3_context

    if not {"ca_certs", "ca_cert_data"} & tls.keys():
        return dict(tls)  # those of this machine, or none
    options = dict(tls)
    context = create_urllib3_context(cert_reqs=options.get("cert_reqs"))
    try:
        context.load_verify_locations(options.pop("ca_certs", None), cadata=options.pop("ca_cert_data", None))
        if certificate := options.pop("cert_file", None):
            context.load_cert_chain(certificate, options.pop("key_file", None))
    except (OSError, ValueError) as error:  # a file is not there, or is no certificate
        raise UsageError(
            "the kubeconfig is not usable: a certificate or key cannot be read", local=str(error)
        ) from error
    return {**options, "ssl_context": context}


def find_proxy(server: str) -> str | None:
    """Find the proxy that the environment names for a server; this machine's own are reached without any."""
    scheme, _, address = server.partition("://")
    near = LOOPBACK.match(address) or proxy_bypass(address.partition("/")[0])
    return None if near else getproxies().get(scheme)
