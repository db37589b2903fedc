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

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.name: str = said.get("name", "")
        self.identifier: str = said.get("sid", "")
        self.ip_address: str = said.get("ip_address", "--")
        self.port: str = str(said.get("port", "--"))
        self.creation_time: str = said.get("creation_time", "")
        self.username: str = said.get("username", "")
        self.utilization: Mapping[str, Mapping[str, str]] = said.get("utilization") or {}
        self.total_util: Mapping[str, int | str] = count_total(self.utilization)
        self.is_ready: bool = bool(said.get("is_ready", False))
        self.namespace: str = said.get("namespace", "")
        self.app_id: str = said.get("app_id", "")
        self.conn_string: str = said.get("conn_string", "")
        self.workspace_name: str = said.get("workspace_name", "")

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
        error = kind(said.get("message", self.message), hint=said.get("hint", ""), problems=_problems(said, "problems"))
        error.warnings = tuple(_problems(said, "warnings"))
        return error


class TychoSystem(TychoAnswer):
    """The answer to a start: the system, or why there is none."""

    def __init__(self, status: str, result: Any, message: str) -> None:
        super().__init__(status, result, message)
        found = result if isinstance(result, Mapping) else {}
        self.name: str = found.get("name", "")
        self.identifier: str = found.get("sid", "")
        self.conn_string: str = found.get("conn_string", "")
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


def write_started(found: Mapping[str, Any], accepted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a system as the answer to the seed's start has it."""
    containers = {}
    for service in found["services"]:
        ends = service.get("endpoints") or ()
        ports = {f"port-{i}": end["port"] for i, end in enumerate(ends, 1)}
        containers[service["name"]] = {"ip_address": ends[0]["ip_address"] if ends else "--", **ports}
    return {
        "name": found["app_id"],
        "sid": found["sid"],
        "containers": containers,
        "warnings": accepted.get("warnings", ()),
        "notes": accepted.get("notes", ()),
        "conn_string": found.get("conn_string", ""),
    }


def _problems(said: Mapping[str, Any], key: str) -> list[Problem]:
    """List problems as the service sent them; keys of a newer service are left out."""
    known = Problem.__dataclass_fields__
    return [Problem(**{name: value for name, value in one.items() if name in known}) for one in said.get(key, ())]
