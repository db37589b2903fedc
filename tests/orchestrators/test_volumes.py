"""Claims that an earlier chart made stay mounted whole, on a real cluster; new ones show containers a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.errors import Forbidden
from tycho.kinds import CLAIM
from tycho.kube.client import KubeClient
from tycho.lifecycle import Lifecycle
from tycho.orchestrators import Instance
from tycho.orchestrators.helm import volumes
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")
VOLUMES = {"data": {}, "other": {}}
BINDS = ["data:/data", "/anonymous"]
SERVICES: dict[str, Any] = {
    **web(volumes=BINDS),
    "db": {"image": "postgres:16", "volumes": ["other:/other"], "x-tycho": {"kind": "StatefulSet"}},
}


def folders(kubectl: Kubectl, identity: Identity) -> dict[str, str]:
    """What containers see of each volume, by where they see it."""
    listed = json.loads(kubectl("get", "deployments,statefulsets", "-n", identity.namespace, "-o", "json"))["items"]
    return {
        mount["mountPath"]: mount.get("subPath", "")
        for obj in listed
        for container in obj["spec"]["template"]["spec"]["containers"]
        for mount in container.get("volumeMounts", ())
    }


@pytest.mark.parametrize("own", [True, False], ids=["own namespace", "shared namespace"])
def test_new_claims_stay_as_they_are(tell: Any, shared: str, kubectl: Kubectl, own: bool) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        chosen = SERVICES if own else web(volumes=BINDS)
        first = await lifecycle.up(compiled(lifecycle, chosen, "fresh", volumes=VOLUMES), wait_options=QUICK)
        before = folders(kubectl, first.identity)
        assert set(before.values()) == {"data"}
        again = await lifecycle.up(compiled(lifecycle, chosen, "fresh", volumes=VOLUMES), wait_options=QUICK)
        assert "up to date" in again.notes[0]
        changed = {**chosen, **web("2", volumes=BINDS)}
        await lifecycle.up(compiled(lifecycle, changed, "fresh", volumes=VOLUMES), wait_options=QUICK)
        assert folders(kubectl, first.identity) == before

    tell(story, "" if own else shared)


def test_claims_of_an_earlier_chart_are_mounted_whole(tell: Any, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        first = await lifecycle.up(compiled(lifecycle, SERVICES, "earlier", volumes=VOLUMES), wait_options=QUICK)
        space, release = first.identity.namespace, first.identity.release
        for claim in (f"{release}-data", f"other-{release}-db-0"):
            kubectl("annotate", "pvc", claim, "-n", space, "tycho.dev/sub-path-")
        changed = {**SERVICES, **web("2", volumes=[*BINDS, "new:/new"])}
        system = compiled(lifecycle, changed, "earlier", volumes={**VOLUMES, "new": {}})
        await lifecycle.up(system, wait_options=QUICK)
        assert folders(kubectl, first.identity) == {"/data": "", "/other": "", "/anonymous": "data", "/new": "data"}
        again = await lifecycle.up(system, wait_options=QUICK)  # it stands in the values, and is found again
        assert "up to date" in again.notes[0]

    tell(story)


def test_what_helm_stored_says_it_too(
    tell: Any, shared: str, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path
) -> None:
    """For who may not list claims, the manifest of the last revision knows them."""
    kubectl("create", "serviceaccount", "ned", "-n", shared)
    kubectl("create", "role", "ned", "-n", shared, "--verb=get,list", "--resource=secrets")
    kubectl("create", "rolebinding", "ned", "-n", shared, "--role=ned", f"--serviceaccount={shared}:ned")
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "ned", "-n", shared)
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    way = tmp_path / "config"
    way.write_text(json.dumps(config))

    async def story(lifecycle: Lifecycle) -> None:
        services, limited = web(volumes=BINDS), KubeClient(str(way))
        made = compiled(lifecycle, services, "stored", volumes={"data": {}})
        chart = made.artifact
        earlier = {
            "dns": {"scope": "release"}, "persistence": {"data": {"subPath": ""}},
            "commonLabels": {"tycho-guid": "5" * 32},
        }  # fmt: skip
        identity = Identity(
            name="stored", release="stored", namespace=shared, guid="5" * 32, username="ned", own_namespace=False
        )
        instance = Instance(identity, made.policy_result.system, wait_options=QUICK)
        await lifecycle.orchestrator.run(chart, instance, earlier)  # type: ignore[attr-defined]  # Helm's alone
        try:
            with pytest.raises(Forbidden):
                await limited.list(CLAIM.path(shared))
            assert await volumes.find_whole_claims(limited, chart, identity) == ["data"]
        finally:
            limited.close()

    tell(story, shared)


def test_volumes_that_start_empty_are_told(tell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        monkeypatch.setattr(volumes, "IMAGE_VOLUMES_SINCE", "9.9")
        release = await lifecycle.up(compiled(lifecycle, SERVICES, "empty", volumes=VOLUMES), wait_options=QUICK)
        assert any(note.startswith("new volumes start empty: Kubernetes 1.") for note in release.notes)

    tell(story)
