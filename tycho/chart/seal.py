"""Chart.yaml, and the order of the files: the last step, for the version is made of everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tycho.chart.artifact import REPORT, Chart, Row, digest, report_json
from tycho.chart.floor import collect_rights
from tycho.chart.kinds import written
from tycho.chart.plan import Plan
from tycho.chart.render import render
from tycho.chart.yaml import quote
from tycho.model import Woven

ORDER = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md", ".helmignore", REPORT)


def seal(plan: Plan, woven: Woven, files: Mapping[str, str | bytes], rows: tuple[Row, ...], version: str) -> Chart:
    """A chart of its files."""
    every = {**files, REPORT: report_json(rows)}
    project = _project(plan, woven)
    about = dict(_annotations(plan, woven, project))
    version = version or f"0.1.0+{digest({**every, **about})[:12]}"
    every["Chart.yaml"] = render(
        "Chart.yaml",
        chart=plan.chart,
        description=f"{woven.system.name}, compiled from its compose file",
        version=version,
        app_version=project[:12] or version,
        annotations=about,
    )
    first = {path: every[path] for path in ORDER if path in every}
    return Chart(plan.chart, version, first | {path: every[path] for path in sorted(every)}, rows, collect_rights(plan))


def _project(plan: Plan, woven: Woven) -> str:
    """A digest of the project as far as it is in the chart: what the file says, and the files that are not secret."""
    trees = [tree for tree in plan.trees if not tree.live]
    carried = {f"{tree.slug}/{key}": content for tree in trees for key, content in tree.files.items()}
    return digest({**carried, "": woven.system.digest}) if woven.system.digest else ""


def _annotations(plan: Plan, woven: Woven, project: str) -> Iterator[tuple[str, str]]:
    if project:
        yield "tycho.dev/compose", project
    if woven.digest:
        yield "tycho.dev/policies", woven.digest
    if woven.system.baked:
        yield "tycho.dev/baked", " ".join(sorted(woven.system.baked))
    images = {one.slug: written(one.service.image) for pod in plan.pods for one in pod.containers}
    listed = [
        f"- name: {quote(slug)}\n  image: {quote(image)}\n"
        for slug, image in images.items()
        if image and "$" not in image
    ]
    if listed:
        yield "artifacthub.io/images", "".join(listed)
