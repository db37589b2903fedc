"""`labels`, `annotations`, `label_file`, `deploy.labels`: what others read of a pod or a workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.chart import ReportTarget
from tycho.chart.container import Text
from tycho.chart.expressions import to_text
from tycho.chart.names import QUALIFIED, UNWRITABLE, UNWRITABLE_REASON
from tycho.chart.reserved import is_allowed, keep_allowed
from tycho.chart.translate.key_rule import Rows, Table, ignored, rejected, translated, whole
from tycho.chart.translate.key_use import KeyUse, template, workload
from tycho.model.rights import read_grants


def translate_annotations(labels: Mapping[str, str], grants: tuple[str, ...]) -> dict[str, Text]:
    """Translate labels into annotations, which hold any text, as far as a policy lets them pass."""
    kept = keep_allowed(labels, grants)
    return {key: to_text(value) for key, value in sorted(kept.items()) if QUALIFIED.fullmatch(key)}


RESERVED_NAME = ignored("Kubernetes, Helm or Tycho sets this name", "use another name")


def assess_labels(use: KeyUse) -> Rows:
    """Assess labels: annotations have names of a certain form."""
    grants = (*read_grants(use.layout.system), *read_grants(use.service))
    for name, value in use.value.items():
        if not QUALIFIED.fullmatch(name):
            yield f".{name}", ignored("an annotation cannot have this name", "use letters, digits, - _ . up to 63")
        elif UNWRITABLE.search(str(value)):
            yield f".{name}", rejected(UNWRITABLE_REASON, "remove it")
        elif not is_allowed(name, str(value), grants):
            yield f".{name}", RESERVED_NAME


def find_annotations(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the annotations of the pod that come of labels."""
    for name in use.container.annotations:
        yield from template(f"metadata.annotations[{name}]")(use)


def find_workload_annotations(use: KeyUse) -> Iterator[ReportTarget]:
    """Find the annotations of the workload that come of labels."""
    for name in use.container.workload_annotations:
        yield from workload(f"metadata.annotations[{name}]")(use)


KEYS: Table = {
    "label_file": translated("annotations of the pod", find_annotations),
    "labels": whole(translated("annotations of the pod (live)", find_annotations, assess=assess_labels)),
    "annotations": whole(translated("annotations of the pod (live)", find_annotations, assess=assess_labels)),
    "deploy.labels": whole(
        translated("annotations of the workload (live)", find_workload_annotations, assess=assess_labels)
    ),
}
