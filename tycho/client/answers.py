"""What the service's seed style answers: objects with `.status`, `.result` and `.message`, as callers have always read.

An answer has `.error`, which can be raised; only a service that does not answer at all is an exception by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tycho import errors
from tycho.client.quantities import count_total
from tycho.errors import Problem, TychoError

TychoException = TychoError


class TychoService:
    """One service of a system, or a system as `status` tells of it.

    `utilization` holds what each container asks for; `total_util` adds it up: `cpu` in millicores, `gpu` in
    thousandths, `memory` and `ephemeralStorage` in GB, as text.
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.name: str = result.get("name", "")
        self.identifier: str = result.get("sid", "")
        self.ip_address: str = result.get("ip_address", "--")
        self.port: str = str(result.get("port", "--"))
        self.creation_time: str = result.get("creation_time", "")
        self.username: str = result.get("username", "")
        self.utilization: Mapping[str, Mapping[str, str]] = result.get("utilization") or {}
        self.total_util: Mapping[str, int | str] = count_total(self.utilization)
        self.is_ready: bool = bool(result.get("is_ready", False))
        self.namespace: str = result.get("namespace", "")
        self.app_id: str = result.get("app_id", "")
        self.conn_string: str = result.get("conn_string", "")
        self.workspace_name: str = result.get("workspace_name", "")

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
        body = self.result if isinstance(self.result, Mapping) else {}
        kind = getattr(errors, str(body.get("error")), None)
        if not isinstance(kind, type) or not issubclass(kind, TychoError):
            kind = TychoError
        error = kind(body.get("message", self.message), hint=body.get("hint", ""), problems=_problems(body, "problems"))
        error.warnings = tuple(_problems(body, "warnings"))
        return error


class TychoSystem(TychoAnswer):
    """The answer to a start: the system, or why there is none."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        super().__init__(status, result, message)
        body = result if isinstance(result, Mapping) else {}
        self.name: str = body.get("name", "")
        self.identifier: str = body.get("sid", "")
        self.conn_string: str = body.get("conn_string", "")
        self.services = [
            TychoService({"name": name, "ip_address": pod.get("ip_address"), "port": pod.get("port-1", "--")})
            for name, pod in body.get("containers", {}).items()
        ]
        self.warnings: Sequence[str] = [
            f"{warning['path']}: {warning['message']}" for warning in body.get("warnings", ())
        ]


class TychoStatus(TychoAnswer):
    """The answer to a status: `.services` holds one entry a system."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        super().__init__(status, result, message)
        self.services = [TychoService(system) for system in result] if isinstance(result, list) else []


def write_started(started: Mapping[str, Any], accepted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a system as the answer to the seed's start has it."""
    containers = {}
    for service in started["services"]:
        ends = service.get("endpoints") or ()
        ports = {f"port-{i}": end["port"] for i, end in enumerate(ends, 1)}
        containers[service["name"]] = {"ip_address": ends[0]["ip_address"] if ends else "--", **ports}
    return {
        "name": started["app_id"],
        "sid": started["sid"],
        "containers": containers,
        "warnings": accepted.get("warnings", ()),
        "notes": accepted.get("notes", ()),
        "conn_string": started.get("conn_string", ""),
    }


def _problems(result: Mapping[str, Any], key: str) -> list[Problem]:
    """List problems as the service sent them; keys of a newer service are left out."""
    known = Problem.__dataclass_fields__
    return [
        Problem(**{name: value for name, value in problem.items() if name in known}) for problem in result.get(key, ())
    ]
