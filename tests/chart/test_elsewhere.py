"""Configs, secrets, env files, label files and compose text: what lies elsewhere, and what is no file at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.chart.carrying import bind, compiled, problems, reasons, seen, sources, whole
from tycho.chart import emit, release_values
from tycho.compose import load
from tycho.policy import apply_policies


@pytest.mark.parametrize("name", [".env", "app.txt"])
def test_variables_mounted_by_name(name: str, bench: Any) -> None:
    text = bind(f"./{name}:/srv/.env:ro") + "    env_file: [app.txt]\n"
    files = {".env": "A=planted", "app.txt": "A=planted"}
    policy_result = bench.policy_result(text, files)
    chart = emit(policy_result)
    assert b"planted" not in whole(chart)
    assert seen(bench.render(chart, release_values(policy_result.system)), "rel-web")["/srv/.env"][0] == b"A=planted"


def config(file: str) -> str:
    return f"services: {{web: {{image: x, configs: [c]}}}}\nconfigs:\n  c:\n    file: {file}\n"


@pytest.mark.parametrize("kind", ["beside", "absolute", "home", "linked", "named .env"])
def test_configs_from_elsewhere(kind: str, bench: Any, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "c.conf").write_text("planted: outside")
    (project / "link").symlink_to("../c.conf")
    (project / ".env").write_text("planted: outside")
    file = {"beside": "../c.conf", "absolute": f"{tmp_path}/c.conf", "home": "~/c.conf", "linked": "./link",
            "named .env": ".env"}[kind]  # fmt: skip
    policy_result = apply_policies(load(sources(project, config(file), env={"HOME": str(tmp_path)})))
    chart = emit(policy_result)
    assert b"planted" not in whole(chart)
    ((outcome, reason),) = reasons(chart, "configs.c.file")
    assert (outcome, "outside the project" in reason) == ("approximated", True)
    objects = bench.render(chart, release_values(policy_result.system))
    assert seen(objects, "rel-web")["/c"] == (b"planted: outside", 0o444, "secret")


REFUSED = {
    "/proc/self/environ": "below /proc, /sys or /dev", "./environ": "below /proc, /sys or /dev",
    "/etc/../proc/self/environ": "below /proc, /sys or /dev", "/dev/stdin": "below /proc, /sys or /dev",
    "/sys/kernel/notes": "below /proc, /sys or /dev", "./pipe": "is a pipe", "../pipe": "is a pipe",
    "/etc": "is a directory", "./loop": "is a link in a circle", "./large": "larger than 1 MiB",
}  # fmt: skip


@pytest.mark.parametrize("file", REFUSED)
@pytest.mark.parametrize("section", ["configs", "secrets"])
def test_configs_that_are_no_files(section: str, file: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "environ").symlink_to("/proc/self/environ")
    (project / "loop").symlink_to("loop")
    (project / "large").write_bytes(b"x" * (1 << 21))
    os.mkfifo(project / "pipe")
    os.mkfifo(tmp_path / "pipe")
    (problem,) = problems(project, config(file).replace("configs", section))
    assert (problem.path, problem.message) == (f"{section}.c.file", f"{file}: {REFUSED[file]}")


def test_unused_configs_are_not_read(tmp_path: Path) -> None:
    compiled(tmp_path, "services: {web: {image: x}}\nconfigs: {c: {file: /proc/self/environ}}\n")


OTHERS = {
    "label_file: /etc/passwd": "outside the project",
    "label_file: ../labels": "outside the project",
    "label_file: ~/labels": "outside the project",
    "label_file: ./link": "outside the project",
    "label_file: ./.env": "labels are part of the chart",
    "env_file: [./pipe]": "is a pipe",
    "env_file: [/dev/stdin]": "below /proc, /sys or /dev",
    "env_file: [/proc/self/environ]": "below /proc, /sys or /dev",
    "env_file: [{path: ./pipe, required: false}]": "is a pipe",
    "env_file: [./folder]": "is a directory",
    "env_file: [./large]": "larger than 8 MiB",
    "extends: {file: ./pipe, service: x}": "is a pipe",
    "extends: {file: /dev/zero, service: x}": "below /proc, /sys or /dev",
}


@pytest.mark.parametrize("key", OTHERS)
def test_other_files_are_regular(key: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "folder").mkdir(parents=True)
    os.mkfifo(project / "pipe")
    (tmp_path / "labels").write_text("a=planted")
    (project / "link").symlink_to("../labels")
    with (project / "large").open("wb") as file:
        file.truncate(1 << 40)
    text = f"services:\n  web:\n    image: x\n    {key}\n"
    (problem,) = problems(project, text, {".env": "A=planted"}, env={"HOME": str(tmp_path)})
    assert OTHERS[key] in problem.message


@pytest.mark.parametrize("include", ["/dev/zero", "./pipe", "{path: ./a.yaml, env_file: ./pipe}", "/proc/self/environ"])
def test_includes_are_regular(include: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    files = {"a.yaml": "services: {b: {image: x}}"}
    (problem,) = problems(tmp_path, f"include:\n  - {include}\nservices: {{web: {{image: x}}}}\n", files)
    assert problem.path == "include"


def test_compose_text_may_lie_elsewhere(tmp_path: Path) -> None:
    project = tmp_path / "project"
    text = (
        "include: [../other/a.yaml]\nservices: {web: {extends: {file: ../base.yaml, service: w}, env_file: [../e]}}\n"
    )
    files = {
        "../other/a.yaml": "services: {b: {image: x}}", "../base.yaml": "services: {w: {image: x}}",
        "../e": "A=planted",
    }  # fmt: skip
    chart = compiled(project, text, files)
    rows = {row.path: row.target for row in chart.report}
    assert "outside the project" in rows["services.web.env_file[0]"]
    assert b"planted" not in whole(chart)
