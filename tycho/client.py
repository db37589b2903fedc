"""A Tycho API from Python: `TychoClient(url).start({...})`.

An answer is an object with `.status` ("success" or "error") and `.message`, as callers have always checked; only a
service that does not answer at all is an exception.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tycho.errors import ClusterUnreachable, TychoError

URL = "http://localhost:5000"


class TychoService:
    """One service of a system, or a system as `status` tells of it."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.name: str = said.get("name", "")
        self.identifier: str = said.get("sid", "")
        self.ip_address: str = said.get("ip_address", "--")
        self.port: str = str(said.get("port", "--"))
        self.creation_time: str = said.get("creation_time", "")
        self.username: str = said.get("username", "")
        self.total_util: Mapping[str, Any] = said.get("utilization", {})
        self.is_ready: bool = bool(said.get("is_ready", False))
        self.namespace: str = said.get("namespace", "")

    def __repr__(self) -> str:
        return f"TychoService({self.name}, {self.ip_address}:{self.port})"


class _Answer:
    def __init__(self, status: str, result: Any, message: str) -> None:
        self.status = status
        self.result = result
        self.message = message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status}, {self.message})"


class TychoSystem(_Answer):
    """The answer to a start: the system, or why there is none."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        super().__init__(status, result, message)
        found = result if isinstance(result, Mapping) else {}
        self.name: str = found.get("name", "")
        self.identifier: str = found.get("sid", "")
        self.services = [
            TychoService({"name": name, "ip_address": one.get("ip_address"), "port": one.get("port-1", "--")})
            for name, one in found.get("containers", {}).items()
        ]


class TychoStatus(_Answer):
    """The answer to a status: `.services` holds one entry a system."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        super().__init__(status, result, message)
        self.services = [TychoService(one) for one in result] if isinstance(result, Sequence) else []


class TychoClient:
    """A Tycho API.

    Args:
        url: Where it answers.
        timeout: Seconds that one call may take.
    """

    def __init__(self, url: str = URL, *, timeout: float = 330.0) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout

    def start(self, request: Mapping[str, Any]) -> TychoSystem:
        """Start a system: `{name, system, env?, services?, username?}`."""
        return TychoSystem(**self._post("start", request))

    def status(self, request: Mapping[str, Any] | None = None) -> TychoStatus:
        """What runs: all of it, or `{name}` alone."""
        return TychoStatus(**self._post("status", request or {}))

    def delete(self, request: Mapping[str, Any]) -> TychoStatus:
        """Remove the system `{name}`."""
        return TychoStatus(**self._post("delete", request))

    def up(self, name: str, system: Mapping[str, Any], settings: str = "") -> TychoSystem:
        """Start a compose document.

        Args:
            name: The project's name.
            system: The document.
            settings: Its environment, as the text of an env file.
        """
        return self.start({"name": name, "system": dict(system), "env": self.parse_env(settings)})

    def list(self, name: str = "", *, terse: bool = False) -> Any:
        """The systems that run: as `TychoStatus`, or, `terse`, their GUIDs."""
        found = self.status({"name": name} if name else {})
        return [one.identifier for one in found.services] if terse else found

    def down(self, names: Sequence[str]) -> Sequence[TychoStatus]:
        """Remove several systems; each has its answer."""
        return [self.delete({"name": name}) for name in names]

    @staticmethod
    def parse_env(text: str) -> dict[str, str]:
        """The variables of an env file's text."""
        from tycho.compose import dotenv

        return dotenv.parse(text.encode(), "settings", {})

    def _post(self, verb: str, request: Mapping[str, Any]) -> dict[str, Any]:
        import httpx2

        url = f"{self.url}/system/{verb}"
        try:
            answer = httpx2.post(url, json=dict(request), timeout=self.timeout, trust_env=False)
        except httpx2.HTTPError as error:
            raise ClusterUnreachable(
                f"no Tycho answers at {self.url}: {error}", hint="`tycho api` starts one"
            ) from error
        try:
            said = answer.json()
            return {key: said[key] for key in ("status", "result", "message")}
        except (json.JSONDecodeError, KeyError, TypeError):
            raise TychoError(f"{url} answered {answer.status_code}, and not as Tycho does") from None


class TychoClientFactory:
    """Finds the API's address: in a pod, outside of the cluster, or on this machine."""

    def get_client(self, name: str = "tycho-api", namespace: str = "default", default_url: str = URL) -> TychoClient:
        """A client of the API that runs as a Service.

        Args:
            name: Of the Service.
            namespace: Where the Service is.
            default_url: Used where no such Service is found.
        """
        from tycho.orchestrators.helm.discover import service_url

        return TychoClient(service_url(name, namespace) or default_url)


TychoFactory = TychoClientFactory
