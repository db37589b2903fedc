"""Chart.yaml, and the order of the files: the last step, for the version is made of everything else."""

from __future__ import annotations

from collections.abc import Mapping

from tycho.chart.artifact import REPORT, Chart, Row, digest, report_json
from tycho.chart.plan import Plan
from tycho.chart.render import render
from tycho.model import Woven

ORDER = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md", ".helmignore", REPORT)


def seal(plan: Plan, woven: Woven, files: Mapping[str, str | bytes], rows: tuple[Row, ...], version: str) -> Chart:
    """A chart of its files."""
    every = dict(files) | {REPORT: report_json(rows)}
    content = digest(every)
    version = version or f"0.1.0+{content[:12]}"
    annotations = {"tycho.dev/compose": woven.system.digest, "tycho.dev/policies": woven.digest}
    if woven.system.baked:
        annotations["tycho.dev/baked"] = " ".join(sorted(woven.system.baked))
    every["Chart.yaml"] = render(
        "Chart.yaml",
        chart=plan.chart,
        description=f"{woven.system.name}, compiled from its compose file",
        version=version,
        app_version=(woven.system.digest or content)[:12],
        annotations={key: value for key, value in annotations.items() if value},
    )
    first = {path: every[path] for path in ORDER if path in every}
    return Chart(plan.chart, version, first | {path: every[path] for path in sorted(every)}, rows)
