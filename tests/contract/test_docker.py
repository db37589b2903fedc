"""What Docker does that a cluster does otherwise, and what it refuses, on a real engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import OTHER, QUICK, SHOP, RunStory, compiled
from tycho.cli.build import build_compiled
from tycho.compose import Sources
from tycho.errors import Conflict, NotFound, NotSupported, StartFailed, ToolMissing, UsageError
from tycho.lifecycle import Lifecycle
from tycho.modification import Modification, ServiceChange
from tycho.orchestrators import Target, get
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")
WITH_VOLUME = {
    "services": {"web": {"image": "nginx:1", "volumes": ["data:/data"]}},
    "volumes": {"data": {}},
}
SECRET = "planted-1"  # noqa: S105
FORBIDDEN = (SECRET, "planted-2")


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def inspect(release: str) -> list[dict[str, Any]]:
    ids = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={release}").split()
    return list(json.loads(docker("inspect", *ids))) if ids else []


def list_ids(release: str) -> dict[str, str]:
    return {entry["Config"]["Labels"]["com.docker.compose.service"]: entry["Id"] for entry in inspect(release)}


async def drain(lines: AsyncIterator[Any]) -> list[Any]:
    return [line async for line in lines]


def test_up_rolls_what_changed_alone(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        first = await lifecycle.up(compiled(lifecycle, SHOP, "rolls"), wait_options=QUICK)
        before = list_ids(first.identity.release)
        same = await lifecycle.up(compiled(lifecycle, SHOP, "rolls"), wait_options=QUICK)
        assert (same.notes, list_ids(first.identity.release)) == (("rolls is up to date",), before)
        tagged = await lifecycle.up(compiled(lifecycle, SHOP, "rolls", TAG="3"), wait_options=QUICK)
        after = list_ids(first.identity.release)
        assert (tagged.notes, after["db"], after["web"] != before["web"]) == ((), before["db"], True)
        other = await lifecycle.up(compiled(lifecycle, OTHER, "rolls"), wait_options=QUICK)
        assert other.notes == ("db: removed",)
        assert other.created == first.created

    run_docker(story)


def test_replicas_scale_by_the_file(run_docker: RunStory) -> None:
    document = {"services": {"web": {"image": "nginx:1", "scale": "${SCALE:-1}"}}}

    async def story(lifecycle: Lifecycle) -> None:
        single = await lifecycle.up(compiled(lifecycle, document, "scales"), wait_options=QUICK)
        (first,) = inspect(single.identity.release)
        three = await lifecycle.up(compiled(lifecycle, document, "scales", SCALE="3"), wait_options=QUICK)
        assert (three.services[0].ready, three.services[0].wanted) == (3, 3)
        assert first["Id"] in [entry["Id"] for entry in inspect(single.identity.release)]

    run_docker(story)


def test_modify_scales_and_no_more(run_docker: RunStory) -> None:
    def change(**fields: Any) -> Modification:
        return Modification(services={"web": ServiceChange(**fields)})

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, WITH_VOLUME, "bends")
        release = (await lifecycle.up(made, wait_options=QUICK)).identity.release
        (first,) = inspect(release)
        preview = await lifecycle.modify("bends", change(replicas=3), dry_run=True, wait_options=QUICK)
        assert len(inspect(release)) == 1
        modified = await lifecycle.modify("bends", change(replicas=3), wait_options=QUICK)
        assert [difference.words for difference in modified.differences] == ["web: replicas 1 → 3"]
        assert preview.differences == modified.differences
        assert (modified.release.services[0].ready, modified.release.services[0].wanted) == (3, 3)
        names = {entry["Name"] for entry in inspect(release)}
        assert names == {f"/{release}-web-{number}" for number in (1, 2, 3)}
        environments = [entry["Config"]["Env"] for entry in inspect(release)]
        assert environments == [first["Config"]["Env"]] * 3
        for entry in inspect(release):
            (network,) = entry["NetworkSettings"]["Networks"].values()
            assert "web" in network["Aliases"]
        await lifecycle.modify("bends", change(replicas=2), wait_options=QUICK)
        assert {entry["Name"] for entry in inspect(release)} == {f"/{release}-web-{number}" for number in (1, 2)}
        again = await lifecycle.up(made, wait_options=QUICK)
        assert again.services[0].wanted == 1
        for refused in (change(image="nginx:2"), change(replicas=2, cpu="1"), Modification(labels={"a": "b"})):
            with pytest.raises(NotSupported, match="docker changes nothing but replicas"):
                await lifecycle.modify("bends", refused, wait_options=QUICK)

    run_docker(story)


def test_restart_keeps_containers(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        started = await lifecycle.up(compiled(lifecycle, SHOP, "again"), wait_options=QUICK)
        before = {entry["Id"]: entry["State"]["StartedAt"] for entry in inspect(started.identity.release)}
        restarted = await lifecycle.restart("again", ["web"], wait_options=QUICK)
        after = {entry["Id"]: entry["State"]["StartedAt"] for entry in inspect(started.identity.release)}
        assert (restarted.ready, after.keys()) == (True, before.keys())
        assert len([key for key in before if before[key] != after[key]]) == 1
        with pytest.raises(NotFound, match="again has no service nosuch"):
            await lifecycle.restart("again", ["nosuch"], wait_options=QUICK)

    run_docker(story)


def test_volumes_go_or_are_kept(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        started = await lifecycle.up(compiled(lifecycle, WITH_VOLUME, "holds"), wait_options=QUICK)
        guid, release = started.identity.guid, started.identity.release
        (kept,) = await lifecycle.down([guid], keep_volumes=True, wait_options=QUICK, each=lambda removal: None)
        assert kept.release is not None
        assert kept.release.notes == ("kept volume data",)
        (left,) = await lifecycle.status()
        assert (left.state, left.volumes) == ("kept", (f"{release}_data",))
        again = await lifecycle.up(compiled(lifecycle, WITH_VOLUME, "holds"), wait_options=QUICK)
        assert again.identity.guid == guid
        (gone,) = await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
        assert gone.release is not None
        assert gone.release.notes == ("deleted volume data",)
        assert docker("volume", "ls", "-q", "--filter", f"label=tycho.dev/guid={guid}") == ""
        assert docker("network", "ls", "-q", "--filter", f"label=tycho.dev/guid={guid}") == ""

    run_docker(story)


def test_labels_hold_no_secret(run_docker: RunStory) -> None:
    document = {
        "services": {"web": {"image": "nginx:1", "environment": {"TOKEN": "${TOKEN}"}, "secrets": ["key"]}},
        "secrets": {"key": {"environment": "KEY"}},
    }

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, document, "hides", TOKEN=SECRET, KEY="planted-2")
        assert not [text for text in FORBIDDEN if text in made.artifact.compose]
        release = await lifecycle.up(made, wait_options=QUICK)
        (container,) = inspect(release.identity.release)
        shown = json.dumps(container["Config"]["Labels"])
        shown += docker("volume", "inspect", f"{release.identity.release}.tycho")
        assert not [text for text in FORBIDDEN if text in shown]
        ours = [key for key in container["Config"]["Labels"] if key.startswith("tycho.dev/")]
        assert sorted(ours) == ["tycho.dev/guid", "tycho.dev/inputs"]
        assert f"TOKEN={SECRET}" in container["Config"]["Env"]
        words = docker("cp", f"{container['Id']}:/run/secrets/key", "-")
        assert "planted-2" in words
        other = compiled(lifecycle, document, "hides", TOKEN=SECRET, KEY="planted-3")
        await lifecycle.up(other, wait_options=QUICK)
        assert list_ids(release.identity.release)["web"] != container["Id"]

    run_docker(story)


def test_files_of_a_document_are_given(run_docker: RunStory) -> None:
    """A document that came over HTTP lies on no disk: its files are copied into containers."""
    document = {"services": {"web": {"image": "nginx:1", "volumes": ["./conf:/conf:ro"]}}}

    async def story(lifecycle: Lifecycle) -> None:
        def make(content: bytes) -> Any:
            files = {"conf/a.key": content, "conf/plain": b"plain"}
            return lifecycle.compile(Sources.from_document(document, env={}, name="files", files=files))

        release = (await lifecycle.up(make(b"one"), wait_options=QUICK)).identity.release
        before = list_ids(release)["web"]
        assert "one" in docker("cp", f"{before}:/conf/a.key", "-")
        assert (await lifecycle.up(make(b"one"), wait_options=QUICK)).notes == ("files is up to date",)
        await lifecycle.up(make(b"two"), wait_options=QUICK)
        assert "two" in docker("cp", f"{list_ids(release)['web']}:/conf/a.key", "-")

    run_docker(story)


def test_failures_are_said_in_plain_words(run_docker: RunStory) -> None:
    ends = {"services": {"web": {"image": "nginx:1", "entrypoint": ["/bin/sh", "-c", "echo broken; exit 3"]}}}

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, OTHER, "first"), wait_options=QUICK)
        with pytest.raises(Conflict, match="8080 is taken on the engine's machine"):
            await lifecycle.up(compiled(lifecycle, OTHER, "second"), wait_options=QUICK)
        absent = {"services": {"web": {"image": "nosuch:1", "pull_policy": "never"}}}
        with pytest.raises(NotFound, match="the engine has no image nosuch:1"):
            await lifecycle.up(compiled(lifecycle, absent, "absent"), wait_options=QUICK)
        with pytest.raises(StartFailed, match=r"ends cannot start: web: exit 3"):
            await lifecycle.up(compiled(lifecycle, ends, "ends"), wait_options=QUICK)

    run_docker(story)


def test_logs_are_prefixed(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "writes"), wait_options=QUICK)
        lines = await drain(lifecycle.logs("writes", ["web"]))
        assert lines
        assert all(line.startswith("web-1 ") for line in lines)
        with pytest.raises(NotFound, match="writes has no service nosuch"):
            await drain(lifecycle.logs("writes", ["nosuch"]))

    run_docker(story)


def test_start_is_recognized(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SHOP, "known", TAG="7")
        guid = (await lifecycle.up(made, wait_options=QUICK)).identity.guid
        assert await lifecycle.orchestrator.find(guid)
        same = await lifecycle.find_start(made, guid)
        assert same is not None
        assert same.identity.guid == guid

    run_docker(story)


IDENTITY = Identity(guid="0" * 32, name="refuses", release="refuses-0", namespace="refuses-0")
REFUSED: dict[str, Callable[[Lifecycle, Any], Awaitable[Any]]] = {
    "history": lambda lifecycle, made: lifecycle.history("refuses"),
    "contents": lambda lifecycle, made: lifecycle.contents("refuses"),
    "rollback": lambda lifecycle, made: lifecycle.rollback("refuses", wait_options=QUICK),
    "diff": lambda lifecycle, made: lifecycle.diff(made),
    "chart": lambda lifecycle, made: lifecycle.chart("refuses"),
    "drift": lambda lifecycle, made: lifecycle.drift("refuses"),
    "diff_revision": lambda lifecycle, made: lifecycle.diff_revision("refuses"),
    "push": lambda lifecycle, made: lifecycle.push(made, "oci://localhost:5000/charts"),
    "events": lambda lifecycle, made: drain(lifecycle.events("refuses")),
    "touch": lambda lifecycle, made: lifecycle.orchestrator.touch(IDENTITY),
    "warn": lambda lifecycle, made: lifecycle.orchestrator.warn(IDENTITY, "it ends soon", datetime.now(UTC)),
    "ports": lambda lifecycle, made: lifecycle.orchestrator.ports(IDENTITY, "web"),
    "forward": lambda lifecycle, made: lifecycle.orchestrator.forward(IDENTITY, "web", 80, None),  # type: ignore[arg-type]
    "exec": lambda lifecycle, made: lifecycle.exec("refuses", "web", None, None),  # type: ignore[arg-type]
}


def test_what_needs_revisions_or_a_cluster_is_refused(run_docker: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, OTHER, "refuses")
        await lifecycle.up(made, wait_options=QUICK)
        assert REFUSED.keys() == lifecycle.orchestrator.not_supported
        for verb, ask in REFUSED.items():
            with pytest.raises(NotSupported, match=r"^docker ") as error:
                await ask(lifecycle, made)
            assert error.value.hint, verb
        (kept,) = await lifecycle.down(["refuses"], revision=1, wait_options=QUICK, each=lambda removal: None)
        assert isinstance(kept.error, NotSupported)

    run_docker(story)


def test_cluster_options_make_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    for target in (Target(namespace="shared"), Target(context="prod")):
        with pytest.raises(UsageError, match="docker runs systems on an engine"):
            get("docker", target)


def test_no_engine_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(ToolMissing, match=r"^no Docker engine answers|^there is no docker program") as error:
        asyncio.run(get("docker", Target()).list())
    assert "\n" not in str(error.value)


def test_images_that_are_built_are_run(run_docker: RunStory, tmp_path: Path) -> None:
    """The engine that builds an image runs it: nothing is pushed."""
    (tmp_path / "page").mkdir()
    (tmp_path / "page/Dockerfile").write_text("FROM plain:1\nLABEL page=built\n")
    (tmp_path / "compose.yaml").write_text("name: built\nservices:\n  web: {build: page}\n")
    sources = Sources.from_disk([str(tmp_path / "compose.yaml")], env={})

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(NotFound, match="the engine has no image built-web"):
            await lifecycle.up(lifecycle.compile(sources), wait_options=QUICK)
        made = await build_compiled(lifecycle, lifecycle.compile(sources), sources, (), push="", quiet=True)
        release = await lifecycle.up(made, wait_options=QUICK)
        (container,) = inspect(release.identity.release)
        assert container["Config"]["Labels"]["page"] == "built"
        again = await lifecycle.up(lifecycle.compile(sources), wait_options=QUICK)
        assert again.notes == ("built is up to date",)

    run_docker(story)
