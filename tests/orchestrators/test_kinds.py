"""What is known of kinds of objects, beside what a real API server says of them, and what becomes of their objects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.errors import OrchestratorError
from tycho.kinds import KINDS, POD, WORKLOADS, Maker, Readiness, RemovalTime
from tycho.kube.client import KubeClient
from tycho.kube.rollout import COUNTS
from tycho.lifecycle import Lifecycle
from tycho.orchestrators.helm import prune, snapshots, workloads
from tycho.orchestrators.helm.restart import ONCE
from tycho.orchestrators.helm.view_lists import ClusterLists
from tycho.orchestrators.helm.volumes import MERGE
from tycho.release import Identity

pytestmark = pytest.mark.xdist_group("cluster")
SAMPLES = {
    sample["object"]["kind"]: sample
    for sample in yaml.safe_load(Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8"))
}
REFUSAL = r"immutable|[Ff]orbidden|may not change|cannot change|can only be modified in tandem"
Tell = Callable[..., Any]
SWEPT = {name for name, kind in KINDS.items() if kind.removal is RemovalTime.ABSENCE}
KEPT = {name for name, kind in KINDS.items() if kind.removal is RemovalTime.DOWN}
GATEWAY = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "httproutes.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, of a test"},
    },
    "spec": {
        "group": "gateway.networking.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "HTTPRoute", "plural": "httproutes", "singular": "httproute"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
"""What a cluster with the Gateway API has, as far as a path goes."""


@pytest.fixture(scope="module")
def gateway(kubectl: Kubectl) -> Iterator[None]:
    kubectl("apply", "-f", "-", input=json.dumps(GATEWAY))
    kubectl("wait", "--for=condition=Established", f"crd/{GATEWAY['metadata']['name']}")  # type: ignore[index]
    yield
    kubectl("delete", "crd", GATEWAY["metadata"]["name"])  # type: ignore[index]


@pytest.fixture
def api(kubeconfig: Path, gateway: None) -> Iterator[KubeClient]:
    api = KubeClient(str(kubeconfig))
    yield api
    api.close()


def stray(kind: str, release: str) -> dict[str, Any]:
    """An object of a release that no revision has."""
    labels = {"app.kubernetes.io/instance": release, "executor": "tycho"}
    metadata = {"name": "stray", "labels": labels, "annotations": {"tycho.dev/service": f"stray-{kind}"}}
    return {**SAMPLES[kind]["object"], "metadata": metadata}


def test_paths_are_those_that_the_server_serves(kubectl: Kubectl, gateway: None) -> None:
    for kind in KINDS.values():
        served = json.loads(kubectl("get", "--raw", f"/{'apis' if kind.group else 'api'}/{kind.api_version}"))
        assert served["groupVersion"] == kind.api_version
        assert kind.name in [entry["kind"] for entry in served["resources"] if entry["name"] == kind.plural], kind


def test_every_kind_of_a_release_has_a_sample() -> None:
    assert set(SAMPLES) == {name for name, kind in KINDS.items() if kind.removal is not RemovalTime.NEVER}
    assert {name for name, kind in KINDS.items() if kind.maker is Maker.CHART} <= set(SAMPLES)


def test_every_workload_is_counted_and_restarted_or_not() -> None:
    assert set(COUNTS) == set(Readiness) == {kind.readiness for kind in WORKLOADS.values()}
    assert set(ONCE) == {name for name, kind in WORKLOADS.items() if not kind.keeps_running}


def test_fixed_fields_are_those_that_the_server_refuses(shared: str, api: KubeClient) -> None:
    async def story() -> None:
        for name, sample in SAMPLES.items():
            kind, changes = KINDS[name], sample.get("fixed", {})
            assert set(changes) == {field.path for field in kind.fixed}, name
            await api.create(kind.path(shared), stray(name, "fixed"))
            for path, change in changes.items():
                with pytest.raises(OrchestratorError, match=REFUSAL) as refused:
                    await api.call("PATCH", kind.path(shared, "stray"), change, headers=MERGE)
                assert path.split(".")[0] in str(refused.value), path
            meta = {"metadata": {"annotations": {"example.com/x": "y"}}}  # nothing else stands in the way
            await api.call("PATCH", kind.path(shared, "stray"), meta, headers=MERGE)

    asyncio.run(story())


def test_verbs_know_every_kind(tell: Tell, shared: str, api: KubeClient) -> None:
    """What no revision has is swept, and `down` deletes the rest; the readiness of each workload is read."""

    async def list_strays(identity: Identity) -> set[str]:
        return {line.split()[0] for line in await prune.list_remaining(api, identity) if line.split()[1] == "stray"}

    async def make(identity: Identity, names: set[str]) -> None:
        for name in names:
            await api.create(KINDS[name].path(shared), stray(name, identity.release))

    async def story(lifecycle: Lifecycle) -> None:
        identity = (await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)).identity
        await make(identity, SWEPT | KEPT)
        assert await list_strays(identity) == SWEPT | KEPT
        seen = workloads.statuses(await snapshots.snapshot_one(ClusterLists(api), identity), identity.release, shared)
        assert {status.kind for status in seen if status.name.startswith("stray")} == set(WORKLOADS)
        (note,) = await prune.prune_orphans(api, identity)
        assert all(f"{name} stray" in note for name in SWEPT)
        assert all([await api.is_gone(KINDS[name].path(shared, "stray")) for name in SWEPT - {POD.name}])
        await make(identity, SWEPT - {POD.name})
        await lifecycle.down([identity.guid], wait_options=QUICK, each=lambda removal: None)
        assert await prune.list_remaining(api, identity) == []

    tell(story, shared)
