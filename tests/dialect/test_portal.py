"""What neighbours of a portal find at its systems, on a real API server: labels, variables, fields of a status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, kubectl, shared, tell
from tycho.compose import Sources
from tycho.lifecycle import Lifecycle
from tycho.ownership import Caller
from tycho.urls import read_options
from tycho.wire import to_system

__all__ = ["kubectl", "shared", "tell"]  # fixtures

pytestmark = pytest.mark.xdist_group("cluster")
NOTEBOOK = """
services:
  web:
    image: nginx:1.27
    env: [LEVEL=debug, USER=me]
    conn_string: /lab
    deploy: {resources: {limits: {cpus: "0.5", memory: 64Mi, ephemeralStorage: 1Gi}, reservations: {cpus: "0.1"}}}
"""
PLAIN = "services: {web: {image: nginx:1.27}}"
PORTAL = {"name", "app-name", "original-app-name", "tycho-app-id", "reaper-label"}


def pod(kubectl: Kubectl, space: str) -> dict[str, Any]:
    """The template of the pods of the one workload."""
    (workload,) = json.loads(kubectl("get", "deployments", "-n", space, "-o", "json"))["items"]
    template: dict[str, Any] = workload["spec"]["template"]
    return template


def sources(text: str) -> Sources:
    return Sources.from_document(text, env={}, name="notebook")


def test_labels_and_fields(tell: Any, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        compiled = lifecycle.compile(sources(NOTEBOOK))
        release = await lifecycle.up(compiled, caller=Caller("a@b.org"), wait_options=QUICK)
        full = f"notebook-{release.identity.guid}"
        labels = pod(kubectl, shared)["metadata"]["labels"]
        assert {name: labels[name] for name in (*PORTAL, "executor", "tycho-guid", "username")} == {
            "name": full,
            "app-name": "notebook",
            "original-app-name": "notebook",
            "tycho-app-id": full,
            "reaper-label": "true",
            "executor": "tycho",
            "tycho-guid": release.identity.guid,
            "username": "a-b.org-5b26064bbe849dabc6e3",
        }
        system = to_system(release)
        assert (system.app_id, system.workspace_name, system.conn_string) == (full, "notebook", "/lab")
        assert system.utilization == {"web": {"cpu": "500m", "memory": "64Mi", "ephemeral-storage": "1Gi"}}
        assert [to_system(each).workspace_name for each in await lifecycle.status()] == ["notebook"]

    tell(story, shared)


def test_other_files_get_no_such_labels(tell: Any, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        release = await lifecycle.up(lifecycle.compile(sources(PLAIN)), caller=Caller("ada"), wait_options=QUICK)
        labels = pod(kubectl, shared)["metadata"]["labels"]
        assert not labels.keys() & PORTAL
        assert {"executor", "tycho-guid", "username"} <= labels.keys()
        assert (to_system(release).workspace_name, to_system(release).conn_string) == ("", "")

    tell(story, shared)


def test_variables_of_the_shipped_policy(tell: Any, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        lifecycle.policies = (Path("portal"),)
        compiled = lifecycle.compile(sources(NOTEBOOK))
        release = await lifecycle.up(compiled, caller=Caller("$(HOME)@b.org"), wait_options=QUICK)
        listed = pod(kubectl, shared)["spec"]["containers"][0]["env"]
        assert {entry["name"]: entry["value"] for entry in listed} == {
            "GUID": release.identity.guid,
            "LEVEL": "debug",
            "USER": "me",
            "USER_NAME": "$$(HOME)@b.org",
        }

    tell(story, shared)


def test_variables_of_a_url(tell: Any, shared: str, kubectl: Kubectl) -> None:
    text = """
services:
  web: {image: nginx:1.27, ports: ["80"], environment: {FB_BASEURL: /mine}, proxy_rewrite: {enabled: true}}
  db: {image: postgres:16}
"""
    template = {
        "TYCHO_URL_TEMPLATE": "https://apps.example.org/private/{user}/{name}/{guid}/",
        "TYCHO_URL_CLASS": "nginx",
    }

    async def story(lifecycle: Lifecycle) -> None:
        lifecycle.policies, lifecycle.urls = (Path("portal"),), read_options(template)
        release = await lifecycle.up(lifecycle.compile(sources(text)), caller=Caller("ada"), wait_options=QUICK)
        prefix = f"/private/ada/notebook/{release.identity.guid}"
        listed = json.loads(kubectl("get", "deployments", "-n", shared, "-o", "json"))["items"]
        env = {
            workload["metadata"]["annotations"]["tycho.dev/service"]: {
                entry["name"]: entry["value"]
                for entry in workload["spec"]["template"]["spec"]["containers"][0].get("env", ())
            }
            for workload in listed
        }
        known = {"GUID": release.identity.guid, "USER": "ada", "USER_NAME": "ada", "HOST": "apps.example.org"}
        url = {"TYCHO_URL": f"https://apps.example.org{prefix}/", "TYCHO_PATH": prefix}
        assert env == {"web": {**known, **url, "NB_PREFIX": prefix, "FB_BASEURL": "/mine"}, "db": known}
        (ingress,) = json.loads(kubectl("get", "ingress", "-n", shared, "-o", "json"))["items"]
        assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/rewrite-target"] == "/$2"

    tell(story, shared)
