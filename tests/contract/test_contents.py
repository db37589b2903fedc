"""What a system was made of is read back from every orchestrator."""

from __future__ import annotations

import pytest
import yaml

from tests.contract.conftest import ONE, QUICK, Story, compiled
from tycho.errors import NotFound
from tycho.lifecycle import Lifecycle

pytestmark = pytest.mark.xdist_group("cluster")


def test_chart_and_values_are_read_back(told: Story) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        made = compiled(lifecycle, ONE, "reads", TAG="7")
        await lifecycle.up(made, wait_options=QUICK)
        await lifecycle.up(compiled(lifecycle, ONE, "reads", TAG="8"), wait_options=QUICK)
        first, second = await lifecycle.contents("reads", 1), await lifecycle.contents("reads")
        assert (first.revision, second.revision) == (1, 2)
        assert (first.values["variables"]["TAG"], second.values["variables"]["TAG"]) == ("7", "8")
        assert first.compose == made.chart.files["files/compose.yaml"]
        assert first.defaults == yaml.safe_load(str(made.chart.files["values.yaml"]))
        assert [row["path"] for row in first.report] == [
            row.path for row in made.chart.report if row.outcome != "translated"
        ]
        assert second.merged["services"]["web"]["image"] == first.defaults["services"]["web"]["image"]
        with pytest.raises(NotFound) as error:
            await lifecycle.contents("reads", 9)
        assert error.value.hint == "it has: 1, 2"

    told(story)
