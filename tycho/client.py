"""A Tycho API from Python: `TychoClient(url).start({...})`.

An answer is an object with `.status` ("success" or "error") and `.message`, as callers have always checked, and with
`.error`, which can be raised; only a service that does not answer at all is an exception by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tycho import errors
from tycho.errors import ClusterUnreachable, Problem, SourceError, TychoError, UsageError, WaitTimeout
from tycho.text import safe_message

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


class TychoAnswer:
    """What the service said: `.status`, `.result` and `.message` of the envelope."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        self.status = status
        self.result = result
        self.message = message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status}, {self.message})"

    @property
    def error(self) -> TychoError | None:
        """The error that the service met, of its own class; None when all went well."""
        if self.status == "success":
            return None
        said = self.result if isinstance(self.result, Mapping) else {}
        kind = getattr(errors, str(said.get("error")), None)
        if not isinstance(kind, type) or not issubclass(kind, TychoError):
            kind = TychoError
        problems = [Problem(**one) for one in said.get("problems", ())]
        error = kind(said.get("message", self.message), hint=said.get("hint", ""), problems=problems)
        error.warnings = tuple(Problem(**warning) for warning in said.get("warnings", ()))
        return error


class TychoSystem(TychoAnswer):
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
        self.warnings: Sequence[str] = [f"{one['path']}: {one['message']}" for one in found.get("warnings", ())]


class TychoStatus(TychoAnswer):
    """The answer to a status: `.services` holds one entry a system."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        super().__init__(status, result, message)
        self.services = [TychoService(one) for one in result] if isinstance(result, list) else []


class TychoClient:
    """A Tycho API.

    Args:
        url: Where it answers.
        timeout: Seconds that one call may take; the service itself gives up before.

    Raises:
        ClusterUnreachable: By any call: nothing answers there.
        WaitTimeout: By any call: the answer takes too long.
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

    def history(self, request: Mapping[str, Any]) -> TychoAnswer:
        """The revisions of the system `{name}`: `.result` is a list, oldest first."""
        return TychoAnswer(**self._post("history", request))

    def rollback(self, request: Mapping[str, Any]) -> TychoAnswer:
        """Make an earlier revision of the system `{name, revision?}` the running one."""
        return TychoAnswer(**self._post("rollback", request))

    def restart(self, request: Mapping[str, Any]) -> TychoAnswer:
        """Replace the pods of the system `{name, services?, wait?}` by new ones: `.result` is the system."""
        return TychoAnswer(**self._post("restart", request))

    def events(self, request: Mapping[str, Any]) -> TychoAnswer:
        """Ask what the cluster tells of the system `{name, services?}`: `.result` is a list, oldest first."""
        return TychoAnswer(**self._post("events", request))

    def logs(self, request: Mapping[str, Any]) -> TychoAnswer:
        """Ask for the logs of the system `{name, services?, since?, tail?, timestamps?}`: `.result` lists lines."""
        return TychoAnswer(**self._post("logs", request))

    def compile(self, request: Mapping[str, Any]) -> TychoAnswer:
        """The chart of `{name, system, env?, services?}`: `.result` has its files, and the report of every key."""
        return TychoAnswer(**self._post("compile", request))

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
        """The variables of an env file's text.

        Raises:
            SourceError: It is not one.
        """
        from tycho.compose import dotenv

        try:
            return dotenv.parse(text.encode(), "settings", {})
        except dotenv.Malformed as error:
            raise SourceError("1 problem", problems=[error.problem]) from None

    def _post(self, verb: str, request: Mapping[str, Any]) -> dict[str, Any]:
        import httpx2

        address = f"{self.url}/system/{verb}"
        shown, url = _shown(address), _shown(self.url)
        try:
            answer = httpx2.post(address, json=dict(request), timeout=self.timeout, trust_env=False)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            message = f'"{url}" is not an address: {safe_message(str(error))}'
            raise UsageError(message, hint=f"for example, {URL}") from error
        except httpx2.ReadTimeout as error:
            raise WaitTimeout(f"{shown} took longer than {self.timeout:g} s") from error
        except httpx2.HTTPError as error:
            message = f"no Tycho answers at {url}: {safe_message(str(error))}"
            raise ClusterUnreachable(message, hint="`tycho api` starts one") from error
        except UnicodeEncodeError as error:
            raise UsageError("the request holds text that is none", hint=str(error.reason)) from error
        try:
            said = answer.json()
            return {key: said[key] for key in ("status", "result", "message")}
        except (json.JSONDecodeError, KeyError, TypeError):
            raise TychoError(f"{shown} answered {answer.status_code}, and not as Tycho does") from None


def _shown(url: str) -> str:
    """Show an address without what stands before an `@`: a password, whether or not the rest is an address."""
    return safe_message(re.sub(r"[^/]*@", "***@", url))


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
