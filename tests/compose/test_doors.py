"""How a text comes in: from files, from standard input, from a request that has no disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.compose import oracle
from tycho.compose import Sources, canonical, load, uninterpolated
from tycho.errors import ComposeError, SourceError
from tycho.model import Project

W = "services:\n  web:\n    image: x\n"


def requested(text: str | dict[str, object], **options: object) -> Project:
    return load(Sources.from_document(text, env={}, name="asked", **options))  # type: ignore[arg-type]


def test_standard_input(tmp_path: Path) -> None:
    text = W + "    build: ./src\n    volumes: ['./a:/a']\n"
    theirs = oracle.theirs(tmp_path, "-", stdin=text)
    sources = Sources.from_disk(["-"], env={"HOME": str(tmp_path)}, cwd=str(tmp_path), stdin=text.encode())
    assert oracle.normal(canonical(load(sources), sources)) == oracle.normal(theirs)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^none\.yaml: no such file"):
        Sources.from_disk(["none.yaml"], env={}, cwd=str(tmp_path))
    with pytest.raises(SourceError, match="no compose file here or in any folder above"):
        Sources.from_disk(env={}, cwd=str(tmp_path))
    with pytest.raises(oracle.Refused):
        oracle.theirs(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").mkdir()
    with pytest.raises(SourceError, match=r"compose\.yaml: is a directory"):
        Sources.from_disk(["compose.yaml"], env={}, cwd=str(tmp_path))


def test_a_request_is_a_mapping_or_its_text() -> None:
    assert requested({"services": {"web": {"image": "x"}}}).services == requested(W).services


def test_a_request_brings_its_files() -> None:
    text = W + "    env_file: ./a.env\n    volumes: ['./conf:/conf', './one.txt:/one']\n"
    system = requested(text, files={"a.env": b"A=1\n", "conf/x": b"1", "conf/sub/y": b"2", "one.txt": b"3"})
    web = system.services["web"]
    assert web.env_file[0].entries == {"A": "1"}
    folder, file = web.volumes
    assert [(file.path, file.content) for file in folder.files or ()] == [("sub/y", b"2"), ("x", b"1")]
    assert [(file.path, file.content) for file in file.files or ()] == [("", b"3")]


def test_a_request_reads_no_disk() -> None:
    text = "include: [other.yaml]\n" + W + f"    env_file: {__file__}\n    volumes: ['{Path(__file__).parent}:/t']\n"
    with pytest.raises(ComposeError) as raised:
        requested(text)
    assert [(problem.line, problem.path, problem.message) for problem in raised.value.problems] == [
        (1, "include", "other files cannot be included here: a request is one document"),
        (5, "services.web.env_file[0]", f"env file {__file__} not found"),
    ]
    (mount,) = requested(W + f"    volumes: ['{Path(__file__).parent}:/t:ro']\n").services["web"].volumes
    assert (mount.files, mount.note) == (None, "the host's")
    (mount,) = requested(W + "    volumes: ['./t:/t']\n").services["web"].volumes
    assert (mount.files, mount.note) == (None, "no file system")


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (os.mkfifo, "not a regular file: is a pipe"),
        (lambda path: None, "absent"),
        (lambda path: path.write_bytes(b"x" * (1 << 21)), "too large: larger than 1 MiB"),
    ],
    ids=["a pipe", "nothing", "a large file"],
)
def test_what_is_mounted_but_cannot_come_along(make: object, note: str, tmp_path: Path) -> None:
    make(tmp_path / "data")  # type: ignore[operator]
    (tmp_path / "compose.yaml").write_text(W + "    volumes: ['./data:/data']\n")
    system = load(Sources.from_disk(["compose.yaml"], env={}, cwd=str(tmp_path)))
    (mount,) = system.services["web"].volumes
    assert (mount.files, mount.note) == (None, note)


def test_an_env_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(b"A=1\nB=\xff\n")
    (tmp_path / "compose.yaml").write_text(W + "    env_file: a.env\n")
    with pytest.raises(ComposeError) as raised:
        load(Sources.from_disk(["compose.yaml"], env={}, cwd=str(tmp_path)))
    assert [str(problem).split("\n")[0].split(maxsplit=1) for problem in raised.value.problems] == [
        ["a.env:2", "not UTF-8 text"]
    ]


@pytest.mark.parametrize("volume", ["", ":foo", "/a:/b:ro:c"])
def test_uninterpolated_keeps_invalid_volume(volume: str, tmp_path: Path) -> None:
    oracle.write(tmp_path, {"compose.yaml": {"services": {"web": {"image": "x", "volumes": [volume]}}}})
    sources = Sources.from_disk(["compose.yaml"], env={}, cwd=str(tmp_path))
    services: Any = uninterpolated(sources)["services"]
    assert services["web"]["volumes"] == [volume]
