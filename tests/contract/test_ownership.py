"""Who started a system and from where: kept by every orchestrator, and respected."""

from __future__ import annotations

import pytest

from tests.contract.conftest import OTHER, QUICK, SHOP, RunStory, compiled
from tycho.errors import Conflict
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import WaitOptions
from tycho.ownership import Caller
from tycho.release import Origin

pytestmark = pytest.mark.xdist_group("cluster")


def test_owner_and_origin_are_kept(run_revised: RunStory) -> None:
    here, there = (
        Origin(user="ada", host="laptop", folder=f"/home/ada/{folder}/owned", project="owned") for folder in "ab"
    )

    async def story(lifecycle: Lifecycle) -> None:
        ada, copy, eve = Caller("ada", origin=here), Caller("ada", origin=there), Caller("eve", origin=here)
        first = await lifecycle.up(compiled(lifecycle, SHOP, "owned"), caller=ada, wait_options=QUICK)
        guid = first.identity.guid
        assert (first.identity.username, first.origin) == ("ada", here)
        again = await lifecycle.up(compiled(lifecycle, OTHER, "owned"), caller=ada, wait_options=QUICK)
        assert (again.identity, again.notes) == (first.identity, ("db: removed",))
        for caller in (copy, eve):
            with pytest.raises(Conflict) as refused:
                await lifecycle.up(compiled(lifecycle, SHOP, "owned"), caller=caller, wait_options=QUICK)
            assert here.text in refused.value.message
            assert guid in refused.value.hint
        with pytest.raises(Conflict, match="is ada's"):
            await lifecycle.rollback(guid, caller=eve, wait_options=QUICK)
        (kept,) = await lifecycle.down([guid[:8]], caller=eve, wait_options=QUICK, each=lambda removal: None)
        assert isinstance(kept.error, Conflict)
        with pytest.raises(Conflict, match="not from here"):
            await lifecycle.rollback("owned", caller=copy, wait_options=QUICK)
        taken = await lifecycle.up(
            compiled(lifecycle, OTHER, "owned"), caller=Caller("eve", origin=there), replace=True, wait_options=QUICK
        )
        assert (taken.identity.guid, taken.identity.username, taken.origin) == (guid, "eve", there)
        history = await lifecycle.history(guid)
        assert [(entry.username, entry.origin) for entry in history] == [("ada", here), ("ada", here), ("eve", there)]
        assert "db: removed" in history[1].changes
        assert history[0].changes == ()

    run_revised(story)


@pytest.mark.pods
@pytest.mark.parametrize("next_user", ["ada", "eve"])
def test_what_is_being_removed_stands_in_nobodys_way(run_revised: RunStory, next_user: str) -> None:
    """Its namespace may be there for a while; whose it was does not matter then, unless it is one's own."""
    origin = Origin(user="ada", host="laptop", folder="/home/ada/owned", project="leaving")

    async def story(lifecycle: Lifecycle) -> None:
        ada, following = Caller("ada", origin=origin), Caller(next_user, origin=origin)
        first = await lifecycle.up(compiled(lifecycle, SHOP, "leaving"), caller=ada, wait_options=QUICK)
        guid, at_once = first.identity.guid, WaitOptions(wait=False)
        (removal,) = await lifecycle.down([guid], caller=ada, wait_options=at_once, each=lambda removal: None)
        assert not removal.error
        release = await lifecycle.up(compiled(lifecycle, SHOP, "leaving"), caller=following, wait_options=QUICK)
        assert (release.identity.username, release.ready) == (next_user, True)
        if next_user != "ada":
            assert release.identity.guid != guid

    run_revised(story)
