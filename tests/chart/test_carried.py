"""Which binds travel in the chart, which are refused, which leave something out; and that the report says so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chart.carrying import bind, compiled, problems, reasons, sources, whole
from tycho.chart import COMPOSE_FILE, emit
from tycho.chart.translate.volumes import MODES
from tycho.compose import Sources, load
from tycho.errors import ComposeError
from tycho.files import VALUES_MARK
from tycho.policy import apply_policies

VARIABLES = "it holds variables of the environment"


HOST = [
    "~/.aws:/root/.aws:ro", "~/.ssh/id_rsa:/k:ro", "~:/h", "~root/.ssh:/k:ro", "/etc/../proc/self/environ:/e:ro",
    "/:/rootfs:ro", "/etc/passwd:/etc/passwd:ro", "/etc/machine-id:/m:ro", "//etc/shadow:/s:ro", "/srv/data:/data",
    "/proc/self/environ:/e:ro",
    "/var/run/docker.sock:/s", "/home/me/x:/x", "/dev/stdin:/i:ro", "${HOME}/.aws/credentials:/c:ro",
    "C:\\Users\\me:/u",
    "/etc/localtime/../passwd:/p:ro",
]  # fmt: skip


@pytest.mark.parametrize("volume", HOST)
def test_host_paths_are_not_touched(volume: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the disk, where every look at one fails the test, nor of a request, which has none."""
    project = sources(tmp_path, bind(volume), env={"HOME": "/root"})
    looks = []
    for name in ("stat", "lstat", "open", "scandir", "readlink"):
        real = getattr(os, name)

        def look(path: Any, *args: Any, real: Callable[..., Any] = real, **more: Any) -> Any:
            if isinstance(path, str) and not path.startswith((str(tmp_path), "/proc/self/fd")):
                looks.append(path)
            return real(path, *args, **more)

        monkeypatch.setattr(os, name, look)
    system = load(project)
    monkeypatch.undo()
    above = {str(parent) for parent in tmp_path.parents}
    assert [path for path in looks if path not in above] == []
    request = (
        ()
        if volume.startswith("/srv")
        else (load(Sources.from_document(bind(volume), env={"HOME": "/root"}, name="demo")),)
    )
    for made in (system, *request):
        assert made.services["web"].volumes[0].files is None
        with pytest.raises(ComposeError) as error:
            emit(apply_policies(made))
        (problem,) = error.value.problems
        assert (problem.path, "hostPaths" in problem.hint) == ("services.web.volumes[0]", True)


@pytest.mark.parametrize("volume", ["/srv/data:/data", "${STORE:-/data}:/mydata", "/opt/x/../y:/y"])
def test_a_request_has_no_host(volume: str) -> None:
    """A folder of nobody's to keep something in is a claim, empty, with a row."""
    chart = emit(apply_policies(load(Sources.from_document(bind(volume), env={}, name="demo"))))
    assert {outcome for outcome, _ in reasons(chart)} == {"approximated"}
    assert any(path.endswith("persistentvolumeclaim.yaml") for path in chart.files)


@pytest.mark.parametrize("source", ["/etc/localtime", "/etc/timezone", "//etc/localtime", "/etc/./timezone/"])
def test_clocks_are_ignored(source: str, tmp_path: Path) -> None:
    (row,) = (row for row in compiled(tmp_path, bind(f"{source}:/t:ro")).report if row.path.endswith("[0]"))
    assert (row.outcome, row.remedy) == ("ignored", "set TZ in environment")


def test_absolute_below_the_project(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, bind(f"{tmp_path}/conf:/c:ro"), {"conf/a": "x"})
    assert problem.hint == "write ./conf"


LINKS = {
    "a file": ("link", "../host.txt", "./link"),
    "a folder": ("conf", "../outside", "./conf"),
    "below a linked folder": ("conf", "../outside", "./conf/a"),
    "an absolute one": ("link", "/etc/hostname", "./link"),
    "the environment": ("link", "/proc/self/environ", "./link"),
    "a link to a link": ("first", "second", "./first"),
}


@pytest.mark.parametrize("case", LINKS)
def test_links_out_are_the_hosts(case: str, tmp_path: Path) -> None:
    name, target, source = LINKS[case]
    project = tmp_path / "project"
    (tmp_path / "outside").mkdir()
    (project / "x").mkdir(parents=True)
    for path in ("host.txt", "outside/a"):
        (tmp_path / path).write_text("planted-on-the-host")
    (project / name).symlink_to(target)
    (project / "second").symlink_to("../host.txt")
    (problem,) = problems(project, bind(f"{source}:/x:ro"))
    assert problem.path == "services.web.volumes[0]"
    assert "host" in problem.message


BEYOND = ["../conf:/c:ro", "./x/../../conf:/c", "../../etc:/e:ro", "./..:/up:ro", "../absent:/data"]


@pytest.mark.parametrize("volume", BEYOND)
def test_beyond_the_project_names_the_switch(volume: str, tmp_path: Path) -> None:
    project = tmp_path / "a" / "b"
    (tmp_path / "a" / "conf").mkdir(parents=True)
    (project / ".git").mkdir(parents=True)  # decides nothing
    (tmp_path / ".git").mkdir()
    (problem,) = problems(project, bind(volume))
    assert "--root" in problem.hint
    assert "x-tycho: {root: .." in problem.hint
    document = bind(volume)
    with pytest.raises(ComposeError, match="1 problem") as error:
        emit(apply_policies(load(Sources.from_document(document, env={}, name="demo"))))
    assert "x-tycho: {root: .." in error.value.problems[0].hint


@pytest.mark.parametrize("how", ["option", "document", "both"])
def test_a_root_lets_files_travel(how: str, tmp_path: Path) -> None:
    project = tmp_path / "deploy"
    text = bind("../conf:/c:ro") + ("x-tycho: {root: ..}\n" if how == "document" else "")
    text += "x-tycho: {root: /}\n" if how == "both" else ""
    option = {} if how == "document" else {"root": str(tmp_path)}
    files = {"../conf/a": "carried", "../conf/.env": "planted"}
    if how == "both":  # the option goes before, and the file's own is not even read
        text = text.replace("root: /", "root: ../..")
    chart = compiled(project, text, files, **option)
    assert chart.files["files/conf/a"] == b"carried"
    assert b"planted" not in whole(chart)


@pytest.mark.parametrize("root", ["/", "/srv", "~", "../x", "x/../..x", "", 5, "../.."])
def test_a_document_cannot_climb_anywhere(root: object, tmp_path: Path) -> None:
    project = tmp_path / "home" / "me" / "deploy"
    home = str(tmp_path / "home" / "me")
    (problem,) = problems(project, f"{bind('./a:/a')}x-tycho: {{root: {json.dumps(root)}}}\n", env={"HOME": home})
    assert problem.path == "x-tycho.root"


def test_the_root_is_above(tmp_path: Path) -> None:
    for root in (tmp_path / "other", tmp_path / "project" / "below", tmp_path / "proj"):
        with pytest.raises(Exception, match="neither the project's folder nor one above") as error:
            sources(tmp_path / "project", bind("./a:/a"), root=str(root))
        assert error.type.__name__ == "UsageError"
    sources(tmp_path / "project", bind("./a:/a"), root="/")


def test_a_folder_leaves_out_with_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "host.txt").write_text("planted-on-the-host")
    project = tmp_path / "project"
    files = {
        "index.js": "1", ".env": "A=planted-0", "sub/.env": "B=planted-1", ".git/config": "planted-2",
        "sub/.git": "gitdir: planted-3", "app.env": "C=planted-4", "old/Chart.yaml": "planted-5",
        "old/tycho-report.json": "[]", "values.yaml": VALUES_MARK + "planted-6", "out/x": "planted-7",
        "prod.yaml": "planted-8", "lib/a": "a",
    }  # fmt: skip
    text = (
        "services:\n  web: {image: x, env_file: [app.env], volumes: ['.:/srv:ro']}\n"
        "  off: {image: x, profiles: [never], env_file: [{path: lib/off.txt, required: false}]}\n"
    )
    given = sources(project, text, {**files, "lib/off.txt": "planted-9"}, outputs=("out", "prod.yaml"))
    (project / "lib" / "out").symlink_to("../../host.txt")
    (project / "lib" / "dangling").symlink_to("nowhere")
    (project / "lib" / "b").symlink_to("a")
    (project / "lib" / "shown").symlink_to("../.env")
    os.mkfifo(project / "lib" / "pipe")
    packed = compiled(tmp_path / "other", bind())
    (project / "demo-0.1.0.tgz").write_bytes(packed.archive())
    chart = emit(apply_policies(load(given)))
    assert {path for path in chart.files if path.startswith("files/")} - {COMPOSE_FILE} == {
        f"files/x/{name}" for name in ("compose.yaml", "index.js", "lib_a", "lib_b")
    }
    assert b"planted" not in whole(chart)
    assert reasons(chart) == [
        ("translated", MODES),
        (
            "ignored",
            "left out (it holds variables of the environment): .env, app.env, lib/off.txt, lib/shown, sub/.env",
        ),
        ("ignored", "left out (Git's own data): .git, sub/.git"),
        ("ignored", "left out (a chart that tycho packed): demo-0.1.0.tgz"),
        ("ignored", "left out (a link that leads nowhere): lib/dangling"),
        ("ignored", "left out (a link that leads out of the project): lib/out"),
        ("ignored", "left out (is a pipe): lib/pipe"),
        ("ignored", "left out (a chart that tycho wrote): old/"),
        ("ignored", "left out (this command writes it): out, prod.yaml"),
        ("ignored", "left out (values that tycho compile wrote): values.yaml"),
        ("approximated", "links travel as copies of what they lead to: lib/b"),
    ]


def test_a_long_list_is_counted(tmp_path: Path) -> None:
    files = {f"conf/{number:02}/.env": "A=1" for number in range(30)}
    chart = compiled(tmp_path, bind("./conf:/c:ro"), {**files, "conf/a": "a"})
    (why,) = [reason for _, reason in reasons(chart) if "left out" in reason]
    assert why.endswith("19/.env, and 10 more")


@pytest.mark.parametrize(
    ("volume", "why"),
    [("./.git:/g:ro", "Git's own data"), ("./old:/o:ro", "chart that tycho wrote"), ("./out:/o", "command writes it")],
)
def test_what_never_travels_alone(volume: str, why: str, tmp_path: Path) -> None:
    files = {".git/config": "planted", "old/Chart.yaml": "", "old/tycho-report.json": "planted", "out/a": "planted"}
    chart = compiled(tmp_path, bind(volume), files, outputs=("out",))
    ((outcome, reason),) = reasons(chart)
    assert (outcome, why in reason) == ("ignored", True)
    assert b"planted" not in whole(chart)
    assert not any("PersistentVolumeClaim" in str(content) for content in chart.files.values())


def test_a_plain_folder_is_unchanged(bench: Any) -> None:
    chart = bench.chart(bind("./conf:/c:ro"), {"conf/a": "1", "conf/sub/b.pub": "2", "conf/empty.key": ""})
    assert reasons(chart) == [("translated", MODES)]
    assert "secretFiles" not in str(chart.files["values.yaml"]) + str(chart.files["values.schema.json"])
    assert {path for path in chart.files if path.startswith("files/")} - {COMPOSE_FILE} == {
        "files/conf/a", "files/conf/empty.key", "files/conf/sub_b.pub"
    }  # fmt: skip


def test_many_binds_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = bind(*(f"./conf:/c{number}:ro" for number in range(50)))
    project = sources(tmp_path, text, {f"conf/{number}": "x" for number in range(20)})
    opened: list[str] = []
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda path, *args: (opened.append(path), real_open(path, *args))[1])
    system = load(project)
    monkeypatch.undo()
    assert sorted(opened) == sorted(str(tmp_path / "conf" / str(number)) for number in range(20))
    assert all(len(mount.files or ()) == 20 for mount in system.services["web"].volumes)


def test_one_chart_on_every_machine(tmp_path: Path) -> None:
    """What belongs to one machine is shown, and leaves no trace in the chart: not even that it was left out."""
    clean = compiled(tmp_path / "clean", bind(".:/srv:ro"), {"a": "a"})
    files = {"a": "a", ".env": "A=1", ".git/HEAD": "x", "old/Chart.yaml": "", "old/tycho-report.json": "[]"}
    used = compiled(tmp_path / "used", bind(".:/srv:ro"), files)
    assert used.files == clean.files
    assert len(reasons(used)) == len(reasons(clean)) + 3
