"""What Helm renders is judged before anything is made: rights that values ask for, and objects of neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.compose import Sources
from tycho.errors import PolicyDenied
from tycho.lifecycle import Lifecycle
from tycho.model import ServiceMetadata
from tycho.orchestrators.helm import HelmOrchestrator

pytestmark = pytest.mark.xdist_group("cluster")
Tell = Callable[..., Any]


def given(lifecycle: Lifecycle, values: dict[str, Any], name: str = "one", **options: Any) -> Any:
    sources = Sources.from_document({"services": web(), **options}, env={}, name=name)
    return lifecycle.compile(sources, metadata={"web": ServiceMetadata(values=values)})


VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "privileged": ({"securityContext": {"privileged": True}}, "services.web.privileged"),
    "capability": ({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "services.web.cap_add"),
    "host path": ({"volumes": [{"name": "v", "hostPath": {"path": "/etc"}}]}, "services.web.volumes"),
    "sysctl": (
        {"podSecurityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        "services.web.sysctls.kernel.msgmax",
    ),
    "seccomp": ({"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}}, "services.web.security_opt"),
    "account": ({"serviceAccountName": "admin"}, "services.web.serviceAccountName"),
    "label": ({"podLabels": {"tycho.dev/network-back": "true"}}, "services.web.podLabels.tycho.dev/network-back"),
    "annotation": ({"podAnnotations": {"cdi.k8s.io/x": "y"}}, "services.web.podAnnotations.cdi.k8s.io/x"),
    "snippet": (
        {"service": {"annotations": {"x.example/server-snippet": "y"}}},
        "services.web.service.annotations.x.example/server-snippet",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_ask_for_nothing_more(tell: Tell, kubectl: Kubectl, case: str) -> None:
    """Refused as by a policy, with a place; no namespace and no Lease is left."""
    values, path = VALUES[case]

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(PolicyDenied) as denied:
            await lifecycle.up(given(lifecycle, values, "climber"), wait_options=QUICK)
        assert [problem.path for problem in denied.value.problems] == [path]
        assert "80-grants.yaml" in denied.value.problems[0].hint
        assert (denied.value.exit_code, denied.value.http_status) == (21, 403)
        assert "climber-" not in kubectl("get", "namespaces,leases", "-A", "-o", "name")

    tell(story)


def test_an_upgrade_is_judged_too(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await lifecycle.up(compiled(lifecycle, web()), wait_options=QUICK)
        with pytest.raises(PolicyDenied):
            await lifecycle.up(given(lifecycle, {"securityContext": {"privileged": True}}), wait_options=QUICK)
        assert (await lifecycle.find("one")).revision == 1
        assert kubectl("get", "leases", "-n", shared, "-o", "name") == ""
        ordinary = given(lifecycle, {"podAnnotations": {"example.com/x": "y"}, "securityContext": {"runAsUser": 7}})
        assert (await lifecycle.up(ordinary, wait_options=QUICK)).revision == 2

    tell(story, shared)


def test_a_grant_holds_at_up(tell: Tell, shared: str, tmp_path: Path) -> None:
    """For the service that it names, and for values as for the file."""
    (tmp_path / "80-grants.yaml").write_text(
        "description: G.\nmatch: {name: web}\nadd: {x-tycho: {grants: [cap_add=NET_ADMIN, cap_add=SYS_TIME]}}"
    )

    async def story(lifecycle: Lifecycle) -> None:
        lifecycle.policies = (tmp_path,)
        services = {**web(cap_add=["cap_net_admin"]), "other": {"image": "x"}}
        sources = Sources.from_document({"services": services}, env={}, name="one")
        values = {"securityContext": {"capabilities": {"add": ["NET_ADMIN", "SYS_TIME"]}}}
        metadata = {"web": ServiceMetadata(values=values)}
        assert (await lifecycle.up(lifecycle.compile(sources, metadata=metadata), wait_options=QUICK)).ready
        metadata = {"other": ServiceMetadata(values=values)}
        with pytest.raises(PolicyDenied):
            await lifecycle.up(lifecycle.compile(sources, metadata=metadata), wait_options=QUICK)

    tell(story, shared)


def test_a_chart_is_rendered_once(tell: Tell, shared: str) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        orchestrator = lifecycle.orchestrator
        assert isinstance(orchestrator, HelmOrchestrator)
        verbs: list[str] = []
        both = orchestrator.helm.both

        async def counted(argv: Any, **options: Any) -> Any:
            verbs.append(argv[0])
            return await both(argv, **options)

        orchestrator.helm.both = counted  # type: ignore[method-assign]
        for tag in ("1", "1", "2"):
            await lifecycle.up(compiled(lifecycle, web(tag)), wait_options=QUICK)
        assert verbs == ["template", "install", "template", "upgrade"]

    tell(story, shared)


OBJECTS: dict[str, tuple[dict[str, Any], str]] = {
    "release": (
        {"kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "plain-name"}}, "a release of Helm",
    ),
    "labelled release": (
        {"kind": "Secret", "metadata": {"name": "other", "labels": {"owner": "helm"}}}, "a release of Helm",
    ),
    "neighbour": (
        {"kind": "Secret", "metadata": {"name": "theirs", "labels": {"tycho-guid": "f" * 32}}}, "another system's",
    ),
    "config of a neighbour": (
        {"kind": "ConfigMap", "metadata": {"name": "theirs", "labels": {"tycho-guid": "f" * 32}}}, "another system's",
    ),
    "claim of a neighbour": (
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "theirs", "labels": {"tycho-guid": "f" * 32}},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        "another system's",
    ),
    "token": (
        {"kind": "Secret", "type": "kubernetes.io/service-account-token",
         "metadata": {"name": "token", "annotations": {"kubernetes.io/service-account.name": "default"}}},
        "the token of a service account",
    ),
    "bootstrap": (
        {"kind": "Secret", "type": "bootstrap.kubernetes.io/token", "metadata": {"name": "bootstrap"}},
        "a token that admits nodes",
    ),
}  # fmt: skip
SECTIONS = {"Secret": "secrets", "ConfigMap": "configs", "PersistentVolumeClaim": "volumes"}


@pytest.mark.parametrize("case", OBJECTS)
def test_a_neighbours_objects(tell: Tell, shared: str, kubectl: Kubectl, case: str) -> None:
    body, why = OBJECTS[case]
    name, section = body["metadata"]["name"], SECTIONS[body["kind"]]
    kubectl("apply", "-n", shared, "-f", "-", input=json.dumps({"apiVersion": "v1", **body}))
    use = {"volumes": ["used:/u"]} if section == "volumes" else {section: ["used"]}
    document = {section: {"used": {"external": True, "name": name}}}

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(PolicyDenied) as denied:
            await lifecycle.up(compiled(lifecycle, web(**use), **document), wait_options=QUICK)
        (problem,) = denied.value.problems
        assert problem.path == f"{body['kind']} {name}"
        assert why in problem.message
        assert kubectl("get", "leases,deployments", "-n", shared, "-o", "name") == ""

    tell(story, shared)


@pytest.mark.parametrize(
    "values",
    [
        {"env": {"X": {"valueFrom": {"secretKeyRef": {"name": "theirs", "key": "k"}}}}},
        {"volumes": [{"name": "v", "secret": {"secretName": "theirs"}}]},
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "theirs"}}]}}]},
        {"imagePullSecrets": [{"name": "theirs"}]},
    ],
    ids=["variable", "volume", "projected", "pull"],
)
def test_a_neighbours_secret_by_values(tell: Tell, shared: str, kubectl: Kubectl, values: dict[str, Any]) -> None:
    kubectl("create", "secret", "generic", "theirs", "-n", shared)
    kubectl("label", "secret", "theirs", "-n", shared, f"tycho-guid={'f' * 32}")

    async def story(lifecycle: Lifecycle) -> None:
        with pytest.raises(PolicyDenied, match="refused") as denied:
            await lifecycle.up(given(lifecycle, values), wait_options=QUICK)
        assert denied.value.problems[0].path == "Secret theirs"

    tell(story, shared)


def test_an_object_of_nobodys_is_used(tell: Tell, shared: str, kubectl: Kubectl) -> None:
    kubectl("create", "secret", "generic", "shared-token", "-n", shared, "--from-literal=used=x")
    document = {"secrets": {"used": {"external": True, "name": "shared-token"}}}

    async def story(lifecycle: Lifecycle) -> None:
        assert (await lifecycle.up(compiled(lifecycle, web(secrets=["used"]), **document), wait_options=QUICK)).ready

    tell(story, shared)
