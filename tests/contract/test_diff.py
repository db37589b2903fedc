"""What a verb would change is told by every orchestrator that keeps revisions, in Compose's words, without secrets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.comparison import Comparison
from tycho.compose import Sources
from tycho.errors import NotFound
from tycho.lifecycle import Compiled, Lifecycle
from tycho.modification import Modification, ServiceChange

pytestmark = pytest.mark.xdist_group("cluster")

BEFORE: dict[str, Any] = {
    "services": {
        "api": {
            "image": "shop/api:${TAG:-1.4}",
            "environment": {
                "LOG_LEVEL": "${LEVEL:-info}",
                "DB_PASSWORD": "planted-1",
                "URL": "postgres://u:${DB_SECRET:-}@db",
            },
            "ports": ["8080:80"],
            "volumes": ["goods:/goods", "./conf:/etc/conf:ro"],
            "command": ["serve", "--verbose"],
        },
        "mail": {"image": "mailhog:1", "volumes": ["spool:/spool"]},
    },
    "volumes": {"goods": {}, "spool": {}},
}
API = BEFORE["services"]["api"]
AFTER: dict[str, Any] = {
    "services": {
        "api": {
            **API,
            "environment": {**API["environment"], "DB_PASSWORD": "planted-2"},
            "ports": ["9090:80", "81"],
            "command": ["serve"],
        },
        "cache": {"image": "redis:7"},
    },
    "volumes": {"goods": {}},
}
SECRET = {"DB_SECRET": "planted-3"}
NEWS = {"TAG": "1.5", "LEVEL": "debug", "DB_SECRET": "planted-4"}
EXPECTED = {
    "api: image shop/api:1.4 → shop/api:1.5",
    "api: environment.LOG_LEVEL info → debug",
    "api: environment.DB_PASSWORD changed",
    "api: environment.URL changed",
    "api: ports 8080:80 → 9090:80",
    "api: ports 81",
    "api: command serve --verbose → serve",
    "cache: added",
    "mail: removed",
    "volume spool: removed",
    "file conf/a.txt: content changed",
}


def make(lifecycle: Lifecycle, document: dict[str, Any], content: bytes, **env: str) -> Compiled:
    files = {"conf/a.txt": content, "conf/b.bin": b"\xff\xfe"}
    return lifecycle.compile(Sources.from_document(document, env=env, name="differs", files=files))


def list_words(comparison: Comparison) -> list[str]:
    return [change.words for change in comparison.changes]


@pytest.mark.pods
def test_a_diff_tells_what_up_would_change(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        first = make(lifecycle, BEFORE, b"one", **SECRET)
        comparison = await lifecycle.diff(first)
        assert list_words(comparison) == ["api: added", "mail: added", "volume goods: added", "volume spool: added"]
        assert (comparison.revision, comparison.restarts) == (0, ())
        assert list(await lifecycle.status(name="differs")) == []
        await lifecycle.up(first, wait_options=QUICK)
        assert (await lifecycle.diff(first)).empty
        second = make(lifecycle, AFTER, b"two", **NEWS)
        comparison = await lifecycle.diff(second)
        assert sorted(list_words(comparison)) == sorted(EXPECTED)
        assert (comparison.revision, comparison.restarts, comparison.unused) == (1, ("api",), ("spool",))
        assert "planted" not in comparison.model_dump_json()
        assert (await lifecycle.find("differs")).revision == 1
        again = await lifecycle.up(second, force_conflicts=True, wait_options=QUICK)
        assert (await lifecycle.diff(second)).empty
        assert await lifecycle.drift(again.identity.guid) == ()

    run_revised(story)


def test_a_diff_undoes_what_was_set_by_hand(run_revised: RunStory) -> None:
    """`up` makes a system what its compose file says, so `diff` tells of replicas and images that differ from it."""

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SHOP, "bent")
        await lifecycle.up(made, wait_options=QUICK)
        changes = {"web": ServiceChange(replicas=3, image="nginx:9"), "db": ServiceChange(env={"LEVEL": "debug"})}
        modification = Modification(labels={"team": "blue"}, services=changes)
        await lifecycle.modify("bent", modification, wait_options=QUICK)
        await lifecycle.stop("bent", ["db"], wait_options=QUICK)
        assert (await lifecycle.history("bent"))[-1].changes == ("db: stopped",)
        assert sorted(list_words(await lifecycle.diff(made))) == [
            "db: environment.LEVEL removed",
            "db: no longer stopped",
            "labels.team removed",
            "web: deploy.replicas 3 → 1",
            "web: image nginx:9 → nginx:1",
        ]

    run_revised(story)


def test_history_tells_what_each_revision_changed(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(make(lifecycle, BEFORE, b"one", **SECRET), wait_options=QUICK)
        await lifecycle.up(make(lifecycle, AFTER, b"two", **NEWS), wait_options=QUICK)
        changes = {"api": ServiceChange(image="shop/api:1.6")}
        await lifecycle.modify("differs", Modification(services=changes), wait_options=QUICK)
        await lifecycle.rollback("differs", 2, wait_options=QUICK)
        history = await lifecycle.history("differs")
        assert (history[0].changes, set(history[1].changes)) == ((), EXPECTED)
        assert history[2].changes == ("api: image shop/api:1.5 → shop/api:1.6",)
        assert history[3].changes == ("api: image shop/api:1.6 → shop/api:1.5",)
        assert "planted" not in "".join(revision.model_dump_json() for revision in history)

    run_revised(story)


def test_a_rollback_tells_what_it_would_change(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        for tag in ("1", "2", "3"):
            await lifecycle.up(compiled(lifecycle, SHOP, "returns", TAG=tag), wait_options=QUICK)
        comparison = await lifecycle.diff_revision("returns")
        assert list_words(comparison) == ["web: image nginx:3 → nginx:2"]
        assert (comparison.revision, comparison.target, comparison.restarts) == (3, 2, ("web",))
        assert list_words(await lifecycle.diff_revision("returns", 1)) == ["web: image nginx:3 → nginx:1"]
        assert (await lifecycle.diff_revision("returns", 3)).empty
        with pytest.raises(NotFound) as error:
            await lifecycle.diff_revision("returns", 9)
        assert error.value.hint == "it has: 1, 2, 3"
        assert (await lifecycle.find("returns")).revision == 3

    run_revised(story)
