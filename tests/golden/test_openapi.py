"""The service's document: a change of it is seen, and nothing that a caller may use goes without a word."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import memory
from tycho.api import create_app

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/openapi.json"
FIRST = ROOT / "tests/golden/openapi-first.txt"
"""Every field of the document of the first version that callers may know."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(create_app(memory()).openapi()))
    return {**made, "info": {**made["info"], "version": ""}}


def test_the_document_is_as_it_was(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("TYCHO_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text


def test_no_field_of_the_first_document_has_gone(document: dict[str, Any]) -> None:
    listed = FIRST.read_text(encoding="utf-8").splitlines()
    assert "post /system/start body.system" in listed
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    gone = sorted(set(listed) - set(list_fields(document)))
    assert [field for field in gone if f"`{field}`" not in changes] == []


def list_fields(document: dict[str, Any]) -> Iterator[str]:
    """List the fields of requests and answers, each with its route."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts = {"body": operation.get("requestBody", {}), **operation["responses"]}
            for part, description in parts.items():
                if content := description.get("content", {}).get("application/json"):
                    yield from _walk(document, content["schema"], f"{method} {path} {part}", ())


def _walk(document: dict[str, Any], schema: dict[str, Any], place: str, inside: tuple[str, ...]) -> Iterator[str]:
    if reference := schema.get("$ref", ""):
        if reference not in inside:
            named = document["components"]["schemas"][reference.rpartition("/")[2]]
            yield from _walk(document, named, place, (*inside, reference))
        return
    for key in ("anyOf", "allOf", "oneOf"):
        for part in schema.get(key, ()):
            yield from _walk(document, part, place, inside)
    for key, below in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(key), dict):
            yield from _walk(document, schema[key], place + below, inside)
    for name, below_schema in schema.get("properties", {}).items():
        yield f"{place}.{name}"
        yield from _walk(document, below_schema, f"{place}.{name}", inside)
