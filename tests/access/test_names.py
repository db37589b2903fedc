"""Names of any kind as labels that no two of them share; scopes, limits and headers that name them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tycho.access import Limits, Proxy, Scope, Subject, TooFast
from tycho.access.proxy import read_networks
from tycho.access.subject import Place
from tycho.errors import Unauthorized, UsageError
from tycho.usernames import is_hashed, real_name, same_user, user_label, user_namespace

NAMES = st.text(min_size=1, max_size=256)


@given(NAMES, NAMES)
def test_no_two_names_share_a_label(user: str, other: str) -> None:
    for name in (user, other):
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", user_label(name))
        assert user_label(user_label(name)) == user_label(name)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", user_namespace(name))
    if user != other and not (is_hashed(user) or is_hashed(other)):
        assert user_label(user) != user_label(other)


def test_a_name_that_looks_like_the_label_of_another_is_nobodys() -> None:
    label = user_label("a@b.org")
    assert label.startswith("a-b.org-")
    assert not same_user("a-b.org", "a@b.org")
    for name in (label, "", " ada", "a\nb", "x" * 257):
        with pytest.raises(Unauthorized):
            Subject(name, "proxy")


def test_an_annotation_is_believed_where_the_label_agrees() -> None:
    assert real_name(user_label("a@b.org"), "a@b.org") == "a@b.org"
    assert real_name("eve", "a@b.org") == "eve"


def test_scopes_allow_what_they_say() -> None:
    me, own, lab = "ada", Place("ada"), Place("bob", "lab-7")
    assert Scope.parse("systems:*").allows("delete", lab, me)
    assert not Scope.parse("systems:*!user=me").allows("delete", lab, me)
    assert Scope.parse("systems:start!user=me").allows("start", own, me)
    assert not Scope.parse("systems:start!user=me").allows("delete", own, me)
    assert Scope.parse("systems:logs!user=bob!namespace=lab-*").allows("logs", lab, me)
    assert not Scope.parse("systems:start!namespace=lab-*").allows("start", own, me)


def test_a_bucket_fills_by_the_clock_and_there_are_only_so_many() -> None:
    now = [0.0]
    limits = Limits(2, lambda: now[0], callers=2)
    for _ in range(4):
        limits.take("ada")
    with pytest.raises(TooFast) as caught:
        limits.take("ada")
    assert caught.value.seconds == 1
    limits.take("bob")
    now[0] = 0.5
    limits.take("ada")
    limits.take("eve")
    assert len(limits._buckets) == 2


def test_a_proxy_is_believed_from_where_it_is() -> None:
    proxy = Proxy("X-Remote-User", read_networks(["10.0.0.0/8", "fd00::/8"]))
    trusted = ["10.1.2.3", "fd00::1", "::ffff:10.0.0.1"]
    assert [address for address in [*trusted, "11.0.0.1", "", "unix", "::1"] if proxy.trusts(address)] == trusted
    with pytest.raises(Unauthorized, match="twice"):
        proxy.read([(b"x-remote-user", b"ada"), (b"X-Remote-User", b"eve")])
    for hostile in (b"", b" ada", b"a\x00b", b"\xff", "a\u2028b".encode(), b"x" * 257):
        with pytest.raises(Unauthorized):
            proxy.read([(b"x-remote-user", hostile)])
    spelled = [(name, b"eve") for name in (b"x-remote-user", b"X_Remote_User", b"x-remote_user", b"XREMOTEUSER")]
    assert proxy.strip([*spelled, (b"host", b"h")]) == [(b"host", b"h")]
    assert proxy.read(spelled[1:]) is None


@pytest.mark.parametrize("text", ["10.0.0.1/8", "any", "", "10.0.0.0/33"])
def test_what_is_no_range_of_addresses(text: str) -> None:
    with pytest.raises(UsageError):
        read_networks([text])
