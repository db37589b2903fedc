"""Names: two services are two sets of objects, or an error that names both; never one over the other."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.chart.conftest import Object, Objects
from tycho.chart import Chart, emit
from tycho.chart.names import DNS_LABEL, label
from tycho.errors import ComposeError
from tycho.model import PolicyResult, Port, Project, Service

CHARACTERS = st.sampled_from("aAbB01-_.")
NAME = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "a" * 30, "a" * 52, "a" * 60, "A-" * 40]),
    st.text(CHARACTERS, min_size=1, max_size=6),
    st.sampled_from(["", "", "-published", "-env", "-env-file", "-awaited", "-wait", "z" * 9]),
).filter(lambda name: name.strip("-_.") != "")
NAMES = st.lists(NAME, min_size=2, max_size=8, unique=True)


@given(names=st.lists(NAME, min_size=2, max_size=40, unique=True))
def test_a_label_is_one_for_one_name(names: list[str]) -> None:
    """Legal always; the same for two names only where they differ by what Kubernetes cannot write."""
    for name in names:
        assert DNS_LABEL.fullmatch(label(name)), name
        assert len(label(name)) <= 63
    long = [name for name in names if len(name) > 63]
    assert len({label(name) for name in long}) == len(long)


@given(names=NAMES, release=st.sampled_from(["rel", "r" * 53]))
@settings(max_examples=max(10, settings.default.max_examples // 10), phases=set(Phase) - {Phase.shrink})  # Helm is slow
def test_services_are_told_apart_or_refused(bench: Any, names: list[str], release: str) -> None:
    services = {
        name: Service(
            image=f"image-{index}", ports=(Port(target=80, published="80"),), environment={"A_PASSWORD": name}
        )
        for index, name in enumerate(names)
    }
    chart = compiled(Project(name="demo", services=services))
    if isinstance(chart, ComposeError):
        assert len({label(name) for name in names}) < len(names) or "would both be the" in str(chart.problems)
        return
    for scope in ("namespace", "release"):
        objects: Objects = bench.render(chart, {"dns": {"scope": scope}}, name=release)
        assert [name for name, count in Counter(map(identity, objects)).items() if count > 1] == []
        images = [
            rendered["spec"]["template"]["spec"]["containers"][0]["image"] for rendered in objects if pods(rendered)
        ]
        assert sorted(images) == sorted(f"image-{index}" for index in range(len(names)))
        for rendered in objects:
            selector = rendered["spec"].get("selector") if rendered["kind"] == "Service" else None
            chosen = [pod for pod in objects if pods(pod) and selector and matches(selector, pod)]
            of_all = "app.kubernetes.io/component" not in (selector or {})  # the Service of all names of a release
            assert len(chosen) == 1 or of_all


def compiled(system: Project) -> Chart | ComposeError:
    try:
        return emit(PolicyResult(system=system))
    except ComposeError as error:
        return error


def identity(rendered: Object) -> tuple[str, str]:
    return rendered["kind"], rendered["metadata"]["name"]


def pods(rendered: Object) -> bool:
    return "template" in rendered.get("spec", {})


def matches(selector: Object, workload: Object) -> bool:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    return bool(selector.items() <= labels.items())
