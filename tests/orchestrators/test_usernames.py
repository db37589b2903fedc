"""Users of any name on a real cluster: labels tell them apart, the name itself is shown, and history says who asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.lifecycle import Lifecycle
from tycho.ownership import DESCRIPTION, Caller
from tycho.usernames import user_label

pytestmark = pytest.mark.xdist_group("cluster")


def test_a_name_is_shown_and_its_label_is_its_own(tell: Any, shared: str, kubectl: Kubectl) -> None:
    ada = Caller("a@b.org")

    async def story(lifecycle: Lifecycle) -> None:
        DESCRIPTION.set("start by a@b.org (request r-1)")
        first = await lifecycle.up(compiled(lifecycle, web()), caller=ada, wait_options=QUICK)
        again = await lifecycle.up(compiled(lifecycle, web("2")), caller=ada, wait_options=QUICK)
        assert again.identity.guid == first.identity.guid
        (seen,) = await lifecycle.status([first.identity.guid])
        assert seen.identity.username == "a@b.org"
        assert [system.identity.username for system in await lifecycle.status(username="a@b.org")] == ["a@b.org"]
        assert list(await lifecycle.status(username="a-b.org")) == []
        DESCRIPTION.set("rollback by a@b.org (request r-2)")
        await lifecycle.rollback(first.identity.guid, caller=ada, wait_options=QUICK)
        descriptions = [revision.description for revision in await lifecycle.history(first.identity.guid)]
        assert descriptions == [*["start by a@b.org (request r-1)"] * 2, "rollback by a@b.org (request r-2)"]
        secrets = json.loads(kubectl("get", "secrets", "-n", shared, "-l", "owner=helm", "-o", "json"))["items"]
        assert {secret["metadata"]["labels"]["username"] for secret in secrets} == {user_label("a@b.org")}

    tell(story, shared)
