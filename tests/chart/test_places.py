"""Any text in any place of a document arrives in the cluster's objects unchanged, or is refused or reported there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml
from hypothesis import settings

from tests.chart.conftest import Bench, Reader
from tests.chart.payloads import BYTES, PAYLOADS
from tests.chart.place_names import EVERYTHING
from tests.chart.place_tables import SERVICE
from tests.chart.places import Draft, Place, View
from tycho.chart import Chart, emit, release_values
from tycho.chart.names import label
from tycho.compose import Sources, load
from tycho.compose.go_scalars import resolve
from tycho.errors import ComposeError, PolicyDenied
from tycho.model import PolicyResult, ServiceMetadata
from tycho.policy import apply_policies
from tycho.text import json_text, printable

LONELY = ("services.{p}", "jobs.{p}")  # its services are those of no other place
DEEP = settings.default.max_examples > 1000
# Where an empty text is one too.
EMPTY = frozenset({
    "environment VALUE", "secret environment", "environment that reads", "environment passed on", "env_file value",
    "command item", "entrypoint item", "labels note", "annotations about", "healthcheck word", "post_start word",
    "pre_stop word", "pre_start word", "config content", "secret value", "mounted content", "ingress annotation",
})  # fmt: skip
Pair = tuple[Place, int]
SHARED = {"SHARED_SECRET": "shared", "X": "{{ .Values }} $(x)"}


def sheets(places: Sequence[Place]) -> list[list[Place]]:
    """Places that one document can hold together: no two at one path, so that a problem belongs to one of them."""
    together: list[list[Place]] = []
    for place in places:
        alone = place.at in LONELY
        for sheet in together:
            if not alone and all(place.at != other.at and other.at not in LONELY for other in sheet):
                sheet.append(place)
                break
        else:
            together.append([place])
    return together


class Strict(Reader):
    """YAML that refuses a key twice; two arrows are text where they are no key."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        return super().construct_mapping(node, deep)


Strict.add_constructor("tag:yaml.org,2002:merge", lambda loader, node: loader.construct_scalar(node))


def documents(text: str) -> Iterator[Any]:
    """Read objects strictly; a plain scalar must be to go-yaml what it is to YAML 1.1."""
    for node in yaml.compose_all(text, Loader=Strict):
        for scalar in plain_scalars(node):
            known = scalar.tag.removeprefix("tag:yaml.org,2002:")
            kind = type(resolve(scalar.value)).__name__.replace("NoneType", "null")
            assert kind == known.replace("value", "str").replace("merge", "str"), scalar.value
    yield from filter(None, yaml.load_all(text, Strict))


def plain_scalars(node: Any) -> Iterator[yaml.ScalarNode]:
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            pending += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif node.style is None:
            yield node


def drafted(pairs: Sequence[Pair], payloads: Sequence[str]) -> Draft:
    draft = Draft(env=dict(SHARED))
    draft.document["services"] = {"peer": {"image": "peer", "environment": {"TYCHO_MARK": "-1"}}}
    for place, number in pairs:
        text = payloads[number]
        place.put(draft, number, text if place.keys else text.replace("$", "$$"))
    return draft


def policy_result(draft: Draft) -> PolicyResult:
    sources = Sources.from_document(
        draft.document, env=draft.env, name="demo", files=draft.files, profiles=draft.profiles
    )
    return apply_policies(load(sources))


def compiled(pairs: Sequence[Pair], payloads: Sequence[str]) -> tuple[Chart, PolicyResult, Draft, set[Pair]]:
    """The chart of what can be compiled, and the pairs that were refused: each by a problem that lies at its place."""
    left, refused, known = list(pairs), set[Pair](), owners(pairs, payloads)
    while True:
        draft = drafted(left, payloads)
        try:
            system = policy_result(draft)
            return emit(system), system, draft, refused
        except (ComposeError, PolicyDenied) as error:
            problems = error.problems
        owner_of = {problem: owner(problem.path or problem.file, known) for problem in problems}
        assert owner_of
        assert [problem for problem, pair in owner_of.items() if pair is None or pair in refused][:5] == []
        refused |= {pair for pair in owner_of.values() if pair}
        left = [pair for pair in left if pair not in refused]


def owners(pairs: Sequence[Pair], payloads: Sequence[str]) -> dict[str, Pair]:
    """Which pair a path belongs to; `=` stands before a path that is the place itself, and not above it."""
    pair_of: dict[str, Pair] = {}
    for place, number in pairs:
        text = payloads[number]
        for at in filter(None, (place.also, place.at)):
            for shown in (text, printable(text), f"{text[:100]}…"):
                pair_of[at.replace("{n}", str(number)).replace("{p}", shown)] = (place, number)
    return pair_of


def owner(path: str, known: Mapping[str, Pair]) -> Pair | None:
    """The pair whose place a path lies at, or below."""
    if pair := known.get(f"={path}"):
        return pair
    while path not in known and path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return known.get(path)


def outcomes(bench: Bench, pairs: Sequence[Pair], payloads: Sequence[str]) -> dict[str, int]:
    """What became of each; whatever neither arrived, nor was refused or reported, fails."""
    chart, system, draft, refused = compiled(pairs, payloads)
    metadata = {name: ServiceMetadata(values=values) for name, values in draft.metadata.items()}
    done = bench.run(chart, release_values(system.system, metadata))
    assert done.returncode == 0, done.stderr[:2000]
    view = View(documents(done.stdout))
    known = owners(pairs, payloads)
    reported = {owner(row.path, known) for row in chart.report if row.outcome in ("ignored", "approximated")}
    counts = {"refused": len(refused), "arrived": 0, "reported": 0}
    lost = []
    for place, number in pairs:
        if (place, number) in refused:
            continue
        text = payloads[number]
        if arrived(place, view, number, text):
            counts["arrived"] += 1
        elif (place, number) in reported:
            counts["reported"] += 1
        else:
            lost.append((place.name, text[:80], seen(place, view, number, text)))
    assert not lost, "\n".join(map(repr, lost))
    return counts


def seen(place: Place, view: View, number: int, text: str) -> object:
    try:
        shown = place.look(view, number, text)
        return shown if isinstance(shown, str | None) else list(shown)  # type: ignore[call-overload]
    except (KeyError, IndexError, ValueError) as error:
        return error


# A caller's metadata is YAML, which cannot hold them.
NO_TEXT = [
    number for number, text in enumerate(PAYLOADS) if any("\ud800" <= character <= "\udfff" for character in text)
]


# Policies see rights in one spelling, without blanks around them; of blanks alone nothing is left.
RIGHTS = frozenset({
    "apparmor profile", "seccomp profile", "selinux type", "userns_mode", "cap_add item", "cap_drop item"
})  # fmt: skip


def arrived(place: Place, view: View, number: int, text: str) -> bool:
    text = text.strip() if place.name in RIGHTS else text
    shown = seen(place, view, number, text)
    if text == "" and place.name not in EMPTY:
        return True  # nothing is said
    return text == shown if isinstance(shown, str) else isinstance(shown, list) and text in shown


@pytest.mark.parametrize("sheet", sheets(SERVICE) + sheets(EVERYTHING), ids=lambda sheet: sheet[0].name)
def test_texts_arrive_or_are_refused(bench: Bench, sheet: list[Place]) -> None:
    """The law, for every place and every payload: of a sheet at once, in the deep profile one by one."""
    numbers = [(place, number) for place in sheet for number in range(len(PAYLOADS))]
    pairs = [(place, number) for place, number in numbers if place.at or number not in NO_TEXT]
    counts = outcomes(bench, pairs, PAYLOADS)
    assert sum(counts.values()) == len(pairs)
    assert counts["arrived"] > 0
    for pair in pairs if DEEP else ():
        outcomes(bench, [pair], PAYLOADS)


@pytest.mark.parametrize(
    ("name", "text"),
    [("restart", "no"), ("link alias", "on"), ("dns_opt item", "a\n"), ("dns item", "::1")],
)
def test_one_by_itself_is_not_helped_by_others(bench: Bench, name: str, text: str) -> None:
    """In a sheet, what another place says can hide that a text was lost."""
    place = next(place for sheet in sheets(SERVICE) for place in sheet if place.name == name)
    assert outcomes(bench, [(place, 0)], [text])["arrived"] == 1


def test_places_and_payloads_are_many() -> None:
    assert len({place.name for place in [*SERVICE, *EVERYTHING]}) >= 90
    assert len(PAYLOADS) >= 70


def test_lost_text_is_noticed(bench: Bench) -> None:
    """The test itself can fail: a place where nothing comes out, and a place that another text comes out of."""
    none = Place("nothing", "services.s{n}.environment", SERVICE[0].put, lambda view, number, text: None)
    other = Place("other", "services.s{n}.environment", SERVICE[0].put, lambda view, number, text: f"{text} ")
    for place in (none, other):
        with pytest.raises(AssertionError, match=place.name):
            outcomes(bench, [(place, 0)], PAYLOADS)


def test_bytes_of_files_arrive(bench: Bench) -> None:
    """What a mounted folder holds, text or not; what is read as text is refused with its line."""
    draft = drafted([], ())
    for number, content in enumerate(BYTES):
        draft.files[f"folder/{number}"] = content
    draft.service(0)["volumes"] = ["./folder:/folder:ro"]
    system = policy_result(draft)
    view = View(documents(bench.run(emit(system), release_values(system.system)).stdout))
    assert view.files(0, "files-folder") == {str(number): content for number, content in enumerate(BYTES)}


@pytest.mark.parametrize("key", ["env_file", "label_file"])
@pytest.mark.parametrize("content", [b"A=\xff\n", b"B=b\nA=a\xc3\n"])
def test_bytes_in_side_files_are_refused(key: str, content: bytes) -> None:
    document = {"services": {"web": {"image": "x", key: ["side"]}}}
    with pytest.raises(ComposeError) as caught:
        load(Sources.from_document(document, env={}, name="demo", files={"side": content}))
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.message) == ("side", content.count(b"\n"), "not UTF-8 text")


@pytest.mark.parametrize("name", ["on", "null", "y", "123", "0x10", "1e3", "1_000", "0o17", "2024-01-01", "no-1"])
def test_projects_may_be_called_anything(bench: Bench, name: str) -> None:
    """The chart's name, the release's and the namespace's are one of YAML's words or numbers."""
    services = {"on": {"image": "x", "ports": ["80"], "depends_on": {"null": {"condition": "service_healthy"}}},
                "null": {"image": "x", "healthcheck": {"test": "x"}}}  # fmt: skip
    document = {"services": {**services, "123": {"image": "x", "volumes": ["y:/y"]}}, "volumes": {"y": {}}}
    system = apply_policies(load(Sources.from_document(document, env={}, name=name)))
    chart = emit(system)
    release = label(name)
    done = bench.run(chart, release_values(system.system), "--namespace", release, name=release)
    assert done.returncode == 0, done.stderr
    objects = list(documents(done.stdout))
    texts = [
        value
        for rendered in objects
        for value in (rendered["metadata"]["name"], *rendered["metadata"]["labels"].values())
    ]
    assert [text for text in texts if not isinstance(text, str)] == []
    assert {rendered["metadata"]["labels"]["app.kubernetes.io/part-of"] for rendered in objects} == {release}
    assert {"on", "null", "123"} <= {
        rendered["metadata"]["name"] for rendered in objects if rendered["kind"] == "Service"
    }
    assert next(documents(str(chart.files["Chart.yaml"])))["name"] == release


def test_one_text_is_one_system(tmp_path: Any) -> None:
    """A document of a request, and its text on a disk, are read alike."""
    texts = [text for number, text in enumerate(PAYLOADS) if number not in NO_TEXT]
    labels = {f"l{number}": text.replace("$", "$$") for number, text in enumerate(texts)}
    document = {"name": "demo", "services": {"web": {"image": "x", "labels": labels}}}
    asked = load(Sources.from_document(document, env={}))
    (tmp_path / "compose.yaml").write_text(json_text(document), encoding="utf-8")
    read = load(Sources.from_disk([str(tmp_path / "compose.yaml")], env={}))
    assert asked.services["web"].labels == {f"l{number}": text for number, text in enumerate(texts)}
    assert read.services == asked.services
