"""What a system was made of is read back from every orchestrator."""

from __future__ import annotations

import pytest
import yaml

from tests.contract.conftest import QUICK, SHOP, RunStory, compiled
from tycho.errors import ComposeError, NotFound
from tycho.lifecycle import Lifecycle

pytestmark = pytest.mark.xdist_group("cluster")


def test_chart_and_values_are_read_back(run_revised: RunStory) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, SHOP, "reads", TAG="7")
        await lifecycle.up(made, wait_options=QUICK)
        await lifecycle.up(compiled(lifecycle, SHOP, "reads", TAG="8"), wait_options=QUICK)
        first, second = await lifecycle.contents("reads", 1), await lifecycle.contents("reads")
        assert (first.revision, second.revision) == (1, 2)
        assert (first.values["variables"]["TAG"], second.values["variables"]["TAG"]) == ("7", "8")
        assert first.compose == made.artifact.files["files/compose.yaml"]
        assert first.defaults == yaml.safe_load(str(made.artifact.files["values.yaml"]))
        assert [row["path"] for row in first.report] == [
            row.path for row in made.artifact.report if row.outcome != "translated"
        ]
        assert second.merged["services"]["web"]["image"] == first.defaults["services"]["web"]["image"]
        files = await lifecycle.chart("reads", 1)
        assert files["files/compose.yaml"].decode() == first.compose
        assert yaml.safe_load(files["values.yaml"]) == first.defaults
        assert yaml.safe_load(files["Chart.yaml"])["name"] == "reads"
        with pytest.raises(NotFound) as error:
            await lifecycle.contents("reads", 9)
        assert error.value.hint == "it has: 1, 2"

    run_revised(story)


ABSENT = {
    "services": {"web": {"image": "nginx:1", "configs": ["a", "b", "c"], "secrets": ["d", "e"]}},
    "configs": {"a": {"file": "./a.conf"}, "b": {"environment": "B"}, "c": {"content": "x"}, "unused": {"file": "u"}},
    "secrets": {"d": {"file": "/d"}, "e": {"environment": "E"}},
}


def test_what_has_no_content_is_not_started(run_revised: RunStory) -> None:
    """As in Docker Compose; a chart is made, for who installs it may bring the content."""

    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, ABSENT, "lacks")
        for start in (lifecycle.up(made, wait_options=QUICK), lifecycle.diff(made)):
            with pytest.raises(ComposeError, match="4 problems") as error:
                await start
            assert [(problem.path, problem.message) for problem in error.value.problems] == [
                ("configs.a.file", "./a.conf: no such file"),
                ("configs.b.environment", "the variable B is not set"),
                ("secrets.d.file", "/d: no such file"),
                ("secrets.e.environment", "the variable E is not set"),
            ]
        odd = compiled(lifecycle, {"services": {"web": {"image": "nginx:${TAG}"}}}, "lacks", TAG="a b")
        with pytest.raises(ComposeError, match="1 problem") as error:
            await lifecycle.up(odd, wait_options=QUICK)
        assert error.value.problems[0].message.startswith('"nginx:a b" is not a valid image')
        assert not [release for release in await lifecycle.status() if release.identity.name == "lacks"]

    run_revised(story)
