"""Changes of what runs on their way to a service, and what it says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from tycho.comparison.differences import Difference

if TYPE_CHECKING:
    from tycho.modification import Modification, ServiceChange


class ToldDifference(Difference, frozen=True):
    """A difference that the service has put into words."""

    @property
    def words(self) -> str:
        """Its words."""
        return self.path[0]


def write_changes(modification: Modification) -> dict[str, Any]:
    """Write what is wanted as a request has it."""
    services = {name: _write_change(change) for name, change in modification.services.items()}
    common = _write_change(modification.common)
    nested = {"resources": {"ephemeralStorage": common.pop("ephemeralStorage")}} if "ephemeralStorage" in common else {}
    return {"labels": dict(modification.labels), "services": services, **common, **nested}


def _write_change(change: ServiceChange) -> dict[str, Any]:
    given = {name: value for name, value in structs.asdict(change).items() if value not in (None, "", {})}
    return {"ephemeralStorage" if name == "ephemeral_storage" else name: value for name, value in given.items()}
