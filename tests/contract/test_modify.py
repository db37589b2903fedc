"""Changing what runs without its compose file, asked of every orchestrator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.errors import Conflict, OperationInProgress, PolicyDenied, PreconditionFailed, UsageError
from tycho.lifecycle import Lifecycle
from tycho.modification import Modification, ServiceChange
from tycho.ownership import Caller

pytestmark = pytest.mark.xdist_group("cluster")
CHANGES = Modification(
    labels={"app-name": "notebook"},
    common=ServiceChange(cpu="500m", memory="256Mi"),
    services={"web": ServiceChange(replicas=2, image="nginx:1.27", env={"LEVEL": "a$b"})},
)


@pytest.mark.pods
def test_a_change_is_a_revision_like_any(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "bends", TAG="7"), wait_options=QUICK)
        preview = await lifecycle.modify("bends", CHANGES, dry_run=True, wait_options=QUICK)
        assert preview.release.revision == 1
        modified = await lifecycle.modify("bends", CHANGES, revision=1, wait_options=QUICK)
        assert modified.differences == preview.differences
        assert [difference.words for difference in modified.differences] == [
            "defaults.podLabels.app-name notebook",
            "db: resources.limits.cpu 500m",
            "db: resources.limits.memory 256Mi",
            "web: env.LEVEL a$b",
            "web: image.tag ${TAG:-1} → 1.27",
            "web: replicas 1 → 2",
            "web: resources.limits.cpu 500m",
            "web: resources.limits.memory 256Mi",
        ]
        assert {"op": "replace", "path": "/services/web/replicas", "value": 2} in [
            difference.patch for difference in modified.differences
        ]
        assert (modified.release.revision, modified.release.ready) == (2, True)
        web, db = modified.release.services
        assert (web.wanted, db.wanted) == (2, 1)
        assert (await lifecycle.contents("bends")).values["variables"] == {"TAG": "7"}
        again = await lifecycle.modify("bends", CHANGES, wait_options=QUICK)
        assert (again.release.notes, again.differences) == (("bends is up to date (revision 2)",), ())
        back = await lifecycle.rollback("bends", wait_options=QUICK)
        assert (back.revision, back.services[0].wanted) == (3, 1)

    run_revised(story)


def test_what_cannot_be_changed_is_said_at_once(run_revised: RunStory) -> None:
    wrong = Modification(
        labels={"tycho-guid": "0", "kubernetes.io/x": "y", "a b": ""},
        common=ServiceChange(cpu="much"),
        services={"nosuch": ServiceChange(replicas=2), "web": ServiceChange(image="-x", memory="0", gpu=-1)},
    )

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "stiff"), caller=Caller("ada"), wait_options=QUICK)
        with pytest.raises(UsageError) as error:
            await lifecycle.modify("stiff", wrong, caller=Caller("ada"), wait_options=QUICK)
        assert [problem.path for problem in error.value.problems] == [
            "labels.tycho-guid", "labels.kubernetes.io/x", "labels.a b", "cpu", "services.nosuch",
            "services.web.memory", "services.web.gpu", "services.web.image",
        ]  # fmt: skip
        with pytest.raises(UsageError, match="1 problem"):
            await lifecycle.modify("stiff", Modification(), caller=Caller("ada"), wait_options=QUICK)
        with pytest.raises(Conflict, match="is ada's"):
            await lifecycle.modify("stiff", CHANGES, caller=Caller("eve"), wait_options=QUICK)
        with pytest.raises(PreconditionFailed, match="revision 1 by now"):
            await lifecycle.modify("stiff", CHANGES, revision=7, caller=Caller("ada"), wait_options=QUICK)
        assert [entry.revision for entry in await lifecycle.history("stiff")] == [1]

    run_revised(story)


def test_changes_at_once_are_all_made(run_revised: RunStory) -> None:
    """Who names no revision means the system as it is by then, and is refused only while another change is made."""
    limits = ("cpu", "300m"), ("memory", "64Mi"), ("ephemeral_storage", "1Gi")
    wishes = [Modification(common=ServiceChange(**{name: value})) for name, value in limits]

    async def change(lifecycle: Lifecycle, wish: Modification) -> None:
        while True:
            try:
                await lifecycle.modify("busy", wish, wait_options=replace(QUICK, wait=False))
            except OperationInProgress:
                await asyncio.sleep(0.05)
            else:
                return

    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "busy"), wait_options=QUICK)
        await asyncio.gather(*(change(lifecycle, wish) for wish in wishes))
        values = (await lifecycle.contents("busy")).merged["services"]["web"]
        assert values["resources"]["limits"] == {"cpu": "300m", "memory": "64Mi", "ephemeral-storage": "1Gi"}
        assert [entry.revision for entry in await lifecycle.history("busy")][-1] == 4

    run_revised(story)


def test_a_start_is_known_after_many_changes(run_revised: RunStory) -> None:
    """Orchestrators keep some revisions alone."""

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SHOP, "changed")
        guid = (await lifecycle.up(made, wait_options=QUICK)).identity.guid
        for number in range(11):
            modification = Modification(labels={"turn": str(number)})
            await lifecycle.modify("changed", modification, wait_options=replace(QUICK, wait=False))
        again = await lifecycle.find_start(made, guid)
        assert again is not None
        assert (again.identity.guid, again.revision) == (guid, 12)

    run_revised(story)


def test_what_was_changed_meanwhile_is_not_removed(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, SHOP, "stays"), wait_options=QUICK)
        await lifecycle.modify("stays", CHANGES, wait_options=QUICK)
        (kept,) = await lifecycle.down(["stays"], revision=1, wait_options=QUICK, each=lambda removal: None)
        assert isinstance(kept.error, PreconditionFailed)
        assert "has revision 2 by now, not 1" in str(kept.error)
        (release,) = [system for system in await lifecycle.status() if system.identity.name == "stays"]
        assert (release.state, release.ready) == ("deployed", True)
        (gone,) = await lifecycle.down(["stays"], revision=2, wait_options=QUICK, each=lambda removal: None)
        assert gone.error is None

    run_revised(story)


def test_requests_stay_below_limits_and_secrets_are_not_repeated(run_revised: RunStory) -> None:
    resources = {"limits": {"memory": "512M"}, "reservations": {"memory": "256M"}}
    web = {"image": "nginx:1", "environment": {"DB_PASSWORD": "${DB_PASSWORD}"}, "deploy": {"resources": resources}}

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, {"services": {"web": web}}, "lower", DB_PASSWORD="planted-1")  # noqa: S106
        await lifecycle.up(made, wait_options=QUICK)
        modification = Modification(
            common=ServiceChange(memory="128Mi"),
            services={"web": ServiceChange(env={"DB_PASSWORD": "planted-$2"})},
        )
        modified = await lifecycle.modify("lower", modification, wait_options=replace(QUICK, wait=False))
        values = (await lifecycle.contents("lower")).merged["services"]["web"]
        assert values["resources"] == {"limits": {"memory": "128Mi"}, "requests": {"memory": "128Mi"}}
        assert values["secretEnv"]["DB_PASSWORD"] == "planted-$$2"  # noqa: S105
        assert "planted" not in str([difference.patch for difference in modified.differences])
        assert "planted" not in " ".join(difference.words for difference in modified.differences)
        assert modified.release.revision == 2

    run_revised(story)


PINNED = 'description: Pinned.\nmatch: {image: ["*:latest"]}\ndeny: "{image} is another image tomorrow"\n'
SMALL = "description: Small.\nmatch: {has: deploy.resources.limits.memory=4294967296}\ndeny: '{name} takes 4 GiB'\n"
OWN = "description: Own.\nmatch: {has: deploy.resources.reservations.devices}\ndeny: '{name} takes a device'\n"
STORED = "description: Stored.\nmatch: {has: storage_opt.size=1073741824}\ndeny: '{name} takes 1 GiB of disk'\n"
REFUSED = {
    "image": ("web", ServiceChange(image="nginx:latest"), "nginx:latest is another image tomorrow"),
    "image of a job": ("nightly", ServiceChange(image="busybox:latest"), "busybox:latest is another image tomorrow"),
    "memory": ("web", ServiceChange(memory="4Gi"), "takes 4 GiB"),
    "device": ("web", ServiceChange(gpu=1), "web takes a device"),
    "disk": ("web", ServiceChange(ephemeral_storage="1Gi"), "web takes 1 GiB of disk"),
}
WITH_JOB = {**SHOP, "jobs": {"nightly": {"image": "busybox:1", "triggers": {"schedule": [{"cron": "0 3 * * *"}]}}}}


@pytest.mark.parametrize("case", REFUSED)
def test_the_operators_policies_judge_a_change(run_revised: RunStory, tmp_path: Path, case: str) -> None:
    service, change, reason = REFUSED[case]
    for number, text in enumerate((PINNED, SMALL, OWN, STORED)):
        (tmp_path / f"5{number}-mine.yaml").write_text(text)

    async def story(lifecycle: Lifecycle) -> None:
        lifecycle.policies = (tmp_path,)
        await lifecycle.up(compiled(lifecycle, WITH_JOB, "judged", TAG="7"), wait_options=QUICK)
        for modification in (Modification(services={service: change}), Modification(common=change)):
            with pytest.raises(PolicyDenied) as error:
                await lifecycle.modify("judged", modification, dry_run=True, wait_options=QUICK)
            assert reason in error.value.problems[0].message
        allowed = Modification(services={"web": ServiceChange(image="nginx:8", memory="64Mi", cpu="250m", replicas=2)})
        modified = await lifecycle.modify("judged", allowed, wait_options=replace(QUICK, wait=False))
        assert modified.release.revision == 2

    run_revised(story)
