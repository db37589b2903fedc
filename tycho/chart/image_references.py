"""The images of a release as its pods name them: what its values say, with its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tycho.model.expression import evaluate

REGISTRY = re.compile(r"^[^/]*[.:][^/]*/")  # as the chart's helper knows one


def list_references(values: Mapping[str, Any]) -> dict[str, str]:
    """List the image of each service.

    Args:
        values: Of a release, merged with those of its chart.
    """
    variables = {name: str(value) for name, value in (values.get("variables") or {}).items() if value is not None}
    registry = (values.get("global") or {}).get("imageRegistry") or ""
    return {
        name: write_reference(service["image"], variables, registry)
        for name, service in (values.get("services") or {}).items()
        if service and service.get("image")
    }


def write_reference(image: Mapping[str, Any], variables: Mapping[str, str], registry: str = "") -> str:
    """Write an image as its values say it.

    Args:
        image: `services.X.image`.
        variables: What its texts may read.
        registry: What stands in the place of its registry; "" for its own.

    Example:
        >>> write_reference({"repository": "nginx", "tag": "${TAG:-1}"}, {"TAG": "1.27"})
        'nginx:1.27'
    """
    texts = {
        key: evaluate(str(image.get(key) or ""), variables) for key in ("reference", "repository", "tag", "digest")
    }
    name = texts["reference"] or texts["repository"]
    if registry:
        name = f"{registry}/{REGISTRY.sub('', name)}"
    return name + (f":{texts['tag']}" if texts["tag"] else "") + (f"@{texts['digest']}" if texts["digest"] else "")
