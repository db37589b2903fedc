"""Text that is none is refused once, with its place; what is text passes, and an answer shows nothing that acts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Post, Promise

HALF = "a\ud800b"
PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "image": ({"system": {"services": {"web": {"image": HALF}}}}, "services.web.image"),
    "word": ({"system": {"services": {"web": {"image": "a", "command": ["x", HALF]}}}}, "services.web.command[1]"),
    "key": ({"system": {"services": {"web": {"image": "a", "labels": {HALF: "b"}}}}}, "services.web.labels.a\\ud800b"),
    "service": ({"system": {"services": {HALF: {"image": "a"}}}}, "services.a\\ud800b"),
    "extension": ({"system": {"services": {"web": {"image": "a"}}, "x-a": [{"b": HALF}]}}, "x-a[0].b"),
    "env": ({"system": {"services": {"web": {"image": "a"}}}, "env": {"A": HALF}}, "env.A"),
    "metadata": ({"system": {"services": {"web": {"image": "a"}}}, "services": {"web": {"clients": [HALF]}}},
                 "services.web.clients[0]"),
}  # fmt: skip


def send(http: TestClient, verb: str, body: dict[str, Any]) -> Any:
    """A client's JSON may hold half a pair, which Python's own refuses to send as it is."""
    content = json.dumps({"name": "shop", **body}).encode()
    return http.post(f"/system/{verb}", content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(("body", "path"), PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("verb", ["compile", "start"])
def test_half_a_character_is_refused(
    http: TestClient, promise: Promise, verb: str, body: dict[str, Any], path: str
) -> None:
    answer = send(http, verb, body)
    assert answer.status_code == 422
    promise.kept(answer, f"/system/{verb}")
    assert [problem["path"] for problem in answer.json()["result"]["problems"]] == [path]


@pytest.mark.parametrize("name", [HALF, "\x7f", "a\n"])
def test_names_are_names(http: TestClient, promise: Promise, name: str) -> None:
    answer = send(http, "compile", {"name": name, "system": {"services": {"web": {"image": "a"}}}})
    assert answer.status_code == 422
    promise.kept(answer, "/system/compile")


def test_all_halves_come_at_once(http: TestClient) -> None:
    system = {"services": {"web": {"image": HALF, "command": [HALF], "user": HALF}}}
    problems = send(http, "compile", {"system": system}).json()["result"]["problems"]
    assert {problem["path"] for problem in problems} == {
        f"services.web.{key}" for key in ("image", "command[0]", "user")
    }


@pytest.mark.parametrize("text", ["\x7f", "\x9b", "\ufffe", "\ufeff"])
def test_controls_are_refused_there(post: Post, text: str) -> None:
    """The API server would refuse the object; where it cannot, since it is bytes, the text passes."""
    system = {"services": {"web": {"image": "a", "command": [text]}}}
    answer = post("compile", {"name": "shop", "system": system}, 422).json()
    assert [problem["path"] for problem in answer["result"]["problems"]] == ["services.web.command[0]"]
    kept = {"services": {"web": {"image": "a", "configs": ["c"]}}, "configs": {"c": {"content": text}}}
    files = post("compile", {"name": "shop", "system": kept}, 200).json()["result"]["files"]
    assert "binaryData:" in files["templates/configmaps.yaml"]


@pytest.mark.parametrize("text", ["a\u2028b", "\x07", "\U0001f600", "\u202e", "a\tb\r\n"])
def test_unusual_text_passes(post: Post, text: str) -> None:
    system = {"services": {"web": {"image": "a", "environment": {"A": text}}}}
    post("compile", {"name": "shop", "system": system}, 200)


def test_messages_are_escaped(http: TestClient) -> None:
    """Keys and values of a document come back in messages."""
    system = {"services": {"web": {"image": "a", "\x1b[2J": 1}, "db": {"image": "${X:?\x1b[31mgone}"}}}
    answer = send(http, "compile", {"system": system})
    assert answer.status_code == 422
    assert "\\u001b" not in answer.text
    assert "\\\\x1b[31mgone" in answer.text
