"""Where images are pushed to, and what they are called there."""

from __future__ import annotations

import pytest

from tycho.building import BuildTarget, name_pushed, read_prefix
from tycho.errors import UsageError


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("localhost:5000/team", "localhost:5000/team"),
        ("localhost:5000/team/", "localhost:5000/team"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]:5000/team", "[::1]:5000/team"),
        ("registry.example.org/a/b_c/d-e", "registry.example.org/a/b_c/d-e"),
        ("team", "team"),
    ],
)
def test_a_prefix(text: str, prefix: str) -> None:
    assert read_prefix(text) == prefix


@pytest.mark.parametrize(
    "text",
    ["https://localhost:5000", "oci://host/path", "host/Path", "host/a:1", "host/a@b", "host//a", "/a", " ", "a b"],
)
def test_no_prefix(text: str) -> None:
    with pytest.raises(UsageError, match="is no place for images") as caught:
        read_prefix(text)
    assert "localhost:5000/team" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "prefix", "reference"),
    [
        ("shop-web", "localhost:5000/team", "localhost:5000/team/shop-web:latest"),
        ("acme/web:1.2", "localhost:5000/team", "localhost:5000/team/web:1.2"),
        ("ghcr.io/acme/web", "localhost:5000", "localhost:5000/web:latest"),
        ("localhost:5000/team/deep/web:2", "localhost:5000/team", "localhost:5000/team/deep/web:2"),
        ("team/web", "team", "team/web:latest"),
    ],
)
def test_a_name_below_a_prefix(name: str, prefix: str, reference: str) -> None:
    assert name_pushed([BuildTarget(name, ("web",), ("web",))], prefix) == {name: reference}


def test_two_images_of_one_name_are_refused() -> None:
    targets = [BuildTarget(name, ("web",), ("web",)) for name in ("a/app:1", "b/app:1", "b/app:2")]
    with pytest.raises(UsageError, match="a/app:1 and b/app:1 have one name in the registry: host/app:1"):
        name_pushed(targets, "host")
