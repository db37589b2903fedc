"""Every route, called with what the document allows and with what it does not: no 5xx, no undocumented answer."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from starlette.testclient import TestClient

from tests.api.conftest import WEB, Promise, memory
from tycho.api import create_app

EXAMPLES = 12  # of each route, allowed and not
DOCUMENT = json.loads(json.dumps(create_app(memory()).openapi()))
OPERATIONS = [operation.ok() for operation in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.label))
def test_a_route_answers_as_documented(
    http: TestClient, promise: Promise, operation: Any, mode: schemathesis.GenerationMode
) -> None:
    http.post("/system/start", json={"name": "shop", "system": WEB})

    @settings(
        max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        database=None,
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def call(case: Any, known: bool) -> None:
        if known and "id" in case.path_parameters:
            case.path_parameters["id"] = "shop"
        names = {"data": "content"}  # as this client calls it
        sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
        try:
            request = http.build_request(**{names.get(k, k): v for k, v in sent.items() if k != "cookies"})
        except (UnicodeError, TypeError, ValueError):  # no client can send it
            return
        answer = http.send(request, stream=True)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):  # which goes on for minutes
            answer.close()
        else:
            answer.read()
        too_late = answer.status_code == 504 and "wait" in request.url.params  # it waited as long as it was told
        assert answer.status_code < 500 or too_late, answer.text
        if request.url.path.count("/") != operation.path.count("/") or request.url.path.endswith("/"):
            return  # an empty or strange id makes it another route
        listed = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
        assert {str(answer.status_code), f"{answer.status_code // 100}XX"} & listed.keys(), answer.status_code
        if answer.headers.get("content-type") == "application/json":
            promise.kept(answer, operation.path, operation.method.lower())

    with contextlib.suppress(Unsatisfiable):  # of a route that takes nothing, nothing can be wrong
        call()
    for system in http.get("/system?limit=1000").json()["result"]["items"]:
        http.delete(f"/system/{system['sid']}?force=true")
