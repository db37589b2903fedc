"""What has a `build:` is built by a real engine, pushed, pinned by its digest, and rolled only where it changed."""

import json
import re
import subprocess
from typing import Any

from tests.e2e.building import PREFIX, Engine, engine
from tests.e2e.system import Json, System, eventually

DEEP = True  # it starts an engine
SHOWS = ()  # of a system that runs nothing: how its images come about
SECONDS = 200
GIVEN = "hush-7c31f0aa"
PINNED = re.compile(rf"{re.escape(PREFIX)}/[a-z-]+:[a-z0-9.]+@sha256:[0-9a-f]{{64}}")
STEP = re.compile(r"^#(\d+) \[[^\]]*?\d+/\d+\] (?:RUN|COPY)", re.MULTILINE)  # a step that does something


def verify(system: System) -> None:
    with engine(system.node) as docker:
        pages = system.beside("pages")
        look_at(pages, docker, ("-f", "compose.yaml"), "page one", ("web", "twin", "worker"))
        change_page(pages, docker)
        keep(pages)
        stages = system.beside("stages")
        look_at(stages, docker, ("-f", "stages.yaml"), "page of stages", ("web", "base"))
        assert stages.page("web", "/size") == f"{len(GIVEN)}\n"
        assert stages.page("web", "/base") == "made in line\n"
        shared = system.beside("shared")
        look_at(shared, docker, ("-f", "shared.yaml"), "page of all", ("web", "worker", "init"))
        assert len(set(images(shared).values())) == 1
        refuse(shared, docker)


def build(system: System, docker: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    """`tycho up --build --push`, however it ends."""
    env = {**docker.env, "BUILD_TOKEN": GIVEN}
    named = ("--name", system.name, "--timeout", "180")
    return system.run("up", "--build", "--push", PREFIX, *named, *words, env=env)


def look_at(system: System, docker: Engine, file: tuple[str, ...], page: str, services: tuple[str, ...]) -> None:
    """Build and start a system; do it again, and nothing is built and nothing rolls."""
    first = build(system, docker, *file)
    assert first.returncode == 0, first.stderr
    system.find()
    assert system.page("web") == f"{page}\n"
    assert GIVEN not in first.stdout + first.stderr
    before, uids = images(system), pods(system)
    assert set(before) == set(services)
    assert all(PINNED.fullmatch(image) for image in before.values()), before
    second = build(system, docker, *file)
    assert second.returncode == 0, second.stderr
    assert f"{system.name} is up to date (revision 1)" in second.stderr
    steps = set(STEP.findall(second.stderr))
    assert steps
    assert not {number for number in steps if f"#{number} CACHED" not in second.stderr}, second.stderr
    assert (images(system), pods(system), revision(system)) == (before, uids, 1)


def change_page(system: System, docker: Engine) -> None:
    """Change what is built: its services roll, and get it."""
    before = pods(system)
    (system.folder / "pages/page.html").write_text("page two\n")
    done = build(system, docker, "-f", "compose.yaml")
    assert done.returncode == 0, done.stderr
    eventually(lambda: system.page("web") == "page two\n")
    eventually(lambda: not set(pods(system).values()) & set(before.values()))
    assert revision(system) == 2


def keep(system: System) -> None:
    """Run it again without a build, nor a Docker: what was built goes on."""
    before = pods(system)
    assert "up to date (revision 2)" in system.run("up", "--name", system.name).stderr
    assert pods(system) == before


def refuse(system: System, docker: Engine) -> None:
    """Fail a build in the engine's own words, and change nothing."""
    before = pods(system)
    (system.folder / "shared/Dockerfile").write_text("FROM busybox:1\nRUN exit 7\n")
    done = build(system, docker, "-f", "shared.yaml")
    assert done.returncode == 30
    last = done.stderr.splitlines()[-1]
    assert last.startswith("docker compose build failed: ")
    assert "exit code: 7" in last
    assert (pods(system), revision(system)) == (before, 1)


def images(system: System) -> dict[str, str]:
    """The image of each service's pod template."""
    workloads: list[Json] = [*system.get("deployments"), *system.get("jobs")]
    return {
        workload["metadata"]["labels"]["app.kubernetes.io/component"]: spec["containers"][0]["image"]
        for workload in workloads
        if (spec := workload["spec"]["template"]["spec"])
    }


def pods(system: System) -> dict[str, str]:
    """The uid of each pod that nobody is removing."""
    living: list[Any] = [pod["metadata"] for pod in system.get("pods") if "deletionTimestamp" not in pod["metadata"]]
    return {metadata["name"]: metadata["uid"] for metadata in living}


def revision(system: System) -> int:
    """The number of the revision that runs."""
    return len(json.loads(system.tycho("history", system.guid, "-o", "json")))
