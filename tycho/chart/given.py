"""What a caller gives at a start: all that configs and secrets name, and no labels or annotations that are reserved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.judge import describe_grant
from tycho.chart.podsecurity import as_mapping
from tycho.chart.reserved import BALANCERS, is_allowed
from tycho.chart.translate.image import NO_IMAGE, is_image
from tycho.chart.wiring import everything
from tycho.errors import ComposeError, PolicyDenied, Problem
from tycho.model import Expr, Project, ServiceMetadata, template
from tycho.model.rights import read_grants

NAMES = ("podLabels", "podAnnotations", "workloadAnnotations")
REASON = "this label or annotation is not a caller's to set, and no policy granted it"


def check_start(system: Project) -> None:
    """Refuse to start what cannot run with the files and variables at hand, as Docker Compose does.

    That is a config or a secret that nothing was read for, and an image that is no reference. A chart may be made: who
    installs it gives the rest.

    Args:
        system: The system after the policies.

    Raises:
        ComposeError: With every file that is absent, and every variable that is not set or makes no image.
    """
    services = everything(system).values()
    used = {
        "configs": {mount.source for service in services for mount in service.configs},
        "secrets": {mount.source for service in services for mount in service.secrets},
    }
    problems = [
        Problem(*system.at(path := f"{section}.{name}.image"), path, NO_IMAGE.format(service.image), "nginx:1.27")
        for section, containers in (("services", system.services), ("jobs", system.jobs))
        for name, service in containers.items()
        if isinstance(service.image, Expr) and not is_image(str(service.image))
    ]
    for kind, resources in (("configs", system.configs), ("secrets", system.secrets)):
        for name, resource in resources.items():
            if name not in used[kind] or resource.external or resource.files is not None:
                continue
            if resource.file is not None:
                path, message = f"{kind}.{name}.file", f"{template(resource.file)}: absent"
                problems.append(Problem(*system.at(path), path, message, "put it there, or send it along"))
            elif (variable := resource.environment) is not None and not _is_set(system, template(variable)):
                path, message = f"{kind}.{name}.environment", f"the variable {template(variable)} is not set"
                problems.append(Problem(*system.at(path), path, message, "set it, or write file: or external: true"))
    if problems:
        raise ComposeError(f"{len(problems)} problem{'s' * (len(problems) > 1)}", problems=problems)


def _is_set(system: Project, variable: str) -> bool:
    """Tell whether a variable has a value: a config's is read when the release is made, a secret's was."""
    return variable in system.variables and system.variables[variable].value is not None


def check_metadata(system: Project, metadata: Mapping[str, ServiceMetadata]) -> None:
    """Refuse reserved labels and annotations in the values that a caller gives with a service.

    Args:
        system: The system after the policies.
        metadata: What the caller says of single services.

    Raises:
        PolicyDenied: With every one of them.
    """
    problems = [problem for name, about in metadata.items() for problem in _check(system, name, about)]
    if problems:
        raise PolicyDenied("refused: it asks for what no policy granted", problems=problems)


def _check(system: Project, name: str, about: ServiceMetadata) -> Iterator[Problem]:
    grants = (*read_grants(system), *read_grants(system.services.get(name)))
    given = {key: as_mapping(about.values.get(key)) for key in NAMES}
    given["service.annotations"] = as_mapping(as_mapping(about.values.get("service")).get("annotations"))
    for place, entries in given.items():
        open_domains = BALANCERS if place.startswith("service.") else ()
        for key, value in entries.items():
            if not is_allowed(str(key), str(value), grants, open_domains):
                path = f"services.{name}.{place}.{key}"
                yield Problem("", 0, path, REASON, describe_grant(name, f"annotations.{key}"))
