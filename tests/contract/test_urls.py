"""URLs of systems, by every back end: shown at a start, and no two systems have the same one."""

from __future__ import annotations

import pytest

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.errors import Conflict
from tycho.lifecycle import Lifecycle
from tycho.ownership import Caller
from tycho.progress import ProgressEvents
from tycho.urls import read_options

pytestmark = pytest.mark.xdist_group("cluster")
ADA = Caller("ada")


def test_a_start_shows_its_url(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        lifecycle.urls = read_options({"TYCHO_URL_TEMPLATE": "https://{name}-{guid}.example.org/"})
        started = await lifecycle.up(compiled(lifecycle, SHOP, "shown"), wait_options=QUICK)
        url = f"https://shown-{started.identity.guid}.example.org/"
        assert [service.url for service in started.services] == [url, ""]
        (listed,) = await lifecycle.status(name="shown")
        assert listed.url == url
        assert [event.progress.url for event in ProgressEvents().tell(listed)][-1] == url
        again = await lifecycle.up(compiled(lifecycle, SHOP, "shown"), wait_options=QUICK)
        assert again.notes == ("shown is up to date (revision 1)",)
        assert (await lifecycle.diff(compiled(lifecycle, SHOP, "shown"))).empty
        same = compiled(lifecycle, SHOP, "shown")
        assert await lifecycle.find_start(same, started.identity.guid) is not None

    run_revised(story)


def test_two_systems_have_two_urls(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        lifecycle.urls = read_options({"TYCHO_URL_TEMPLATE": "https://example.org/{user}/{name}/"})
        first = await lifecycle.up(compiled(lifecycle, SHOP, "twin"), caller=ADA, wait_options=QUICK)
        assert first.url == "https://example.org/ada/twin/"
        with pytest.raises(Conflict, match="is the URL of another system"):
            await lifecycle.up(compiled(lifecycle, SHOP, "twin"), caller=ADA, new=True, wait_options=QUICK)
        other = await lifecycle.up(
            compiled(lifecycle, SHOP, "twin"), caller=Caller("eve"), new=True, wait_options=QUICK
        )
        assert other.url == "https://example.org/eve/twin/"
        again = await lifecycle.up(
            compiled(lifecycle, SHOP, "twin", TAG="2"), guid=first.identity.guid, caller=ADA, wait_options=QUICK
        )
        assert again.url == first.url

    run_revised(story)
