"""A compose document of what is built alone, for Docker Compose to read from its standard input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tycho.building.targets import SERVICE, BuildTarget
from tycho.chart.services import all_services
from tycho.compose import Sources, canonical
from tycho.model import Project
from tycho.text import json_text


def write_document(project: Project, sources: Sources, targets: Iterable[BuildTarget]) -> bytes:
    """Write the builds of images as a compose document; its paths are absolute, and no variable is left in it.

    Args:
        project: The project.
        sources: Where its relative paths start.
        targets: The images to build; what these stand on comes along.
    """
    tree: dict[str, Any] = canonical(project, sources, written=True)
    sections = {**tree.get("services", {}), **tree.get("jobs", {})}
    services: dict[str, Any] = {}
    for target in targets:
        written: list[Any] = []
        for name in target.builders:
            build = sections[name]["build"]
            platform = sections[name].get("platform")
            if (build, platform) not in written:  # many services may build one image in the same way
                written.append((build, platform))
                services[name] = _service(project, sections, name)
    waiting = list(services)
    while waiting:
        for other in _contexts(services[waiting.pop()]["build"]):
            if other not in services and "build" in sections.get(other, {}):
                services[other] = _service(project, sections, other)
                waiting.append(other)
    granted = {grant["source"] for service in services.values() for grant in service["build"].get("secrets", ())}
    secrets = {name: secret for name, secret in tree.get("secrets", {}).items() if name in granted}
    document = {"name": project.name, "services": services, **({"secrets": secrets} if secrets else {})}
    return json_text(document).encode()


def list_secret_variables(project: Project, targets: Iterable[BuildTarget]) -> list[str]:
    """List the variables that secrets of builds are read from."""
    sections = all_services(project)
    builds = [sections[name].build or {} for target in targets for name in target.builders]
    granted = {grant["source"] for build in builds for grant in build.get("secrets", ())}
    secrets = [secret for name, secret in project.secrets.items() if name in granted]
    return sorted({str(secret.environment) for secret in secrets if secret.environment})


def _service(project: Project, sections: dict[str, Any], name: str) -> dict[str, Any]:
    platform = sections[name].get("platform")
    image = project.image_name(name).replace("$", "$$")
    return {"image": image, "build": sections[name]["build"], **({"platform": platform} if platform else {})}


def _contexts(build: dict[str, Any]) -> list[str]:
    """List the services whose images are contexts of a build."""
    contexts = [*build.get("additional_contexts", {}).values(), build.get("context", "")]
    return [text.removeprefix(SERVICE) for text in map(str, contexts) if text.startswith(SERVICE)]
