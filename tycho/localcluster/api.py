"""The little that setting up a cluster asks of its API server, and the file that says how to reach it."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from tycho.errors import ClusterUnreachable, OrchestratorError


@dataclass(frozen=True, slots=True)
class Api:
    """An API server.

    Args:
        server: Its URL.
        authority: Certificate of its authority, PEM.
        identity: Files of the caller's certificate and key; None asks as nobody, who may see its health and version.
        timeout: Seconds that an answer may take.
    """

    server: str
    authority: str
    identity: tuple[Path, Path] | None = None
    timeout: float = 5.0

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """The server of a kubeconfig, asked as nobody; None where there is no such file."""
        try:
            server, authority, *_ = read(path)
        except FileNotFoundError:
            return None
        return cls(server, authority.decode())

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        """One request.

        Args:
            method: GET, PATCH, DELETE.
            path: With its query.
            body: What to send, if anything.
            kind: The body's media type.

        Raises:
            ClusterUnreachable: There is no answer.
            OrchestratorError: The answer is no.
        """
        context = ssl.create_default_context(cadata=self.authority)
        if self.identity:
            context.load_cert_chain(*self.identity)
        host = urlsplit(self.server).netloc
        connection = http.client.HTTPSConnection(host, context=context, timeout=self.timeout)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ClusterUnreachable(f"{self.server} does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise OrchestratorError(f"{method} {path}: {answer.status} {said.decode(errors='replace')[:500]}")
        return said

    def get(self, path: str) -> Any:
        """What is at a path."""
        return json.loads(self.ask("GET", path))

    def apply(self, path: str, thing: dict[str, Any]) -> None:
        """Make an object what it should be.

        Source: server-side apply, kubernetes.io/docs/reference/using-api/server-side-apply.
        """
        query = "?fieldManager=tycho-cluster&force=true"
        self.ask("PATCH", path + query, json.dumps(thing).encode(), "application/apply-patch+yaml")

    def ready(self) -> bool:
        """Whether it answers, and says that it is ready."""
        try:
            return self.ask("GET", "/readyz") == b"ok"
        except OrchestratorError:
            return False

    def has(self, path: str) -> bool:
        """Whether there is something at a path."""
        try:
            self.ask("GET", path)
        except OrchestratorError:
            return False
        return True


def kubeconfig(context: str, server: str, authority: bytes, certificate: bytes, key: bytes) -> bytes:
    """A kubeconfig that needs no other file.

    Args:
        context: Name of its one context, cluster and user.
        server: URL of the API server.
        authority: Certificate of its authority, PEM.
        certificate: The user's, PEM.
        key: Of that certificate, PEM.
    """
    encoded = [base64.b64encode(data).decode() for data in (authority, certificate, key)]
    cluster = {"server": server, "certificate-authority-data": encoded[0]}
    user = {"client-certificate-data": encoded[1], "client-key-data": encoded[2]}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    return yaml.safe_dump(config, sort_keys=False).encode()


def read(path: Path) -> tuple[str, bytes, bytes, bytes]:
    """Server, authority, certificate and key of a kubeconfig that needs no other file."""
    config = yaml.safe_load(path.read_bytes())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    named = (cluster["certificate-authority-data"], user["client-certificate-data"], user["client-key-data"])
    authority, certificate, key = (base64.b64decode(data) for data in named)
    return cluster["server"], authority, certificate, key
