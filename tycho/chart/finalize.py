"""Write Chart.yaml and order the files: the last step, as the version is a digest of everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from tycho.chart.baseline import collect_rights
from tycho.chart.chart import REPORT, Chart, Contents, ReportEntry, chart_digest, report_json
from tycho.chart.filters import Safe
from tycho.chart.inventory import list_objects
from tycho.chart.layout import ChartLayout
from tycho.chart.manifests import is_fenced, looks_up
from tycho.chart.names import LABEL_VALUE
from tycho.chart.render import render
from tycho.chart.workload_kind import extension_mapping
from tycho.chart.yaml_writer import YamlValue, dump, strip_comments, write_scalar
from tycho.model import PolicyResult
from tycho.model.expression import Invalid, evaluate

KEYWORDS = 10
CHART_FIELDS = ("keywords", "home", "icon", "sources", "maintainers")
"""What `x-tycho: {chart: …}` may say that Chart.yaml has a field for."""
ORDER = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md", REPORT)


def finalize_chart(
    layout: ChartLayout,
    policy_result: PolicyResult,
    files: Mapping[str, str | bytes],
    rows: tuple[ReportEntry, ...],
    version: str,
    values: Mapping[str, YamlValue],
) -> Chart:
    """Make a chart of its files: with Chart.yaml, the report and a version."""
    changed = tuple(row for row in rows if row.outcome != "translated" and not row.local)
    all_files = {**files, **({REPORT: report_json(changed)} if changed else {})}
    project = _project_digest(layout, policy_result)
    annotations = dict(_annotations(layout, policy_result, project))
    version = version or f"0.1.0+{chart_digest({**all_files, **annotations})[:12]}"
    all_files["Chart.yaml"] = render(
        "Chart.yaml",
        chart=layout.chart,
        description=f"{policy_result.system.name}, compiled from its compose file",
        version=version,
        app_version=_app_version(layout),
        about=[Safe(line) for line in dump(_chart_fields(layout)).splitlines() if line],
        annotations=annotations,
    )
    first = {path: all_files[path] for path in ORDER if path in all_files}
    files = first | {path: all_files[path] for path in sorted(all_files)}
    return Chart(
        layout.chart,
        version,
        files,
        rows,
        collect_rights(layout),
        _contents(layout, values, project, policy_result.digest),
    )


def _contents(layout: ChartLayout, values: Mapping[str, YamlValue], compose: str, policies: str) -> Contents:
    return Contents(
        services=tuple(container.service for container in layout.containers),
        kinds=tuple(sorted({chart_object.kind.name for chart_object in list_objects(layout)})),
        defaults=strip_comments(values),
        compose_digest=compose,
        policies_digest=policies,
        published={
            container.service: {port.name: (port.port, port.target_port) for port in container.published}
            for container in layout.containers
        },
        claims=tuple(layout.claims),
        fenced=is_fenced(layout),
        looks_up=looks_up(layout),
        fills=any(step.verb == "content" for container in layout.containers for step in container.steps),
        rights=any(workload.asks_api for workload in layout.workloads),
    )


def _project_digest(layout: ChartLayout, policy_result: PolicyResult) -> str:
    """Return the digest of the project's part in the chart: the compose file, and the files that are not secret."""
    trees = [tree for tree in layout.configmaps if not tree.live]
    carried = {f"{tree.slug}/{key}": content for tree in trees for key, content in tree.files.items()}
    return chart_digest({**carried, "": policy_result.system.digest}) if policy_result.system.digest else ""


def _annotations(layout: ChartLayout, policy_result: PolicyResult, project: str) -> Iterator[tuple[str, str]]:
    if project:
        yield "tycho.dev/compose", project
    if policy_result.digest:
        yield "tycho.dev/policies", policy_result.digest
    if license_ := _read_chart_extension(layout).get("license"):
        yield "artifacthub.io/license", str(license_)
    if policy_result.system.baked:
        yield "tycho.dev/baked", " ".join(sorted(policy_result.system.baked))
    images = {container.name: container.image for container in layout.containers}
    listed = [
        f"- {{name: {write_scalar(name)}, image: {write_scalar(image.text)}}}\n"
        for name, image in images.items()
        if not image.is_live
    ]
    if listed:
        yield "artifacthub.io/images", "".join(listed)


def _app_version(layout: ChartLayout) -> str:
    """Tell the version of what runs: what the file says, else the tag of the first image that the outside calls."""
    if written := _read_chart_extension(layout).get("appVersion"):
        return str(written)
    containers = layout.containers
    first = next((container for container in containers if container.published), containers[0] if containers else None)
    tag = str(first.image.tag) if first else ""
    with suppress(Invalid):
        tag = evaluate(tag, {})
    return tag if LABEL_VALUE.fullmatch(tag) and tag else "latest"


def _chart_fields(layout: ChartLayout) -> dict[str, YamlValue]:
    """Collect what a chart says of itself: keywords of its images, and what the file says of the chart."""
    names = (container.image.repository.rpartition("/")[2] for container in layout.containers)
    keywords = [name for name in dict.fromkeys(names) if name and "$" not in name][:KEYWORDS]
    fields = _read_chart_extension(layout)
    keyword_field: dict[str, YamlValue] = {"keywords": keywords} if keywords else {}
    return keyword_field | {name: fields[name] for name in CHART_FIELDS if fields.get(name)}


def _read_chart_extension(layout: ChartLayout) -> Mapping[str, Any]:
    """Read what the file says of the chart itself: `x-tycho: {chart: …}`."""
    return extension_mapping(layout.system, "chart")
