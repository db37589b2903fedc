"""The service's own document: what FastAPI makes of the routes, and what holds for all of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from tycho.api.correlation import HEADER
from tycho.api.responses import ProblemDetails

SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token; a service on loopback may ask for none."}
}
REQUEST_ID = {"description": "The request's id, for the log.", "schema": {"type": "string"}}
ENVELOPE = {"schema": {"$ref": "#/components/schemas/Envelope_Failure_"}}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}


def declare(app: FastAPI) -> None:
    """Have an app's document say what holds for every route."""
    make = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(make())
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI's documentation has it


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add to a document its security, the form of errors, and the header that every answer has."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = SECURITY
    document["security"] = [{}, {"bearer": []}]
    _, definitions = models_json_schema(
        [(ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}"
    )
    components["schemas"] = definitions["$defs"] | components.get("schemas", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status[0] in "45":  # FastAPI takes the form of an error for that of the route's answer
                    answer["content"] = {"application/json": ENVELOPE, **PROBLEM}
                answer.setdefault("headers", {})[HEADER] = REQUEST_ID
    return document
