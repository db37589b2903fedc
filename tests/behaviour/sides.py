"""What the judge asks of either side, and the words both answer in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

OFTEN = 2  # restarts after which a container is one that never stays up


@dataclass(frozen=True, slots=True)
class Container:
    """A container at one moment.

    Args:
        service: Whose it is.
        identity: What its side calls it.
        generated: The host name that it has when the file says none.
        state: `running`, `exited`, `restarting`, `created`.
        exit_code: How it ended; None while it runs.
        restarts: How often it was started again.
        health: `healthy`, `unhealthy`, `starting`; "" without a check.
    """

    service: str
    identity: str
    generated: str
    state: str
    exit_code: int | None
    restarts: int
    health: str


@dataclass(frozen=True, slots=True)
class Published:
    """Where a service answers outside; a protocol that nobody tells is ""."""

    service: str
    target: int
    protocol: str
    address: str
    port: int


def restarting(container: Container) -> bool:
    """Tell whether a container is one that ends again and again."""
    return container.state == "restarting" or container.restarts >= OFTEN


class Side(Protocol):
    """One of the two."""

    outside: str

    def up(self) -> str:
        """Start it, or change it; "" when that succeeded, else what was said."""

    def restart(self) -> None:
        """Restart every service."""

    def down(self, *, volumes: bool) -> None:
        """Remove it, and its volumes if so wanted."""

    def containers(self) -> list[Container]:
        """Look at every container of it."""

    def execute(self, container: Container, *words: str) -> str:
        """Run a program in a container, and give what it prints."""

    def logs(self, container: Container) -> str:
        """Read what a container printed."""

    def last_words(self, containers: list[Container]) -> Iterator[tuple[Container, str]]:
        """Stop it, and give what each container printed, to its end."""

    def published(self) -> list[Published]:
        """Where it answers outside."""

    def is_settled(self, container: Container) -> bool:
        """Tell whether a container is where it will stay."""
