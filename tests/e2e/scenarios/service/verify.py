"""The service, by its own Dockerfile and manifests: users by their tokens, two replicas, a portal in a pod."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e import service
from tests.e2e.node import BALANCED, Node
from tests.e2e.scenarios.service.calls import SPACE, ask, listed, nothing_left, replicas, start, stop, token, url
from tests.e2e.system import ROOT, System, eventually, fetch
from tests.orchestrators.test_manifests import PAGE, compare, list_granted, parts

DEEP = True  # it builds an image
SHOWS = ()  # of Compose nothing that other scenarios do not
SECONDS = 400
USER = "system:serviceaccount:default:ann"
WEB = {"services": {"web": {"image": "busybox:1", "command": "httpd -f -p 80 -h /etc", "ports": ["80"]}}}
SLOW = {
    "services": {
        "web": {
            "image": "busybox:1",
            "command": ["sh", "-c", "sleep 20; touch /tmp/warm; exec httpd -f -p 80"],
            "healthcheck": {"test": "test -e /tmp/warm", "interval": "1s", "retries": 60},
        }
    }
}
FORGED = ("X-Remote-User", "X-Forwarded-User", "X-Auth-Request-User", "Impersonate-User", "Remote-User")
PORTAL = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, namespace: portals}
spec:
  serviceAccountName: portal
  automountServiceAccountToken: false
  restartPolicy: Never
  containers:
    - name: portal
      image: tycho:0.1.0
      command: [python3, -c, %(program)s]
      volumeMounts: [{name: tycho, mountPath: /var/run/secrets/tycho}]
  volumes:
    - name: tycho
      projected:
        sources: [{serviceAccountToken: {path: token, audience: tycho, expirationSeconds: 3600}}]
"""


def verify(system: System) -> None:
    node, code = system.node, system.code
    home = system.folder / "image"
    home.mkdir()
    service.build(node, code, home)
    try:
        install(node, code / "kubernetes")
        users(node)
        look_inside(node)
        compare(judge(node), ("tycho-systems", "kube-system", "default", "kube-public"), list_granted(parts()[0]))
        refuse(node)
        share(node, url(node))
        kill(node)
        ask_from_a_pod(node, (system.folder / "portal.py").read_text())
        balance(node)
        own_namespaces(node, code / "kubernetes/own-namespaces")
    except BaseException:
        keep(node)
        raise
    remove(node, code / "kubernetes")


def install(node: Node, folder: Path) -> None:
    for file in sorted(folder.glob("*.yaml")):
        node.kubectl("create", "-f", str(file))
    await_replicas(node)


def await_replicas(node: Node) -> None:
    node.kubectl("rollout", "status", "deployment/tycho-api", "--timeout=240s", timeout=260)
    eventually(lambda: len(replicas(node)) == 2)


def users(node: Node) -> None:
    """The accounts and the role of the page; eve has an account alone."""
    (role,) = re.findall(r"```yaml\n(apiVersion: \S+\nkind: ClusterRole\n.*?)```", PAGE, re.DOTALL)
    node.kubectl("create", "-f", "-", stdin=role)
    node.kubectl("create", "namespace", "portals")
    node.kubectl("-n", "portals", "create", "serviceaccount", "portal")
    for name in ("ann", "bob", "eve"):
        node.kubectl("create", "serviceaccount", name)
    for account in ("default:ann", "default:bob", "portals:portal"):
        name = account.partition(":")[2]
        words = ("--clusterrole=tycho-user", f"--serviceaccount={account}")
        node.kubectl("-n", SPACE, "create", "rolebinding", name, *words)


def judge(node: Node) -> Any:
    def kubectl(*words: object, input: str | None = None) -> str:
        return node.kubectl(*map(str, words), stdin=input)

    return kubectl


def look_inside(node: Node) -> None:
    """In each replica: not root, no capability, no new privileges, seccomp; and nothing can be written but /tmp."""
    script = (
        "id -u; id -g; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/1/status; touch /tmp/kept && echo kept; "
        "for place in / /opt/tycho /usr/bin /var /etc; do touch $place/x 2>&1 || true; done"
    )
    for pod in replicas(node):
        lines = node.kubectl("exec", pod["metadata"]["name"], "--", "sh", "-c", script).splitlines()
        facts = [line.split() for line in lines[:5]]
        assert facts == [["10001"], ["10001"], ["CapEff:", "0" * 16], ["NoNewPrivs:", "1"], ["Seccomp:", "2"]], lines
        assert lines[5] == "kept"
        assert len(lines[6:]) == 5, lines
        assert all("Read-only file system" in line for line in lines[6:]), lines


def refuse(node: Node) -> None:
    """Nobody is told what to do, one whose token is for the API server too, and one without rights what is missing."""
    nobody = ask(url(node), "status")
    assert nobody.status_code == UNAUTHORIZED
    assert "Authorization: Bearer" in nobody.text
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
    other = ask(url(node), "status", node.kubectl("create", "token", "ann").strip())
    assert other.status_code == UNAUTHORIZED
    assert "--audience tycho" in other.text
    for verb, body in (("status", {}), ("start", {"name": "shop", "system": WEB})):
        eve = ask(url(node), verb, token(node, "eve"), **body)
        assert eve.status_code == FORBIDDEN
        assert f"the verb {verb} on systems.tycho.dev is missing" in eve.text
    assert ask(url(node), "status", token(node, "bob"), "?namespace=kube-system").status_code == FORBIDDEN


def share(node: Node, url: str) -> None:
    """Ann's system runs and answers; she sees it and stops it, and to bob it is not there, whoever he says he is."""
    ann, bob = token(node, "ann"), token(node, "bob")
    sid = start(url, ann, name="shop", system=WEB, wait=True)
    # What `start` has watched, another look has to believe of the node's clock: for seconds it is not sure yet.
    (row,) = eventually(lambda: [row for row in listed(url, ann) if row["is_ready"]])
    assert (row["sid"], row["username"], row["namespace"]) == (sid, USER, SPACE)
    eventually(lambda: fetch((row["ip_address"], int(row["port"])), "/passwd")[0] == OK)
    assert listed(url, bob) == []
    for name in FORGED:
        assert listed(url, bob, headers={name: USER}) == [], name
        assert ask(url, "status", headers={name: USER}).status_code == UNAUTHORIZED, name
    assert ask(url, "delete", bob, headers={FORGED[0]: USER}, name=sid).status_code == NOT_FOUND
    stop(url, ann, sid)
    assert listed(url, ann) == []
    nothing_left(node)


def kill(node: Node) -> None:
    """The replica that starts a system is killed as soon as the release is there: the other one goes on with it."""
    ann = token(node, "ann")
    first, second = replicas(node)
    killed, other = (f"http://{pod['status']['podIP']}:5000" for pod in (first, second))
    (status,) = first["status"]["containerStatuses"]
    with ThreadPoolExecutor(1) as pool:
        began = pool.submit(ask, killed, "start", ann, name="kept", system=SLOW, wait=True)
        eventually(lambda: node.kubectl("-n", SPACE, "get", "secrets", "-l", "owner=helm", "-o", "name"), interval=0.05)
        node.ctr("tasks", "kill", "--signal", "SIGKILL", status["containerID"].partition("://")[2])
        with pytest.raises(httpx2.TransportError):
            began.result()
    (row,) = listed(other, ann)
    again = eventually(
        lambda: (
            (
                answer := ask(
                    other, "start", ann, **{"name": "kept", "system": SLOW, "tycho-guid": row["sid"], "wait": True}
                )
            ).status_code
            == OK
            and answer
        ),
        120,
        1,
    )
    assert again.json()["result"]["sid"] == row["sid"]
    (now,) = eventually(lambda: [system for system in listed(other, ann) if system["is_ready"]])
    eventually(lambda: len(replicas(node)) == 2)
    restarts = [pod["status"]["containerStatuses"][0]["restartCount"] for pod in replicas(node)]
    assert sorted(restarts) == [0, 1]
    assert [row["sid"] for row in eventually(lambda: listed(killed, ann))] == [now["sid"]]
    stop(killed, ann, now["sid"])
    nothing_left(node)


def ask_from_a_pod(node: Node, program: str) -> None:
    """The example of the first Tycho's page: refused by the network until the namespace has the label."""

    def run(name: str) -> tuple[str, str]:
        node.kubectl("create", "-f", "-", stdin=PORTAL % {"name": name, "program": json.dumps(program)})

        def phase() -> str:
            return node.kubectl("-n", "portals", "get", "pod", name, "-o", "jsonpath={.status.phase}")

        eventually(lambda: phase() in ("Succeeded", "Failed"), 240, 1)
        return phase(), node.kubectl("-n", "portals", "logs", name)

    phase, log = run("outside")
    assert phase == "Failed", log
    assert "ClusterUnreachable: no Tycho answers at http://tycho-api.default:5000" in log, log
    node.kubectl("label", "namespace", "portals", "tycho.dev/clients=true")
    phase, log = run("inside")
    assert phase == "Succeeded", log
    user = "system:serviceaccount:portals:portal"
    assert log.splitlines()[-1] == f"http://tycho-api.default:5000 test True {user}", log


def balance(node: Node) -> None:
    """The factory finds the address that a cloud gives; who calls it from outside, the NetworkPolicy has to name."""
    node.kubectl("patch", "service", "tycho-api", "-p", '{"spec": {"type": "LoadBalancer"}}')
    path = "jsonpath={.status.loadBalancer.ingress[0].ip}"
    address = eventually(lambda: node.kubectl("get", "service", "tycho-api", "-o", path))
    assert address.startswith(BALANCED)
    program = (
        "from tycho.client import TychoClientFactory; client = TychoClientFactory().get_client(plain_http=True); "
        "print(client.url, client.status().services)"
    )
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": str(ROOT)}
    env |= {"KUBECONFIG": str(node.kubeconfig), "TYCHO_SERVICE_ACCOUNT": "default/ann"}
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, env=env)
    assert done.stdout == f"http://{address}:5000 []\n", done.stderr
    assert not outside(address)
    peer = json.dumps([{"op": "add", "path": "/spec/ingress/0/from/-", "value": {"ipBlock": {"cidr": "192.0.2.0/24"}}}])
    node.kubectl("patch", "networkpolicy", "tycho-api", "--type=json", "-p", peer)
    eventually(lambda: outside(address))


def outside(address: str) -> bool:
    """Whether a machine that is no node reaches the service."""
    program = f"import urllib.request; urllib.request.urlopen('http://{address}:5000/healthz', timeout=3)"
    argv: Sequence[str] = ["ip", "netns", "exec", "outside", sys.executable, "-c", program]
    return not subprocess.run(argv, check=False, capture_output=True).returncode


def own_namespaces(node: Node, folder: Path) -> None:
    """With the variant of the page, systems have namespaces of their own, beside the shared one."""
    for file in sorted(folder.glob("*.yaml")):
        node.kubectl("create", "-f", str(file))
    node.kubectl("set", "env", "deployment/tycho-api", "TYCHO_NAMESPACE-")
    await_replicas(node)
    compare(judge(node), ("tycho-systems", "kube-system", "default", "kube-public"), list_granted(*parts()))
    node.kubectl("create", "clusterrolebinding", "ann", "--clusterrole=tycho-user", "--serviceaccount=default:ann")
    ann, bob, where = token(node, "ann"), token(node, "bob"), url(node)
    own = eventually(lambda: start(where, ann, name="own", system=WEB, wait=True), 60, 1)
    shared = start(where, ann, f"?namespace={SPACE}", name="shared", system=WEB, wait=True)
    namespaces = {row["sid"]: row["namespace"] for row in listed(where, ann)}
    assert namespaces.keys() == {own, shared}
    assert namespaces[shared] == SPACE
    assert node.kubectl("get", "namespace", namespaces[own], "-o", "name")
    assert listed(where, bob) == []
    refused = ask(where, "start", bob, name="own", system=WEB)
    assert refused.status_code == FORBIDDEN
    assert "a ClusterRole" in refused.text
    for sid in (own, shared):
        stop(where, ann, sid)
    assert not node.kubectl("get", "namespace", namespaces[own], "--ignore-not-found", "-o", "name")
    nothing_left(node)


def keep(node: Node) -> None:
    """What tells why it failed, beside what other scenarios keep."""
    place = ROOT / "tests/e2e/artefacts/service"
    place.mkdir(parents=True, exist_ok=True)
    for file, words in {
        "pods.txt": ("get", "pods", "-A", "-o", "wide"),
        "describe.txt": ("describe", "pods", "-A"),
        "logs.txt": ("logs", "-l", "app.kubernetes.io/name=tycho-api", "--prefix", "--tail=-1"),
        "before.txt": ("logs", "-l", "app.kubernetes.io/name=tycho-api", "--prefix", "--tail=200", "--previous"),
    }.items():
        try:
            (place / file).write_text(node.kubectl(*words))
        except AssertionError as error:
            (place / file).write_text(str(error))


def remove(node: Node, folder: Path) -> None:
    for each in (folder / "own-namespaces", folder):
        node.kubectl("delete", "-f", str(each), timeout=240)
    node.kubectl("delete", "clusterrole,clusterrolebinding", "tycho-user", "ann", "--ignore-not-found")
    node.kubectl("delete", "serviceaccount", "ann", "bob", "eve")
    node.kubectl("delete", "namespace", "portals")
