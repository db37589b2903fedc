"""What `kubectl create -f kubernetes/` makes on a real API server, and what its account may do: the page's table."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators.conftest import QUICK, Kubectl, compiled, web
from tycho.lifecycle import Lifecycle

pytestmark = pytest.mark.xdist_group("cluster")
ROOT = Path(__file__).parents[2]
MANIFESTS, OWN = ROOT / "kubernetes", ROOT / "kubernetes/own-namespaces"
PAGE = (ROOT / "docs/in-cluster.md").read_text()
ACCOUNT = "system:serviceaccount:default:tycho-api"
EVERYWHERE = "everywhere"
Right = tuple[str, str]  # a verb, and objects as kubectl writes them: plural.group/name
WAITS = {
    "web": {"image": "x", "depends_on": {"job": {"condition": "service_completed_successfully"}}},
    "job": {"image": "x", "restart": "no"},
}


@pytest.fixture(scope="module")
def created(kubectl: Kubectl) -> Iterator[list[str]]:
    """The manifests, created as the page says; what kubectl said."""
    output = kubectl("create", "-f", MANIFESTS).splitlines()
    yield output
    kubectl("delete", "-f", MANIFESTS)


@pytest.fixture
def own_namespaces(created: list[str], kubectl: Kubectl) -> Iterator[None]:
    """The variant beside them."""
    kubectl("create", "-f", OWN)
    yield
    kubectl("delete", "-f", OWN)


@pytest.fixture
def as_the_service(created: list[str], kubectl: Kubectl, tmp_path: Path) -> Path:
    """The kubeconfig of the service's account."""
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "tycho-api", "-n", "default")
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    return path


def rights(kubectl: Kubectl, namespace: str, account: str = ACCOUNT) -> set[Right]:
    """What an account may do in a namespace, as the API server says."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    asked = json.dumps({**review, "spec": {"namespace": namespace}})
    status = json.loads(kubectl("create", f"--as={account}", "--validate=false", "-f", "-", "-o", "json", input=asked))[
        "status"
    ]
    assert not status["incomplete"]
    return {
        (verb, f"{resource}.{group}".rstrip(".") + (f"/{name}" if name else ""))
        for rule in status["resourceRules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for group in rule["apiGroups"]
        for name in rule.get("resourceNames") or ("",)
    }


def table(text: str) -> dict[str, set[Right]]:
    """The rights that a part of the page tells of, by where they hold."""
    rights_by_place: dict[str, set[Right]] = {}
    for row in re.findall(r"^\| (`[\w-]+`|everywhere) \| (.*?) \| (.*?) \| .* \|$", text, re.MULTILINE):
        where, objects, verbs = row[0].strip("`"), re.findall(r"`(.*?)`", row[1]), re.findall(r"`(.*?)`", row[2])
        rights_by_place.setdefault(where, set()).update((verb, kind_name) for verb in verbs for kind_name in objects)
    return rights_by_place


def list_granted(*parts: str) -> Callable[[str], set[Right]]:
    tables = [table(part) for part in parts]

    def list_needed(namespace: str) -> set[Right]:
        return {right for each in tables for where in (namespace, EVERYWHERE) for right in each.get(where, ())}

    return list_needed


def parts() -> tuple[str, str]:
    shared, _, own = PAGE.partition("With `kubernetes/own-namespaces/`")
    return shared, own


def compare(kubectl: Kubectl, namespaces: Iterable[str], expected_rights: Callable[[str], set[Right]]) -> None:
    """No right is missing, and none is there that the page does not tell of."""
    for namespace in namespaces:
        everybodys = rights(kubectl, namespace, "system:serviceaccount:default:nobody")
        assert rights(kubectl, namespace) - everybodys == expected_rights(namespace), namespace


def test_kubectl_creates_what_the_page_shows(created: list[str]) -> None:
    (shown,) = re.findall(r"\$ kubectl create -f kubernetes/\n(.*?)```", PAGE, re.DOTALL)
    assert created == shown.splitlines()


def test_each_file_can_be_created_after_those_before_it(created: list[str], kubectl: Kubectl) -> None:
    """As strictly as the API server can: no field is unknown, and policy admits the pods."""
    for file in sorted(MANIFESTS.glob("*.yaml")):
        kubectl("replace", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", file)
    kubectl("create", "--dry-run=server", "--validate=strict", "-f", OWN)


def test_the_pods_are_restricted(created: list[str], kubectl: Kubectl, shared: str) -> None:
    kubectl("label", "namespace", shared, "pod-security.kubernetes.io/enforce=restricted")
    deployment = json.loads(kubectl("get", "deployment", "tycho-api", "-o", "json"))
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "namespace": shared},
        "spec": {**deployment["spec"]["template"]["spec"], "serviceAccountName": "default"},
    }
    assert "created" in kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(pod))
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert deployment["spec"]["replicas"] == 2


def test_the_account_may_do_what_the_page_says_and_no_more(created: list[str], kubectl: Kubectl, shared: str) -> None:
    compare(kubectl, ("tycho-systems", "kube-system", "default", shared), list_granted(parts()[0]))


def test_with_own_namespaces_it_may_do_what_the_page_says_and_no_more(
    own_namespaces: None, kubectl: Kubectl, shared: str
) -> None:
    compare(kubectl, ("tycho-systems", "kube-system", "default", shared), list_granted(*parts()))


def test_the_account_keeps_to_its_namespace(created: list[str], kubectl: Kubectl) -> None:
    """The API server's word on single questions, whatever a list of rules may leave out."""

    assert kubectl("auth", "can-i", "list", "secrets", "-n", "tycho-systems", f"--as={ACCOUNT}") == "yes\n"
    for words in (
        ("get", "secrets", "-n", "default"), ("get", "secrets", "-n", "kube-system"), ("create", "namespaces"),
        ("create", "pods", "-n", "tycho-systems"), ("create", "pods/exec", "-n", "tycho-systems"),
        ("create", "roles", "-n", "tycho-systems"), ("create", "serviceaccounts/token", "-n", "tycho-systems"),
        ("impersonate", "users"), ("get", "nodes/proxy"), ("patch", "deployments", "-n", "default"),
    ):  # fmt: skip
        assert kubectl("auth", "can-i", *words, f"--as={ACCOUNT}", rc=1).startswith("no"), words


async def live(lifecycle: Lifecycle, **keys: Any) -> None:
    """A system's life: started, upgraded, rolled back, restarted, looked at and removed."""
    first = await lifecycle.up(compiled(lifecycle, web(), **keys), wait_options=QUICK)
    assert first.ready
    assert first.services[0].endpoints, "a node's address is known"
    guid = first.identity.guid
    second = await lifecycle.up(compiled(lifecycle, web("2"), **keys), guid=guid, wait_options=QUICK)
    assert (second.revision, second.ready) == (2, True)
    assert (await lifecycle.rollback(guid, 1, wait_options=QUICK)).ready
    assert (await lifecycle.restart(guid, ("web",), wait_options=QUICK)).ready
    assert len(await lifecycle.history(guid)) == 3
    assert [system.identity.guid for system in await lifecycle.status()] == [guid]
    (removal,) = await lifecycle.down([guid], wait_options=QUICK, each=lambda removal: None)
    assert removal.error is None
    assert await lifecycle.status() == []


def test_its_token_starts_and_stops_a_system_beside_others(
    tell: Callable[..., Any], as_the_service: Path, kubectl: Kubectl
) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await live(lifecycle, volumes={"data": {}})
        waits = await lifecycle.up(compiled(lifecycle, WAITS, "waits"), wait_options=QUICK)
        assert waits.ready
        pods = json.loads(kubectl("get", "deployments", "-n", "tycho-systems", "-o", "json"))["items"]
        assert [pod["spec"]["template"]["spec"]["serviceAccountName"] for pod in pods] == ["tycho-wait"]

    tell(story, "tycho-systems", kubeconfig=as_the_service)
    kinds = "all,secrets,leases,networkpolicies,persistentvolumeclaims,ingresses"
    assert kubectl("get", kinds, "-n", "tycho-systems", "-o", "name") == ""


def test_with_own_namespaces_its_token_starts_and_stops_systems_there(
    tell: Callable[..., Any], own_namespaces: None, as_the_service: Path, kubectl: Kubectl
) -> None:
    async def story(lifecycle: Lifecycle) -> None:
        await live(lifecycle)
        waits = await lifecycle.up(compiled(lifecycle, WAITS, "waits"), wait_options=QUICK)
        assert waits.ready
        assert waits.identity.own_namespace

    before = kubectl("get", "namespaces", "-o", "name").split()
    tell(story, kubeconfig=as_the_service)
    left = kubectl("get", "namespaces", "-o", "name").split()
    assert {*left} <= {*before}  # those of earlier tests may have gone meanwhile


def test_the_page_tells_of_each_file() -> None:
    """What lies in the folder is there to be created, in the order of its names."""
    assert all(re.fullmatch(r"\d\d-[a-z]+\.yaml", path.name) for path in MANIFESTS.iterdir() if path.is_file())
    listed = subprocess.run(["git", "ls-files", MANIFESTS], cwd=ROOT, check=True, capture_output=True, text=True)
    assert all(line.endswith(".yaml") for line in listed.stdout.splitlines())
