"""Work that nobody needs is not done: it is counted here, for a clock would tell another thing each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tycho import data_folders
from tycho.chart.render import environment
from tycho.chart.yaml_writer import dump
from tycho.compose import Sources, load
from tycho.policy.normalize import normalize

TEMPLATES = sorted(path.name for path in (data_folders.templates() / "templates").glob("*.j2"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_part_of_a_template_is_looked_up_while_it_is_rendered(name: str) -> None:
    engine = environment()
    assert engine.loader is not None
    source, _, _ = engine.loader.get_source(engine, f"templates/{name}")
    assert "get_template" not in str(engine.compile(source, raw=True))


class Counted(list[str]):
    """A list that counts the entries that were asked for."""

    asked = 0

    def __iter__(self) -> Iterator[str]:
        """Yield each entry, counted."""
        for entry in super().__iter__():
            self.asked += 1
            yield entry


def test_what_has_no_room_in_a_line_is_not_written_to_its_end_to_find_that_out() -> None:
    entries = Counted(["a-word-of-some-forty-characters-in-all-so"] * 30)
    assert dump({"words": entries}).count("\n") == 31
    assert entries.asked <= 30 + 3


def test_services_that_are_spelled_already_are_not_looked_at_again() -> None:
    text = "name: x\nservices: {web: {image: x, cap_add: [cap_chown]}}"
    system = load(Sources.from_document(text, env={}))
    spelled = normalize(system)
    assert spelled.services["web"].cap_add == ("CHOWN",)
    assert normalize(system, known=system) is system
