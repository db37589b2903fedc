"""What portals that were made for the first Tycho send, and what they read of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Post, Service, serving
from tycho.client import TychoClient
from tycho.client.answers import TychoService
from tycho.client.requests import without_tokens
from tycho.settings import settings

WEB: dict[str, Any] = {"services": {"web": {"image": "nginx:1", "ports": ["80"], "conn_string": "/lab?reset"}}}
PRINCIPAL = {"username": "ada@b.org", "host": "portal", "access_token": "at-1234", "refresh_token": "rt-1234"}
START = {"name": "notebook", "system": WEB, "principal": json.dumps(PRINCIPAL)}
PATIENT = {"services": {"web": {"image": "nginx:1", "volumes": ["TYCHO_NFS/home:/home"]}}}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The command over an orchestrator in memory, as an operator sets it up for a portal."""
    given = {"TYCHO_API_SERVICE_ACCOUNTS": "notebook, spark", "TYCHO_NFS_CLAIM": "stdnfs"}
    with serving("-b", "memory", "--debug", **given) as server:
        yield server


def test_the_principal_is_who_asks_and_its_tokens_are_nowhere(post: Post) -> None:
    started = post("start", START).json()
    (system,) = post("status", {"username": "ada@b.org"}).json()["result"]
    values = post("compile", {key: START[key] for key in ("name", "system")}).json()
    for answer in (started, system, values):
        assert "1234" not in json.dumps(answer)
    assert system["username"] == "ada@b.org"
    assert post("status", {"username": "eve"}).json()["result"] == []


@pytest.mark.parametrize(
    ("username", "principal", "owner"),
    [
        ("eve", json.dumps(PRINCIPAL), "eve"),
        ("", json.dumps(PRINCIPAL), "ada@b.org"),
        ("", "at-1234", ""),
        ("", "[" * 5000, ""),
        ("", json.dumps({"username": "a\nb"}), ""),
        ("", json.dumps({"username": 7}), ""),
    ],
    ids=["another name", "principal", "token", "depth", "line", "number"],
)
def test_a_name_that_is_given_counts(post: Post, username: str, principal: str, owner: str) -> None:
    post("start", {**START, "username": username, "principal": principal})
    (system,) = post("status", {}).json()["result"]
    assert system["username"] == owner


def test_a_client_sends_no_tokens() -> None:
    sent = without_tokens(START)
    assert json.loads(sent["principal"]) == {"username": "ada@b.org"}
    assert "principal" not in without_tokens({**START, "principal": "at-1234"})
    assert without_tokens({"principal": PRINCIPAL}) == {"principal": '{"username": "ada@b.org"}'}


def test_nothing_of_a_principal_is_logged(service: Service) -> None:
    with TychoClient(service.url) as client:
        assert client.start(START).status == "success"
    assert "1234" not in "".join(service.log)


def test_the_fields_that_portals_read(post: Post) -> None:
    started = post("start", START).json()["result"]
    assert started["conn_string"] == "/lab?reset"
    (system,) = post("status", {}).json()["result"]
    assert system["app_id"] == started["name"] == f"notebook-{started['sid']}"
    assert (system["workspace_name"], system["conn_string"]) == ("notebook", "/lab?reset")
    post("modify", {"tycho-guid": started["sid"], "labels": {"app-name": "Analysis"}})
    assert post("status", {}).json()["result"][0]["workspace_name"] == "Analysis"


def test_a_system_without_the_dialect_has_no_such_names(post: Post) -> None:
    post("start", {"name": "shop", "system": {"services": {"web": {"image": "nginx:1"}}}})
    (system,) = post("status", {}).json()["result"]
    assert (system["workspace_name"], system["conn_string"]) == ("", "")


def test_an_account_that_the_operator_lists(service: Service) -> None:
    with TychoClient(service.url) as client:
        system = client.start({**START, "serviceaccount": "spark"})
        defaults = client.values(system.identifier)["defaults"]
        assert (defaults["serviceAccountName"], defaults["automountServiceAccountToken"]) == ("spark", True)
        for name in ("default", ""):
            plain = client.start({**START, "serviceaccount": name})
            assert "serviceAccountName" not in client.values(plain.identifier).get("defaults", {})
        refused = client.start({**START, "serviceaccount": "cluster-admin"}).error
        assert refused
        assert refused.http_status == 403
        assert "it lists notebook, spark" in refused.hint


def test_the_operators_claim_is_what_nfs_means(service: Service, post: Post) -> None:
    with TychoClient(service.url) as client:
        system = client.start({"name": "files", "system": PATIENT, "env": {"TYCHO_NFS_CLAIM": "somebody-elses"}})
        assert system.status == "success", system.message
        assert client.values(system.identifier)["variables"] == {"TYCHO_NFS_CLAIM": "stdnfs"}
    assert settings().nfs_claim == ""
    answer = post("start", {"name": "files", "system": PATIENT}, 422).json()
    assert "no setting says which claim TYCHO_NFS is" in answer["message"]


def test_the_clients_words_of_a_change(service: Service) -> None:
    with TychoClient(service.url) as client:
        guids = [client.start(START).identifier for _ in range(2)]
        change = {"labels": {"app-name": "Two"}, "cpu": "250m", "memory": "128Mi"}
        assert client.modify({"tycho-guid": guids[0], **change}).result["patches"]
        for answer in client.patch([{"tycho-guid": guid, "cpu": "500m"} for guid in guids]):
            assert [patch["value"] for patch in answer.result["patches"]][-1] == "500m"
        (row,) = client.status({"name": guids[0]}).services
        assert (row.workspace_name, row.app_id) == ("Two", f"notebook-{guids[0]}")


def test_the_sum_of_what_is_used() -> None:
    used = {"web": {"cpu": "500m", "memory": "4Gi", "nvidia.com/gpu": "1", "ephemeral-storage": "5Gi"}, "db": {}}
    service = TychoService({"name": "notebook", "utilization": {**used, "files": {"cpu": "1", "memory": "128974848"}}})
    expected = {"cpu": 1500, "gpu": 1000, "memory": "4.42", "ephemeralStorage": "5.37"}
    assert service.total_util == expected
    assert TychoService({"name": "notebook"}).total_util["cpu"] == 0
