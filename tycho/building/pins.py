"""What of an image that was built goes into the values of a release, and which of them the next release keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tycho.building.targets import BuildTarget, list_targets
from tycho.chart.services import all_services
from tycho.chart.translate.image import split_image
from tycho.model import Project, ServiceMetadata
from tycho.pulling import PULLED
from tycho.stored import merge_values

Tree = dict[str, Any]
Metadata = Mapping[str, ServiceMetadata]


def pin_image(target: BuildTarget, reference: str, *, digest: str = "", local: bool = False) -> Tree:
    """Write an image as `services.X.image` of a release has it.

    Args:
        target: What was built.
        reference: Its name and tag where the cluster finds it.
        digest: Of what was pushed.
        local: Whether the nodes have it, and no registry.
    """
    image = split_image(reference)
    parts = {
        "reference": "",
        "repository": image.repository,
        "tag": image.tag,
        "digest": digest,
        "builtAs": target.name,
    }
    return _in_order({**parts, **({"pullPolicy": "IfNotPresent"} if local else {})})


def add_images(metadata: Metadata, images: Mapping[str, Tree]) -> dict[str, ServiceMetadata]:
    """Add images to what the caller says of services; they go before an image that he names himself.

    Args:
        metadata: What he says.
        images: The image of each service, as values have it.
    """
    added = dict(metadata)
    for name, image in images.items():
        entry = metadata.get(name)
        values = merge_values(entry.values if entry else {}, {"image": image})
        # An entry that says nothing at all publishes its service: it still has to when it says an image.
        published = {"port": None} if entry and not entry.model_fields_set else {}
        added[name] = ServiceMetadata(values=values) if entry is None else entry.model_copy(
            update={"values": values, **published}
        )  # fmt: skip
    return added


def to_metadata(images: Mapping[str, Tree]) -> dict[str, Any]:
    """Write images as a file for `--metadata`."""
    return {name: {"values": {"image": image}} for name, image in images.items()}


def find_kept_images(project: Project, metadata: Metadata, running: Mapping[str, Mapping[str, Any]]) -> dict[str, Tree]:
    """Find the images that services run which the file still names as then: an upgrade keeps them as they are.

    They were built, or pulled anew.

    Args:
        project: What is to run.
        metadata: What the caller says; an image that he names goes before.
        running: The images that services run now, as values have them.

    Returns:
        The image of each such service, as values have it.
    """
    kept: dict[str, Tree] = {}
    origins = {name: PULLED + project.image_name(name) for name in all_services(project)}
    origins |= {name: target.name for target in list_targets(project) for name in target.users}
    for name, origin in origins.items():
        image = running.get(name) or {}
        given = name in metadata and "image" in metadata[name].values
        if image.get("builtAs") == origin and not given:
            kept[name] = _in_order(image)
    return kept


def _in_order(image: Mapping[str, Any]) -> Tree:
    """Sort the parts of an image: values whose keys have another order are another revision."""
    return dict(sorted(image.items()))
