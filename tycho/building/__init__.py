"""Images of services with a `build`: built by Docker's own command line, and brought to where a cluster finds them.

    project -> targets -> a compose document of them alone -> docker compose build -> push, or load -> values

Docker reads every key below `build` itself. What a release gets is its values: `services.X.image`, by digest where the
image was pushed, by a tag made of its content where the local cluster has it.
"""

from __future__ import annotations

from tycho.building.build import Building, build_images
from tycho.building.docker import Docker
from tycho.building.pins import add_images, find_kept_images, to_metadata
from tycho.building.targets import BuildTarget, check_services, list_targets, name_pushed, read_prefix

__all__ = [
    "BuildTarget",
    "Building",
    "Docker",
    "add_images",
    "build_images",
    "check_services",
    "find_kept_images",
    "list_targets",
    "name_pushed",
    "read_prefix",
    "to_metadata",
]
