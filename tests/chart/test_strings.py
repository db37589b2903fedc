"""Any text of a compose file arrives in the cluster's objects unchanged, and none of it is run."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.chart.conftest import expanded
from tests.chart.drawn import HOSTILE, TEXT
from tycho.chart import emit
from tycho.model import Config, FileRef, Mount, PolicyResult, Project, ProjectFile, Service

RUNS = max(4, settings.default.max_examples // 25)  # a run of Helm each, with many strings


@given(texts=st.lists(TEXT, min_size=60, max_size=90))
@settings(max_examples=RUNS)
@example(texts=HOSTILE * 3)
def test_environment_words_and_annotations(bench: Any, texts: list[str]) -> None:
    third = len(texts) // 3
    words, environment, notes = texts[:third], texts[third : 2 * third], texts[2 * third :]
    service = Service(
        image="x",
        command=tuple(words) or None,
        entrypoint=tuple(reversed(words)) or None,
        working_dir="/w" + words[0].replace("\0", ""),
        environment={f"V{index:04}": text for index, text in enumerate(environment)},
        labels={f"l{index:04}": text for index, text in enumerate(notes)},
    )
    objects = bench.render(emit(PolicyResult(system=Project(name="demo", services={"web": service}))))
    container = objects.container("rel-web")
    assert [expanded(word) for word in container["args"]] == words
    assert [expanded(word) for word in container["command"]] == list(reversed(words))
    assert container["workingDir"] == "/w" + words[0]
    assert objects.env("rel-web") == service.environment
    annotations = objects.find("Deployment", "rel-web")["spec"]["template"]["metadata"]["annotations"]
    assert {key: annotations[key] for key in service.labels} == service.labels


@given(texts=st.lists(TEXT, min_size=12, max_size=24))
@settings(max_examples=RUNS)
@example(texts=HOSTILE)
def test_configs_and_paths(bench: Any, texts: list[str]) -> None:
    texts = [text for text in texts if "\r" not in text]
    configs = {f"c{index}": Config(content=text) for index, text in enumerate(texts)}
    refs = tuple(FileRef(source=name, target=f"/etc/{index}/{texts[index].replace('/', '_')[:200] or 'x'}")
                 for index, name in enumerate(configs))  # fmt: skip
    service = Service(image="x", configs=refs)
    objects = bench.render(emit(PolicyResult(system=Project(name="demo", services={"web": service}, configs=configs))))
    for index, text in enumerate(texts):
        configmap = objects.find("ConfigMap", f"rel-c{index}")
        assert contents(configmap) == {f"c{index}": text.encode()}
    paths = {mount["name"]: mount["mountPath"] for mount in objects.container("rel-web")["volumeMounts"]}
    assert [paths[f"config-c{index}"] for index in range(len(texts))] == [ref.target for ref in refs]


BYTES = {
    "plain.txt": b"a\nb\n",
    "crlf.txt": b"a\r\nb\r\n",
    "bom.txt": b"\xef\xbb\xbfmark",
    "bom.bin": b"\xef\xbb\xbf\xff",
    "braces.tpl": b"{{ .Values.x }} ${VAR} $(X)",
    "binary": bytes(range(256)),
    "control": "a\x7fb\x85c\u009fd\ufeff".encode(),
    "empty": b"",
    "sub/a b.conf": b"spaces",
    "sub/a_b.conf": b"underscores",
    "sub/d\u00e9j\u00e0": b"accents",
    ".hidden": b"dot",
}


def test_files_of_the_project_byte_for_byte(bench: Any) -> None:
    files = tuple(ProjectFile(path=path, content=content, mode=0o755) for path, content in sorted(BYTES.items()))
    mount = Mount(type="bind", source="./conf", target="/conf", files=files, read_only=True)
    system = Project(name="demo", services={"web": Service(image="x", volumes=(mount,))})
    objects = bench.render(emit(PolicyResult(system=system)))
    stored = contents(objects.find("ConfigMap", "rel-conf"))
    items = objects.pod("rel-web")["volumes"][0]["configMap"]["items"]
    assert {entry["path"]: stored[entry["key"]] for entry in items} == BYTES
    assert {entry["mode"] for entry in items} == {0o755}


def contents(configmap: dict[str, Any]) -> dict[str, bytes]:
    from base64 import b64decode

    text = {key: value.encode() for key, value in (configmap.get("data") or {}).items()}
    return text | {key: b64decode(value) for key, value in (configmap.get("binaryData") or {}).items()}
