"""What one service says changes no other's objects in kind: each hangs on what its own service says.

But for one thing: a name that is called by others, at a port, has an address that stays.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from tycho.chart import emit
from tycho.compose import Sources, load
from tycho.policy import apply_policies

NAMES = ("a", "b", "c")
TEXT = st.lists(st.sampled_from(["http://a:8000/", "redis://b:6379", "c:5432", "join a", "plain"]), max_size=3)
SAYING = st.fixed_dictionaries(
    {"command": TEXT, "environment": TEXT.map(lambda texts: {f"V{i}": text for i, text in enumerate(texts)})},
    optional={"healthcheck": TEXT.map(lambda texts: {"test": ["CMD", "check", *texts]})},
)
BEING = st.fixed_dictionaries(
    {},
    optional={
        "expose": st.just(["9000"]),
        "ports": st.just(["8080:80"]),
        "restart": st.sampled_from(["no", "always"]),
        "networks": st.just({"default": {"aliases": ["other-name"]}}),
        "deploy": st.sampled_from([{"mode": "global"}, {"endpoint_mode": "dnsrr"}, {"replicas": 2}]),
    },
)
SERVICE = st.tuples(BEING, SAYING).map(lambda parts: {"image": "x", **parts[0], **parts[1]})


def list_kinds(services: dict[str, Any]) -> dict[str, set[str]]:
    """The files of each service's objects."""
    sources = Sources.from_document({"services": services}, env={}, name="one")
    kinds: dict[str, set[str]] = {name: set() for name in services}
    for path in emit(apply_policies(load(sources))).files:
        owner = path.removeprefix("templates/").partition("-")[0]
        if owner in kinds and path.startswith("templates/"):
            kinds[owner].add(path)
    return kinds


@settings(max_examples=40)
@given(services=st.fixed_dictionaries(dict.fromkeys(NAMES, SERVICE)), speaker=st.sampled_from(NAMES), changes=SAYING)
def test_what_others_say(services: dict[str, Any], speaker: str, changes: dict[str, Any]) -> None:
    """Another command, environment or health check of one; and the same service removed."""
    others = {name: kinds for name, kinds in list_kinds(services).items() if name != speaker}
    speaking = {**services, speaker: {**services[speaker], **changes}}
    left = {name: service for name, service in services.items() if name != speaker}
    assert {name: kinds for name, kinds in list_kinds(speaking).items() if name != speaker} == others
    assert list_kinds(left) == others
