"""Whoever has the cluster's role `edit` in one namespace, and nothing else, starts systems there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl
from tycho.compose import Sources
from tycho.errors import Forbidden
from tycho.lifecycle import Lifecycle

pytestmark = pytest.mark.xdist_group("cluster")
SHOP = Path(__file__).parents[2] / "examples" / "shop"
JOB = {
    "web": {"image": "x", "depends_on": {"job": {"condition": "service_completed_successfully"}}},
    "job": {"image": "x", "restart": "no"},
}


@pytest.fixture
def editor(shared: str, kubectl: Kubectl, tmp_path: Path) -> Path:
    """The kubeconfig of an account with the role `edit` in a namespace."""
    kubectl("create", "serviceaccount", "ed", "-n", shared)
    kubectl("create", "rolebinding", "ed", "-n", shared, "--clusterrole=edit", f"--serviceaccount={shared}:ed")
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "ed", "-n", shared)
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    return path


def test_the_shop(tell: Callable[..., Any], shared: str, editor: Path) -> None:
    """It starts, is upgraded, rolled back and removed; three services wait for each other."""

    async def story(lifecycle: Lifecycle) -> None:
        def shop(**env: str) -> Any:
            return lifecycle.compile(Sources.from_disk([str(SHOP / "compose.yaml")], env=env, name="shop"))

        first = await lifecycle.up(shop(), wait_options=QUICK)
        assert first.ready
        second = await lifecycle.up(shop(API_REPLICAS="1"), wait_options=QUICK)
        assert (second.revision, second.ready) == (2, True)
        back = await lifecycle.rollback(first.identity.guid, 1, wait_options=QUICK)
        assert (back.revision, back.ready) == (3, True)
        await lifecycle.down([first.identity.guid], wait_options=QUICK, each=lambda removal: None)
        assert await lifecycle.status() == []

    tell(story, shared, kubeconfig=editor)


def test_what_is_not_allowed_is_said_before_anything_is_made(
    tell: Callable[..., Any], shared: str, editor: Path, kubectl: Kubectl
) -> None:
    """With the manifest that an administrator applies once; after that it works."""

    async def story(lifecycle: Lifecycle) -> None:
        def waiting() -> Any:
            return lifecycle.compile(Sources.from_document({"services": JOB}, env={}, name="waits"))

        with pytest.raises(Forbidden, match="create roles, rolebindings") as refused:
            await lifecycle.up(waiting(), wait_options=QUICK)
        assert kubectl("get", "deployments,jobs,services,secrets,leases", "-n", shared, "-o", "name") == ""
        (manifest,) = re.findall(r"<<< '(.*)'", str(refused.value.hint))
        kubectl("apply", "-f", "-", input=manifest)
        release = await lifecycle.up(waiting(), wait_options=QUICK)
        assert release.ready
        pods = json.loads(kubectl("get", "deployments", "-n", shared, "-o", "json"))["items"]
        assert [pod["spec"]["template"]["spec"]["serviceAccountName"] for pod in pods] == ["tycho-wait"]
        assert "-wait" not in kubectl("get", "roles", "-n", shared, "-o", "name").replace("tycho-wait", "")

    tell(story, shared, kubeconfig=editor)
