"""Check what a caller brings to a start: files, variables, and labels and annotations of services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.grants import REFUSAL, describe_grant
from tycho.chart.podsecurity import as_mapping
from tycho.chart.reserved import BALANCERS, is_allowed
from tycho.chart.services import drop_unused, services_by_path
from tycho.chart.translate.image import NO_IMAGE, is_image
from tycho.errors import ComposeError, PolicyDenied, Problem
from tycho.model import Config, Expr, Project, Secret, ServiceMetadata, template
from tycho.model.rights import read_grants
from tycho.text import count

NAMES = ("podLabels", "podAnnotations", "workloadAnnotations")
REASON = "a caller cannot set this label or annotation, and no policy grants it"


def check_start(system: Project) -> None:
    """Refuse to start what cannot run with the files and variables at hand, as Docker Compose does.

    That is a config or a secret that nothing was read for, and an image that is no reference. A chart may be made: who
    installs it gives the rest.

    Args:
        system: The system after the policies.

    Raises:
        ComposeError: With every file that is absent, and every variable that is not set or makes no image.
    """
    problems = [*_list_images(system), *_list_empty(drop_unused(system))]
    if problems:
        raise ComposeError(count(len(problems), "problem"), problems=problems)


def _list_images(system: Project) -> Iterator[Problem]:
    """List the images that variables make none; what is wrong without them was told when it was compiled."""
    for path, service in services_by_path(system).items():
        if isinstance(service.image, Expr) and not is_image(str(service.image)):
            hint = f"set the variables of {template(service.image)} to make it a valid image, such as nginx:1.27"
            yield system.make_problem(f"{path}.image", NO_IMAGE.format(service.image), hint)


def _list_empty(system: Project) -> Iterator[Problem]:
    """List the configs and secrets without content."""
    resources: dict[str, Config | Secret] = {f"configs.{name}": config for name, config in system.configs.items()}
    resources |= {f"secrets.{name}": secret for name, secret in system.secrets.items()}
    for path, resource in resources.items():
        if resource.external or resource.files is not None:
            continue
        if resource.file is not None:
            at, message = f"{path}.file", f"{template(resource.file)}: no such file"
            hint = "create it, or send it with the request"
        elif resource.environment is not None and not _is_set(system, template(resource.environment)):
            message = f"the variable {template(resource.environment)} is not set"
            at, hint = f"{path}.environment", "set it, or write file: or external: true"
        else:
            continue
        yield system.make_problem(at, message, hint)


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
    problems = [
        problem for name, service_metadata in metadata.items() for problem in _check(system, name, service_metadata)
    ]
    if problems:
        raise PolicyDenied(REFUSAL, problems=problems)


def _check(system: Project, name: str, metadata: ServiceMetadata) -> Iterator[Problem]:
    grants = (*read_grants(system), *read_grants(system.services.get(name)))
    given = {key: as_mapping(metadata.values.get(key)) for key in NAMES}
    given["service.annotations"] = as_mapping(as_mapping(metadata.values.get("service")).get("annotations"))
    for place, entries in given.items():
        open_domains = BALANCERS if place.startswith("service.") else ()
        for key, value in entries.items():
            if not is_allowed(str(key), str(value), grants, open_domains):
                path = f"services.{name}.{place}.{key}"
                yield Problem("", 0, path, REASON, describe_grant(name, f"annotations.{key}"))
