"""Binds, named and anonymous volumes: what each becomes, and that its row says what is rendered."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart.carrying import bind, compiled, problems, sources
from tests.chart.conftest import Bench
from tests.chart.volume_cases import behind, opened, rendered, rows, words
from tycho.chart import emit, release_values
from tycho.errors import ComposeError, PolicyDenied
from tycho.files import read_file

SHAPES = {
    "PersistentVolumeClaim": "persistentVolumeClaim", "emptyDir": "emptyDir", "ConfigMap": "configMap",
    "Secret": "secret", "image": "image",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["writable-binds", "unreadable-data-folder", "fresh-volume-nonroot", "fresh-volume-user",
             "file-inside-mounted-folder"]
)  # fmt: skip
def test_rows_say_what_is_rendered(name: str, case: Any, bench: Bench) -> None:
    folder = case(name)
    if name == "writable-binds":
        text = (folder / "compose.yaml").read_text()
        (folder / "compose.yaml").write_text(text.replace('"/mnt/media:/media", ', ""))
    policy_result = opened(folder)
    chart = emit(policy_result)
    objects = bench.render(chart, release_values(policy_result.system))
    count = 0
    for service, project_service in policy_result.system.services.items():
        for index, mount in enumerate(project_service.volumes):
            outcome, target = rows(chart, f"services.{service}.volumes[{index}]")[0]
            assert outcome in ("translated", "approximated")
            shape, claim, *_ = f"{target} -".replace(",", " ").replace(";", " ").split()
            _, volume = behind(objects, service, mount.target)
            assert SHAPES[shape] in volume
            if shape == "PersistentVolumeClaim":
                assert volume["persistentVolumeClaim"]["claimName"] == f"rel-{claim}"
            filled = [step for step in words(objects, service) if step[1] == f"/fill/{volume['name']}"]
            assert ("the image's files" in target) == any(step[0] == "content" for step in filled)
            assert ("copy of" in target) == any(step[0] == "copy" for step in filled)
            count += 1
    assert count


def test_writable_binds(case: Any, bench: Bench) -> None:
    """Folders and binary files are claims; what lies there seeds them, as far as it can travel."""
    folder = case("writable-binds")
    with pytest.raises(ComposeError) as error:
        emit(opened(folder))
    assert [problem.path for problem in error.value.problems] == ["services.files.volumes[1]"]  # /mnt/media, the host's
    (folder / "compose.yaml").write_text(
        (folder / "compose.yaml").read_text().replace('"/mnt/media:/media", ', "").replace('["./uploads', '["./uploads')
    )
    policy_result = opened(folder)
    chart = emit(policy_result)
    objects = bench.render(chart, release_values(policy_result.system))
    assert objects.names("PersistentVolumeClaim") == {"rel-pgdata", "rel-uploads", "rel-app-db"}
    assert ("seed", "/fill/pgdata", "data", "/from/files-pgdata", "") in words(objects, "db")
    assert behind(objects, "db", "/var/lib/postgresql/data")[0]["subPath"] == "data"
    mount, _ = behind(objects, "files", "/srv/app.db")
    assert mount["subPath"] == "data/app.db"
    assert [step[0] for step in words(objects, "files")] == ["owner", "seed", "file"]
    assert rows(chart, "services.files.volumes[0]")[1:] == [
        ("ignored", "a new claim starts empty, without the local files: too large: more than 1 MiB, or 2000 files")
    ]
    assert not any(b"photo" in str(path).encode() for path in chart.files)


TEXTS: Mapping[str, tuple[str, str, str]] = {
    "text": ("./a.conf:/etc/a.conf", "emptyDir", "copy"),
    "read-only text": ("./a.conf:/etc/a.conf:ro", "configMap", ""),
    "binary": ("./a.bin:/etc/a.bin", "persistentVolumeClaim", "seed file"),
    "read-only binary": ("./a.bin:/etc/a.bin:ro", "configMap", ""),
    "empty file": ("./none.txt:/etc/none.txt", "emptyDir", "copy"),
    "folder": ("./conf:/etc/app", "persistentVolumeClaim", "owner seed"),
    "read-only folder": ("./conf:/etc/app:ro", "configMap", ""),
    "absent": ("./absent:/data", "persistentVolumeClaim", "owner"),
    "read-only absent": ("./absent:/data:ro", "emptyDir", ""),
    "empty folder": ("./hollow:/data", "persistentVolumeClaim", "owner"),
}
FILES = {"a.conf": "a = 1\n", "a.bin": "a\0b", "none.txt": "", "conf/x": "x", "conf/sub/y": "y", "hollow/.keep": ""}


@pytest.mark.parametrize("name", TEXTS)
def test_kinds_of_binds(name: str, bench: Bench) -> None:
    volume, shape, done = TEXTS[name]
    policy_result = bench.policy_result(bind(volume), FILES)
    objects = rendered(bench, policy_result)
    mount, shapes = behind(objects, "web", volume.split(":")[1])
    assert shape in shapes
    assert bool(mount.get("readOnly")) == volume.endswith(":ro")
    verbs = [step[0] for step in words(objects, "web")]
    assert [verb for verb in verbs if verb != "seed" or name != "empty folder"] == done.split()


@pytest.mark.parametrize(
    ("storage", "volume", "shape"),
    [
        ("true", "./a.conf:/t", "persistentVolumeClaim"),
        ("true", "./conf:/t", "persistentVolumeClaim"),
        ("false", "./conf:/t", "emptyDir"),
        ("false", "./a.bin:/t", "emptyDir"),
        ("false", "./absent:/t", "emptyDir"),
        ("true", "./a.conf:/t:ro", "configMap"),
    ],
)
def test_storage_decides_otherwise(storage: str, volume: str, shape: str, bench: Bench) -> None:
    objects = bench.objects(f"{bind(volume)}    x-tycho: {{storage: {storage}}}\n", files=FILES)
    assert shape in behind(objects, "web", "/t")[1]


def test_who_reads_what_another_writes(bench: Bench) -> None:
    """One source is one claim; the reader has it read-only, whatever lies there."""
    text = """
      services:
        w: {image: x, volumes: ["./conf:/out"]}
        r: {image: x, volumes: ["./conf:/in:ro"]}
    """
    objects = bench.objects(text, files=FILES)
    for name, at in (("w", "/out"), ("r", "/in")):
        assert behind(objects, name, at)[1]["persistentVolumeClaim"]["claimName"] == "rel-conf"
    assert behind(objects, "r", "/in")[0]["readOnly"] is True


DOCKERFILES = {
    "copied there": ("FROM x\nWORKDIR /app\nCOPY . .\n", "./web/src:/app/src", "built"),
    "the whole context": ("FROM x\nCOPY . /app\n", "./web:/app", "built"),
    "by a variable": ("FROM x\nARG HOME=/app\nCOPY src ${HOME}/src\n", "./web/src:/app/src", "built"),
    "read-only": ("FROM x\nCOPY . /app\n", "./web/src:/app/src:ro", "emptyDir"),  # for the mount inside of it
    "copied elsewhere": ("FROM x\nCOPY . /srv\n", "./web/src:/app/src", "persistentVolumeClaim"),
    "not copied": ("FROM x\nRUN make\n", "./web/src:/app/src", "persistentVolumeClaim"),
    "by another stage": ("FROM x AS b\nCOPY . /app\nFROM y\n", "./web/src:/app/src", "persistentVolumeClaim"),
    "of another stage": ("FROM x\nCOPY --from=b . /app\n", "./web/src:/app/src", "persistentVolumeClaim"),
    "no Dockerfile": ("", "./web/src:/app/src", "persistentVolumeClaim"),
    "left out of the build": ("FROM x\nCOPY . /app\n", "./web/data:/app/data", "persistentVolumeClaim"),
    "beyond the context": ("FROM x\nCOPY . /app\n", "./conf:/app/conf", "persistentVolumeClaim"),
}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_the_image_is_built_of(name: str, bench: Bench) -> None:
    dockerfile, volume, shape = DOCKERFILES[name]
    text = bind(volume, f"{volume.split(':')[1]}/cache") + "    build: ./web\n"
    files = {
        **FILES,
        "web/.dockerignore": "# what is written\ndata\n",
        "web/src/main.py": "pass",
        **({"web/Dockerfile": dockerfile} if dockerfile else {}),
    }
    policy_result = bench.policy_result(text, files)
    chart = emit(policy_result)
    objects = bench.render(chart, release_values(policy_result.system))
    if shape == "built":  # and what hides a part of it stays out with it
        assert "volumes" not in objects.pod("rel-web")
        assert [rows(chart, f"services.web.volumes[{index}]")[0][0] for index in (0, 1)] == ["ignored", "ignored"]
    else:
        assert shape in behind(objects, "web", volume.split(":")[1])[1]
        assert "persistentVolumeClaim" in behind(objects, "web", f"{volume.split(':')[1]}/cache")[1]


def test_large_file(case: Any, tmp_path: Path) -> None:
    folder = case("large-file-bind")
    with pytest.raises(ComposeError) as error:
        emit(opened(folder))
    (problem,) = error.value.problems
    assert (problem.path, "1 MiB" in problem.message) == ("services.db.volumes[0]", True)
    assert "image" in problem.hint
    assert "volume" in problem.hint
    text = (folder / "compose.yaml").read_text()
    (folder / "compose.yaml").write_text(text.replace(":ro", ""))  # what it may be instead
    assert [outcome for outcome, _ in rows(emit(opened(folder)), "services.db.volumes[0]")] == [
        "approximated",
        "ignored",
    ]


@pytest.mark.parametrize("text", ["rw", "ro"])
def test_unreadable_folder(text: str, case: Any, unreadable: Any) -> None:
    folder = case("unreadable-data-folder")
    unreadable(folder / "pgdata")
    if text == "rw":
        chart = emit(opened(folder))
        assert rows(chart, "services.db.volumes[0]") == [
            ("approximated", "PersistentVolumeClaim pgdata"),
            ("ignored", "a new claim starts empty, without the local files: cannot be read: permission denied"),
        ]
        assert "a new claim starts empty" not in str(chart.files["tycho-report.json"])  # that is this machine's alone
        return
    compose = folder / "compose.yaml"
    compose.write_text(compose.read_text().replace('data"]', 'data:ro"]'))
    with pytest.raises(ComposeError) as error:
        emit(opened(folder))
    (problem,) = error.value.problems
    assert "cannot be read: permission denied" in problem.message


def test_unreadable_file(tmp_path: Path, unreadable: Any) -> None:
    unreadable(tmp_path / "key.txt")
    (problem,) = problems(tmp_path, bind("./key.txt:/k:ro"), {"key.txt": "x"})
    assert "cannot be read" in problem.message


def test_links_and_unreadable_folders(case: Any, unreadable: Any) -> None:
    folder = case("links-and-unreadable-folders")
    unreadable(folder / "conf" / "private")
    chart = emit(opened(folder))
    assert rows(chart, "services.web.volumes[0]") == [
        ("translated", "ConfigMap"),
        ("ignored", "left out (cannot be read: permission denied): private"),
    ]
    linked = emit(opened(folder, "c2.yaml"))
    assert rows(linked, "services.web.volumes[0]") == [
        ("translated", "ConfigMap"),
        ("ignored", "left out (a link that leads nowhere): nowhere"),
        ("ignored", "left out (a link that leads out of the project): out"),
        ("ignored", "left out (is a pipe): pipe"),
        ("approximated", "ConfigMap"),
    ]
    assert linked.files["files/conf2/b_z"] == b"y\n"


@pytest.mark.parametrize("mode", ["", ":ro"])
def test_what_is_no_file_is_refused(mode: str, tmp_path: Path) -> None:
    sources(tmp_path, bind(f"./pipe:/p{mode}"))
    os.mkfifo(tmp_path / "pipe")
    (problem,) = problems(tmp_path, bind(f"./pipe:/p{mode}"))
    assert "is a pipe" in problem.message


@pytest.mark.parametrize("mode", ["", ":ro"])
def test_a_link_that_leads_nowhere(mode: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("absent")
    chart = compiled(tmp_path, bind(f"./link:/data{mode}"))
    ((outcome, target),) = rows(chart, "services.web.volumes[0]")
    assert (outcome, target.split()[0]) == ("approximated", "emptyDir" if mode else "PersistentVolumeClaim")


def test_ungranted_host_path_is_not_read(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = case("node-exporter")
    looks: list[str] = []
    for name in ("scandir", "open"):
        real = getattr(os, name)

        def look(path: Any, *args: Any, real: Any = real, **more: Any) -> Any:
            if isinstance(path, str) and (path == "/" or path.startswith(("/proc", "/sys", "/var"))):
                looks.append(path)
            return real(path, *args, **more)

        monkeypatch.setattr(os, name, look)
    for file in ("compose.yaml", "only.yaml"):
        start = time.monotonic()
        with pytest.raises((ComposeError, PolicyDenied)):
            emit(opened(folder, file))
        assert time.monotonic() - start < 5
    assert [path for path in looks if not path.startswith("/proc/self/fd")] == []
    assert read_file(str(folder / "compose.yaml"), limit=1 << 20).content  # the door itself is open
