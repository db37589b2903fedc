"""Who the clients are to a service: where tokens are found, and over what they travel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.clients import Make, canned, envelope, failure
from tycho.client.credentials import is_private
from tycho.errors import Unauthorized, UsageError
from tycho.settings import settings

PLANTED = "planted-3f9a17"


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets what the process reads of its environment."""

    def set(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield set
    monkeypatch.undo()
    settings.cache_clear()


def sent(make: Make, **options: Any) -> str | None:
    with canned((200, {}, envelope([]))) as (url, seen):
        make(url, **options).status()
    header: str | None = seen[0][2].get("Authorization")
    return header


def test_a_token_is_found_where_it_is_kept(make: Make, variables: Callable[..., None], tmp_path: Path) -> None:
    variables({})
    assert sent(make) is None
    file = tmp_path / "token"
    file.write_text("from-file\n")
    variables({"TYCHO_TOKEN_FILE": str(file)})
    assert sent(make) == "Bearer from-file"
    file.write_text("renewed\n")
    assert sent(make) == "Bearer renewed"
    variables({"TYCHO_TOKEN": "from-variable"})
    assert sent(make) == "Bearer from-variable"
    assert sent(make, token=PLANTED) == f"Bearer {PLANTED}"
    assert sent(make, token="") is None
    for path in ("/var/run/secrets/kubernetes.io/serviceaccount/token", str(tmp_path / "none")):
        variables({"TYCHO_TOKEN": "", "TYCHO_TOKEN_FILE": path})
        with pytest.raises(UsageError, match=r"TYCHO_TOKEN_FILE"):
            make("http://127.0.0.1:9").status()


def test_a_token_is_neither_shown_nor_sent_in_the_open(make: Make) -> None:
    client = make("http://192.0.2.1:5000", token=PLANTED)
    assert PLANTED not in repr(client.client) + repr(vars(client.client))
    for call in (client.status, lambda: list(client.watch("shop"))):
        with pytest.raises(UsageError, match="is not sent unencrypted to") as caught:
            call()
        assert PLANTED not in str(caught.value) + caught.value.hint
    with pytest.raises(UsageError) as caught:
        make("http://127.0.0.1:9", token=f"{PLANTED}\r\nX-Other: 1").status()
    assert PLANTED not in str(caught.value)
    private = {"https://a.example": True, "http://localhost:1": True, "http://[::1]:1": True, "http://127.0.0.2": True,
               "http://localhost.example": False, "http://10.0.0.1": False, "http://[::1": False}  # fmt: skip
    assert {url: is_private(url) for url in private} == private


def test_a_borrowed_token_is_renewed_once(make: Make) -> None:
    asked: list[bool] = []

    def borrow(refused: bool) -> str:
        asked.append(refused)
        return "second" if refused else "first"

    with canned((401, {}, failure("Unauthorized")), (200, {}, envelope([]))) as (url, seen):
        assert make(url, borrow=borrow).status().status == "success"
    assert [headers["Authorization"] for _, _, headers in seen] == ["Bearer first", "Bearer second"]
    assert asked == [False, True]
    with canned(*[(401, {}, failure("Unauthorized"))] * 2) as (url, _):
        assert isinstance(make(url, borrow=borrow).status().error, Unauthorized)
