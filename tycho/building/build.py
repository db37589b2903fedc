"""Build the images of a project, and bring them to where its cluster finds them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from tycho.building.docker import Docker
from tycho.building.document import list_secret_variables, write_document
from tycho.building.pins import Tree, pin_image
from tycho.building.targets import BuildTarget, list_targets, name_pushed
from tycho.compose import Sources
from tycho.docker_cli import Tell
from tycho.errors import ToolMissing
from tycho.masking import Masker, masked, system_secrets
from tycho.model import Project

DIGITS = 16  # of an image's digest, in the tag that a local cluster knows it by


class Building(Struct, frozen=True):
    """How images are built, and where they go; without a place, the engine alone has them.

    Args:
        prefix: Where they are pushed to.
        load: Brings images of the engine to a local cluster.
        services: Those that these services run alone; all when empty.
        options: Further ones of `docker compose build`.
        tell: Told each line that Docker writes.
        shown: Whether the user sees these lines.
    """

    prefix: str = ""
    load: Callable[[Sequence[str]], None] | None = None
    services: Sequence[str] = ()
    options: Sequence[str] = ()
    tell: Tell = field(default=lambda line: None)
    shown: bool = False


async def build_images(project: Project, sources: Sources, building: Building) -> Mapping[str, Tree]:
    """Build the images of a project, and bring them to where its cluster finds them.

    Args:
        project: The project.
        sources: What it was loaded from.
        building: How, and whereto.

    Returns:
        The image of each service that runs one of them, as values have it; empty where nothing is built.

    Raises:
        UsageError: An image cannot have its name in the registry.
        ToolMissing: No engine answers, or no Docker Compose is there; says what to push instead.
        CredentialsRejected: The registry does not let the caller push.
        OrchestratorError: A build or a push failed, with what Docker said.
    """
    targets = list_targets(project, building.services)
    if not targets:
        return {}
    references = name_pushed(targets, building.prefix) if building.prefix else {}
    texts = [text.decode(errors="replace") for _, text in sources.texts]
    secrets, readers = system_secrets(project, sources.env, texts)
    variables = {name: sources.env[name] for name in list_secret_variables(project, targets) if name in sources.env}
    secrets |= {value: f"${{{name}}}" for name, value in variables.items()}
    with masked(secrets, readers) as masker:
        docker = Docker(variables, tell=_mask_lines(masker, building.tell), shown=building.shown)
        document = write_document(project, sources, targets)
        try:
            await docker.read_version()
            await docker.build(project.name, sources.directory, document, building.options)
        except ToolMissing as error:
            raise _explain_missing(error, targets, references) from None
        images = {}
        for target in targets:
            image = await _bring(docker, target, references.get(target.name, ""), building)
            images.update(dict.fromkeys(target.users, image))
        return images


async def _bring(docker: Docker, target: BuildTarget, reference: str, building: Building) -> Tree:
    """Bring one image to where the cluster finds it, and write it as values have it."""
    if reference:
        if reference != target.name:
            await docker.tag(target.name, reference)
        return pin_image(target, reference, digest=await docker.push(reference))
    if not building.load:
        return pin_image(target, target.name)
    content = (await docker.read_id(target.name)).rpartition(":")[2][:DIGITS]
    name = pin_image(target, target.name)["repository"]
    reference = f"{name}:{content}"
    await docker.tag(target.name, reference)
    try:
        await asyncio.to_thread(building.load, [reference])
    finally:
        await docker.untag(reference)  # the node keeps it; here it would only pile up
    return pin_image(target, reference, local=True)


def _mask_lines(masker: Masker, tell: Tell) -> Tell:
    return lambda line: tell(masker.text(line))


def _explain_missing(error: ToolMissing, targets: Sequence[BuildTarget], references: Mapping[str, str]) -> ToolMissing:
    """Say what to push, and where, where nothing can be built here."""
    lines = [f"{', '.join(target.users)}: {references.get(target.name, target.name)}" for target in targets]
    where = "push them as" if references else "push them to your registry;"
    words = [f"{error.message}; {error.hint}", f"or build elsewhere, and {where} the `image:` of each service:", *lines]
    return ToolMissing("the images cannot be built here", hint="\n".join(words))
