"""What a caller may say in values: labels and annotations of pods and Services, but none that are reserved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.judge import describe_grant
from tycho.chart.podsecurity import as_mapping
from tycho.chart.reserved import BALANCERS, is_allowed
from tycho.errors import PolicyDenied, Problem
from tycho.model import Project, ServiceMetadata
from tycho.model.rights import read_grants

NAMES = ("podLabels", "podAnnotations", "workloadAnnotations")
REASON = "this label or annotation is not a caller's to set, and no policy granted it"


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
