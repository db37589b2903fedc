"""What becomes of `healthcheck`: each judge yields rows, with what is added to the key's path."""

from __future__ import annotations

from tycho.chart.keys.key import Case, Rows, approximated, ignored, translated
from tycho.chart.kinds import said
from tycho.chart.translate.health import KEY, find_start_interval, is_of_image


def whole_seconds(case: Case) -> Rows:
    """Kubernetes counts seconds."""
    if isinstance(case.value, float) and case.value % 1:
        yield "", approximated("the next whole second", "Kubernetes counts in seconds", "write whole seconds")


def probed(case: Case) -> Rows:
    """What x-tycho says in Kubernetes' words goes before what only Compose has words for."""
    check = case.service.healthcheck
    if KEY in said(case.service):
        yield "", translated(f"nothing: x-tycho.{KEY} is there in its place")
    elif check and is_of_image(check):
        yield (
            "",
            ignored("without `test` it is about the image's own check, which Kubernetes does not know", "write test"),
        )
    elif not case.value and not isinstance(case.value, bool):
        yield "", translated("Docker's default: 0 is as if it were not there")
    else:
        yield from whole_seconds(case)


def probed_first(case: Case) -> Rows:
    """Until its first success a container is asked more often, in its start period."""
    check = case.service.healthcheck
    rows = list(probed(case))
    if not rows and check and not find_start_interval(check):
        why = "no start_period" if not check.start_period else "not more often than at the interval"
        rows = [("", translated(f"nothing: {why}"))]
    yield from rows
