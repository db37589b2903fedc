"""Which images a project builds, and what each is called in a registry."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from tycho.chart.services import all_services
from tycho.chart.translate.image import NAME, REGISTRY, split_image
from tycho.errors import UsageError
from tycho.model import Project
from tycho.text import printable

PREFIX = re.compile(rf"{REGISTRY}(?:/{NAME})*", re.ASCII)
LATEST = "latest"
SERVICE = "service:"  # before the name of a service whose image is a build context of another one


class BuildTarget(Struct, frozen=True):
    """An image that a project builds.

    Args:
        name: What Compose calls it.
        builders: Services whose `build` makes it.
        users: Services that run it, the builders among them.
    """

    name: str
    builders: tuple[str, ...]
    users: tuple[str, ...]


def list_targets(project: Project, services: Iterable[str] = ()) -> list[BuildTarget]:
    """List the images that a project builds, in the order of its services.

    Args:
        project: The project.
        services: Those that these services run alone; all when empty.
    """
    services_and_jobs = all_services(project)
    builders: dict[str, list[str]] = {}
    for name, service in services_and_jobs.items():
        if service.build is not None:
            builders.setdefault(project.image_name(name), []).append(name)
    chosen = set(services)
    targets = []
    for image, names in builders.items():
        users = tuple(name for name in services_and_jobs if project.image_name(name) == image)
        if not chosen or chosen.intersection(users):
            targets.append(BuildTarget(image, tuple(names), users))
    return targets


def check_services(project: Project, services: Iterable[str]) -> None:
    """Refuse services whose images a project does not build.

    Raises:
        UsageError: There is no such service, or it has no `build`.
    """
    users = [name for target in list_targets(project) for name in target.users]
    for name in services:
        if name not in users:
            why = "builds no image for" if name in all_services(project) else "has no service"
            hint = f"name one of: {', '.join(users) or 'none'}"
            raise UsageError(f"{project.name} {why} {printable(name)}", hint=hint)


def read_prefix(text: str) -> str:
    """Read where images are pushed to.

    Args:
        text: A registry, a path in it, or both; Docker Hub's where no registry is named.

    Raises:
        UsageError: It is none of these.

    Example:
        >>> read_prefix("localhost:5000/team/")
        'localhost:5000/team'
    """
    prefix = text.strip().rstrip("/")
    if not PREFIX.fullmatch(prefix):
        raise UsageError(
            f'"{printable(text)}" is no place for images',
            hint="write the registry and a path in it, e.g. localhost:5000/team",
        )
    return prefix


def name_pushed(targets: Iterable[BuildTarget], prefix: str) -> dict[str, str]:
    """Name images as they are pushed: their last name and their tag, below a prefix.

    An image whose name in the compose file is below the prefix already keeps it.

    Args:
        targets: The images.
        prefix: Where they are pushed to.

    Returns:
        The reference of each, by the image's name.

    Raises:
        UsageError: Two images would be one there, or a name is none.
    """
    references: dict[str, str] = {}
    for target in targets:
        image = split_image(target.name)
        if not image.repository or image.digest:
            raise UsageError(
                f"the image {printable(target.name)} cannot be pushed under another name",
                hint=f"write image: NAME:TAG for {target.builders[0]}",
            )
        below = image.repository.startswith(f"{prefix}/")
        repository = image.repository if below else f"{prefix}/{image.repository.rpartition('/')[2]}"
        references[target.name] = f"{repository}:{image.tag or LATEST}"
    for name, reference in references.items():
        same = [other for other, pushed in references.items() if pushed == reference]
        if len(same) > 1:
            raise UsageError(
                f"the images {' and '.join(same)} have one name in the registry: {reference}",
                hint=f"give {name} another last name, or another tag",
            )
    return references
