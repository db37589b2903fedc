"""Ask the operator's policies whether they allow a change of what runs, as they are asked when a system starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tycho.compose import Sources, load
from tycho.errors import ComposeError, PolicyDenied
from tycho.model import Project
from tycho.modification import Modification, ServiceChange, quantity
from tycho.policy import apply_policies
from tycho.stored import StoredRelease

HINT = "change the compose file, and `tycho up`: policies then see the whole of it"


def check_policies(name: str, stored: StoredRelease, modification: Modification, folders: Sequence[Path]) -> None:
    """Refuse a change that a policy of the operator's refuses.

    The shipped policies need not be asked: what they judge, no change reaches.

    Args:
        name: The project's name.
        stored: The release as it is.
        modification: What is to be changed.
        folders: The operator's policies; nothing is asked where there are none.

    Raises:
        PolicyDenied: A policy refuses the system with this change, or cannot be asked about it.
    """
    if not folders or modification == Modification(labels=modification.labels):
        return
    document = yaml.load(stored.compose, yaml.CSafeLoader)
    if not isinstance(document, dict):
        raise PolicyDenied("this release does not hold what its policies judge", hint=HINT)
    for section, write_sizes in (("services", _write_service_sizes), ("jobs", _write_job_sizes)):
        for service, keys in (document.get(section) or {}).items():
            for change in (modification.common, modification.services.get(service, ServiceChange())):
                _write_change(keys, change)
                write_sizes(keys, change)
    variables = {key: str(value) for key, value in (stored.merged.get("variables") or {}).items() if value is not None}
    try:
        project = load(Sources.from_document(document, env=variables, name=name))
    except ComposeError as error:
        named = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems[:3])
        raise PolicyDenied(f"the policies cannot judge this change: {named or error.message}", hint=HINT) from error
    apply_policies(project, folders=folders)


def check_images(project: Project, images: Mapping[str, str], folders: Sequence[Path]) -> None:
    """Refuse images that a policy of the operator's refuses, before they are pushed.

    Args:
        project: What is to run.
        images: The image that each service is to run instead of the compose file's.
        folders: The operator's policies; nothing is asked where there are none.

    Raises:
        PolicyDenied: A policy refuses the system with these images.
    """
    if not folders:
        return
    changed = {
        section: {
            name: service.model_copy(update={"image": images[name]}) if name in images else service
            for name, service in services.items()
        }
        for section, services in (("services", project.services), ("jobs", project.jobs))
    }
    apply_policies(project.model_copy(update=changed), folders=folders)


def _write_change(keys: dict[str, Any], change: ServiceChange) -> None:
    """Write what services and jobs have at the same keys into one of the compose file, in Compose's words."""
    if change.image:
        keys["image"] = change.image
    if change.ephemeral_storage:
        size = str(int(quantity(change.ephemeral_storage)))
        keys["storage_opt"] = {**(keys.get("storage_opt") or {}), "size": size}
    if change.env:
        keys["environment"] = _as_mapping(keys.get("environment") or {}) | {
            key: value.replace("$", "$$") for key, value in change.env.items() if value is not None
        }


def _write_service_sizes(keys: dict[str, Any], change: ServiceChange) -> None:
    """Write how much a service takes, and how often it runs, where the canonical form has it."""
    deploy = dict(keys.get("deploy") or {})
    resources = dict(deploy.get("resources") or {})
    limits, reservations = (dict(resources.get(kind) or {}) for kind in ("limits", "reservations"))
    if change.cpu:
        keys.pop("cpus", None)
        limits["cpus"] = _count_cpus(change)
    if change.memory:
        keys.pop("mem_limit", None)
        limits["memory"] = _count_bytes(change)
    if change.gpu is not None:
        reservations["devices"] = _list_devices(change)
    if limits or reservations:
        deploy["resources"] = resources | {"limits": limits, "reservations": reservations}
    if change.replicas is not None:
        keys.pop("scale", None)
        deploy["replicas"] = change.replicas
    if deploy:
        keys["deploy"] = deploy


def _write_job_sizes(keys: dict[str, Any], change: ServiceChange) -> None:
    """Write how much a job takes; it has no `deploy`."""
    if change.cpu:
        keys["cpus"] = _count_cpus(change)
    if change.memory:
        keys["mem_limit"] = _count_bytes(change)
    if change.gpu is not None:
        keys["gpus"] = _list_devices(change)


def _count_cpus(change: ServiceChange) -> str:
    return str(float(quantity(change.cpu)))


def _count_bytes(change: ServiceChange) -> str:
    return str(int(quantity(change.memory)))


def _list_devices(change: ServiceChange) -> list[dict[str, Any]]:
    return [{"driver": "nvidia", "count": change.gpu, "capabilities": ["gpu"]}] if change.gpu else []


def _as_mapping(environment: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    if isinstance(environment, Mapping):
        return dict(environment)
    return {key: value if equals else None for key, equals, value in (line.partition("=") for line in environment)}
