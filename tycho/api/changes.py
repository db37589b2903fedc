"""What a request may say of a change to a running system."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from tycho.api.messages import NAME, Asked, Force, ForceConflicts, Message, Services, Value, Variable
from tycho.modification import MOST_REPLICAS, Modification, ServiceChange


def _quantity(value: object) -> object:
    """Return a quantity as text; it may be written as a number: `0.5`."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str, BeforeValidator(_quantity, str | int | float), Field(max_length=40, description="As Kubernetes has it: 500m.")
]
Count = Annotated[int, Field(ge=0, le=MOST_REPLICAS)]
ServiceName = Annotated[str, Field(pattern=rf"^{NAME}$")]


class Resources(Message):
    """The most that each container may use."""

    cpu: Quantity = ""
    memory: Quantity = ""
    gpu: Count | None = None
    ephemeral_storage: Annotated[Quantity, Field(alias="ephemeralStorage")] = ""


class ServiceModify(Resources):
    """What is to change of one service."""

    replicas: Count | None = None
    image: Annotated[str, Field(max_length=512)] = ""
    env: Annotated[dict[Variable, Value | None], Field(default_factory=dict, max_length=1000, description="null: gone")]


class Modify(Asked):
    """What is to change of a system: of all its services, or of single ones."""

    labels: Annotated[
        dict[Annotated[str, Field(max_length=317)], Annotated[str, Field(max_length=63)] | None],
        Field(default_factory=dict, max_length=100, description="Of all pods; null takes a label away."),
    ]
    cpu: Quantity = ""
    memory: Quantity = ""
    gpu: Count | None = None
    resources: Annotated[Resources, Field(description="The same, and ephemeralStorage.")] = Resources()
    replicas: Annotated[Count | None, Field(description="Of every service that has replicas.")] = None
    services: Annotated[dict[ServiceName, ServiceModify], Field(default_factory=dict, max_length=256)]
    force: Force = False
    force_conflicts: ForceConflicts = False

    def modification(self) -> Modification:
        """Return what is to change."""
        nested = self.resources
        common = ServiceChange(
            replicas=self.replicas,
            cpu=self.cpu or nested.cpu,
            memory=self.memory or nested.memory,
            gpu=nested.gpu if self.gpu is None else self.gpu,
            ephemeral_storage=nested.ephemeral_storage,
        )
        services = {name: ServiceChange(**service.model_dump()) for name, service in self.services.items()}
        return Modification(labels=self.labels, common=common, services=services)


class PauseOf(Asked):
    """Whose system is to stand still, or to run again."""

    force: Force = False
    force_conflicts: ForceConflicts = False


class StopOf(Asked):
    """Which services are to stand still, or to run again."""

    force: Force = False
    force_conflicts: ForceConflicts = False
    services: Annotated[Services, Field(min_length=1, description="Compose names.")]


class ScaleOf(Asked):
    """How many replicas services are to have."""

    replicas: Annotated[dict[ServiceName, Count], Field(min_length=1, max_length=256, description="By service.")]
    force: Force = False
    force_conflicts: ForceConflicts = False


class ModifySystem(Modify):
    """One system, and what is to change of it."""

    guid: Annotated[str, Field(pattern=rf"^{NAME}$", alias="tycho-guid", description="GUID, or any other id.")]


class Patches(BaseModel):
    """What a change did: operations of RFC 6902 on the values of the release."""

    patches: list[dict[str, Any]]
