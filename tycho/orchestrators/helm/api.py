"""The one door to the API server: JSON in, JSON out, errors in our terms.

Requests go through urllib3, which the kubernetes library itself uses: importing that library costs most of a second,
and every command would pay it. It is asked for the credentials that it knows and a plain reading does not: exec
plugins, OIDC, a pod's own account.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tycho.errors import (
    ClusterUnreachable,
    Conflict,
    Deadline,
    Forbidden,
    NotFound,
    OrchestratorError,
    Unauthorized,
    UsageError,
)
from tycho.orchestrators import Target
from tycho.orchestrators.helm.errors import NO_CLUSTER

Object = dict[str, Any]
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
BY_STATUS = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 504: Deadline}


@dataclass(frozen=True)
class Access:
    """How to reach a cluster.

    Args:
        server: `https://host:port`.
        context: Name of the kubeconfig's context, "" inside a pod.
        headers: Authorization.
        tls: Certificate authority, client certificate and key, as files.
    """

    server: str
    context: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Api:
    """A cluster's API server.

    Args:
        target: Kubeconfig and context.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._access: Access | None = None
        self._pool: Any = None
        self._threads = ThreadPoolExecutor(8, "tycho-api")
        self._files: list[str] = []

    @property
    def access(self) -> Access:
        """How the cluster is reached; found at the first use."""
        if self._access is None:
            self._access = self._find()
        return self._access

    async def get(self, path: str, **query: str) -> Object:
        """One object or list."""
        return await self.call("GET", path, query=query)

    async def list(self, path: str, *, metadata: bool = False, **query: str) -> list[Object]:
        """All items of a list, page by page; with `metadata`, of each only that."""
        items: list[Object] = []
        query = {"limit": "500", **{key: value for key, value in query.items() if value}}
        while True:
            accept = METADATA if metadata else "application/json"
            page = await self.call("GET", path, query=query, headers={"Accept": accept})
            items += page.get("items") or ()
            if not (more := page.get("metadata", {}).get("continue")):
                return items
            query["continue"] = more

    async def create(self, path: str, body: Object) -> Object:
        """Make an object."""
        return await self.call("POST", path, body)

    async def replace(self, path: str, body: Object) -> Object:
        """Replace an object; its resourceVersion must still be the current one."""
        return await self.call("PUT", path, body)

    async def delete(self, path: str, *, propagation: str = "Background") -> None:
        """Delete an object; one that is gone is fine."""
        try:
            await self.call(
                "DELETE",
                path,
                {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation},
            )
        except NotFound:
            return

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

    def stream(self, path: str, **query: str) -> Iterator[bytes]:
        """The lines of an answer that goes on, as they come; blocks."""
        response = self._open("GET", path, None, query, {"Accept": "*/*"}, stream=True)
        try:
            if response.status >= 400:
                raise _said(response.status, response.read())
            rest = b""
            for chunk in response.stream(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
            if rest:
                yield rest
        finally:
            response.close()

    def close(self) -> None:
        """Let go of connections and of key files."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._pool is not None:
            self._pool.clear()
        for path in self._files:
            Path(path).unlink(missing_ok=True)
        self._files.clear()

    def _call(
        self,
        method: str,
        path: str,
        body: Object | None,
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Object:
        response = self._open(method, path, body, query, {"Accept": "application/json", **headers})
        if response.status >= 400:
            raise _said(response.status, response.data)
        found: Object = json.loads(response.data) if response.data else {}
        return found

    def _open(
        self, method: str, path: str, body: Object | None, query: Mapping[str, str], headers: Mapping[str, str],
        *, stream: bool = False,
    ) -> Any:  # fmt: skip
        import urllib3

        access = self.access
        if self._pool is None:
            self._pool = urllib3.PoolManager(num_pools=2, maxsize=8, **access.tls)
        url = access.server + path + (f"?{urlencode(query)}" if query else "")
        sent = {"User-Agent": "tycho", **access.headers, **headers}
        data = None
        if body is not None:
            data, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        try:
            return self._pool.request(
                method, url, body=data, headers=sent, preload_content=not stream, retries=False,
                timeout=urllib3.Timeout(connect=5, read=None if stream else 60),
            )  # fmt: skip
        except urllib3.exceptions.SSLError as error:
            raise ClusterUnreachable(f"{access.server} shows a certificate that is not trusted: {error}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachable(f"no Kubernetes cluster answers at {access.server}", hint=NO_CLUSTER) from error

    def _find(self) -> Access:
        paths = [Path(one) for one in self.target.kubeconfig.split(os.pathsep) if one] or [Path.home() / ".kube/config"]
        found = [path for path in paths if path.is_file()]
        if not found:
            if IN_CLUSTER.is_file():
                return self._by_library(in_cluster=True)
            raise ClusterUnreachable(f"no Kubernetes cluster answers (no kubeconfig at {paths[0]})", hint=NO_CLUSTER)
        if len(found) == 1 and (access := self._plain(found[0])):
            return access
        return self._by_library()

    def _plain(self, path: Path) -> Access | None:
        """A kubeconfig whose credentials are written in it; None where it takes a library to get them."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            config = yaml.load(path.read_bytes(), Loader=loader) or {}  # noqa: S506 - a safe loader either way
            name = self.target.context or config.get("current-context") or ""
            context = _named(config, "contexts", name)["context"]
            cluster = _named(config, "clusters", context["cluster"])["cluster"]
            user = _named(config, "users", context.get("user", ""))["user"] if context.get("user") else {}
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} is no usable kubeconfig: {error}") from error
        plain = {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token"}
        if set(user or {}) - plain or set(cluster) - {"server", "certificate-authority", "certificate-authority-data",
                                                      "insecure-skip-tls-verify", "extensions"}:  # fmt: skip
            return None
        tls: dict[str, Any] = {}
        for key, section, option in (
            ("certificate-authority", cluster, "ca_certs"),
            ("client-certificate", user or {}, "cert_file"),
            ("client-key", user or {}, "key_file"),
        ):
            if file := section.get(key):
                tls[option] = str(path.parent / file)
            elif data := section.get(f"{key}-data"):
                tls[option] = self._file(base64.b64decode(data))
        if cluster.get("insecure-skip-tls-verify"):
            tls = {"cert_reqs": ssl.CERT_NONE, **tls}
        token = (user or {}).get("token")
        return Access(
            server=cluster["server"].rstrip("/"),
            context=name,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            tls=tls,
        )

    def _by_library(self, *, in_cluster: bool = False) -> Access:
        from kubernetes import client, config

        configuration = client.Configuration()
        try:
            if in_cluster:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=self.target.kubeconfig or None,
                    context=self.target.context or None,
                    client_configuration=configuration,
                )
        except config.ConfigException as error:
            raise ClusterUnreachable(f"the kubeconfig is not usable: {error}", hint=NO_CLUSTER) from error
        token = configuration.get_api_key_with_prefix("authorization") or configuration.get_api_key_with_prefix(
            "BearerToken"
        )
        known = {
            "ca_certs": configuration.ssl_ca_cert,
            "cert_file": configuration.cert_file,
            "key_file": configuration.key_file,
            "cert_reqs": None if configuration.verify_ssl else ssl.CERT_NONE,
        }
        tls = {option: value for option, value in known.items() if value is not None}
        headers = {"Authorization": token} if token else {}
        return Access(configuration.host.rstrip("/"), self.target.context, headers, tls)

    def _file(self, data: bytes) -> str:
        """A key as a file of our own, which TLS libraries want: 0600, removed at the end."""
        handle, path = tempfile.mkstemp(prefix="tycho-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        self._files.append(path)
        return path


def _named(config: Object, kind: str, name: str) -> Object:
    found: Object | None = next((one for one in config.get(kind) or () if one.get("name") == name), None)
    if found is None:
        known = ", ".join(str(one.get("name")) for one in config.get(kind) or ()) or "none"
        raise UsageError(f'the kubeconfig has no {kind[:-1]} "{name}"', hint=f"it has: {known}")
    return found


def _said(status: int, data: bytes) -> OrchestratorError:
    try:
        message = str(json.loads(data).get("message") or "")
    except ValueError:
        message = data[:300].decode(errors="replace")
    kind = BY_STATUS.get(status, OrchestratorError)
    return kind(message or f"the API server answered {status}")


def at(kind: str, namespace: str = "", name: str = "") -> str:
    """The path of a kind, one of `PATHS`, or of one object.

    Args:
        kind: `pods`, `apps/v1/deployments`, …: group and version before it unless it is of the core group.
        namespace: "" for all namespaces, or for a kind that has none.
        name: One object's.
    """
    *group, resource = kind.split("/")
    base = f"/apis/{'/'.join(group)}" if group else "/api/v1"
    where = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"{base}{where}/{resource}" + (f"/{quote(name)}" if name else "")
