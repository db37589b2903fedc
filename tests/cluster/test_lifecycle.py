"""A cluster from its making to its end: real programs, on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tycho import localcluster
from tycho.errors import NotFound, OrchestratorError, UsageError
from tycho.localcluster import Cluster
from tycho.localcluster.api import Api
from tycho.localcluster.state import load
from tycho.toolchain import programs
from tycho.toolchain.process import until

pytestmark = pytest.mark.xdist_group("cluster")
NOTE = "/api/v1/namespaces/default/configmaps/note"
PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("state") / "tycho/clusters"
    yield home
    for made in localcluster.clusters(home=home):
        localcluster.delete(made.name, home=home)


@pytest.fixture(scope="module")
def one(home: Path) -> Cluster:
    return localcluster.create("one", provider="native", home=home)


def administrator(made: Cluster) -> Api:
    pki = made.kubeconfig.parent / "pki"
    return Api(made.server, (pki / "ca.crt").read_text(), (pki / "admin.crt", pki / "admin.key"))


def pids(made: Cluster) -> dict[str, int]:
    return {component.name: component.pid for component in made.components}


def dead(made: Cluster) -> set[str]:
    return {component.name for component in made.components if not component.alive}


def running(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_what_create_returns_is_what_status_sees(one: Cluster, home: Path):
    assert one == localcluster.status("one", home=home)
    assert localcluster.clusters(home=home) == [one]
    assert one.running
    assert one.simulated
    assert one.provider == "native"
    assert one.version.startswith("1.37.")
    assert list(pids(one)) == PROGRAMS
    assert all(running(pid) for pid in pids(one).values())
    assert administrator(one).ready()


def test_the_kubeconfig_names_its_context(one: Cluster):
    import yaml

    config = yaml.safe_load(one.kubeconfig.read_text())
    assert config["current-context"] == "tycho-one"
    assert config["contexts"] == [{"name": "tycho-one", "context": {"cluster": "tycho-one", "user": "tycho-one"}}]
    assert config["clusters"][0]["cluster"]["server"] == one.server


def test_a_running_cluster_is_left_as_it_is(one: Cluster, home: Path):
    assert localcluster.create("one", home=home) == one


def test_nothing_listens_beyond_loopback(one: Cluster):
    inodes = {
        str(target).removeprefix("socket:[").rstrip("]")
        for pid in pids(one).values()
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(target := link.readlink()).startswith("socket:")
    }
    listens = [
        row[1].rpartition(":")[0]
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if (row := line.split())[9] in inodes and row[3] in ("0A", "07")
    ]
    assert len(listens) >= 3
    assert set(listens) == {"0100007F"}


def test_nobody_else_can_read_its_folder(one: Cluster):
    folder = one.kubeconfig.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    keys = [
        *folder.glob("pki/*"),
        *folder.glob("config/*"),
        *folder.glob("log/*"),
        one.kubeconfig,
        folder / "state.json",
    ]
    assert len(keys) > 20
    assert {path.name for path in keys if path.stat().st_mode & 0o077} == set()


@pytest.mark.parametrize("port", ["etcd", "peer"])
def test_etcd_answers_none_without_its_certificate(one: Cluster, port: str):
    remembered = load(one.kubeconfig.parent)
    assert remembered
    context = ssl.create_default_context(cafile=str(remembered.folder / "pki/etcd-ca.crt"))
    for identity in (None, "admin"):  # neither without one, nor with one of Kubernetes
        if identity:
            pki = remembered.folder / "pki"
            context.load_cert_chain(pki / f"{identity}.crt", pki / f"{identity}.key")
        assert refused(remembered.ports[port], context)


def refused(port: int, context: ssl.SSLContext) -> bool:
    """Whether a server takes none of our words; with TLS 1.3 that shows when its answer is read."""
    connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    try:
        connection.request("GET", "/version")
        connection.getresponse()
    except (ssl.SSLError, ConnectionError):
        return True
    finally:
        connection.close()
    return False


def test_etcd_answers_who_has_it(one: Cluster):
    remembered = load(one.kubeconfig.parent)
    assert remembered
    pki = remembered.folder / "pki"
    context = ssl.create_default_context(cafile=str(pki / "etcd-ca.crt"))
    context.load_cert_chain(pki / "etcd-client.crt", pki / "etcd-client.key")
    assert not refused(remembered.ports["etcd"], context)


def test_the_api_server_shows_a_stranger_nothing(one: Cluster):
    stranger = Api(one.server, (one.kubeconfig.parent / "pki/ca.crt").read_text())
    with pytest.raises(OrchestratorError, match="403"):
        stranger.get("/api/v1/secrets")


def test_what_died_comes_back_with_what_it_knew(one: Cluster, home: Path):
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"said": "remember"}}
    administrator(one).apply(NOTE, note)
    killed = {"etcd", "kube-apiserver", "kwok"}
    for name in killed:
        os.kill(pids(one)[name], signal.SIGKILL)
    assert until(lambda: dead(localcluster.status("one", home=home)) == killed, 10)
    assert not localcluster.status("one", home=home).running
    again = localcluster.create("one", home=home)
    assert again.running
    assert again.server == one.server
    assert {name for name in PROGRAMS if pids(again)[name] != pids(one)[name]} == killed
    assert administrator(again).get(NOTE)["data"] == {"said": "remember"}


def test_two_commands_at_once_make_one_cluster_beside_another(one: Cluster, home: Path):
    env = {**os.environ, "XDG_STATE_HOME": str(home.parents[1]), "DOCKER_HOST": "unix:///nonexistent"}
    tycho = [sys.executable, "-m", "tycho", "cluster"]
    both = [
        subprocess.Popen([*tycho, "create", "two"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    two = localcluster.status("two", home=home)
    assert [out for out, _ in said] == [f"{two.kubeconfig}\n"] * 2
    assert sum("starting cluster two" in err for _, err in said) == 1
    assert two.running
    assert two.server != one.server
    assert administrator(two).has("/api/v1/nodes/simulated")

    table = subprocess.run([*tycho, "status"], env=env, check=True, capture_output=True, text=True).stdout
    assert [line.split()[:3] for line in table.splitlines()[1:]] == [
        ["one", "running", "native"],
        ["two", "running", "native"],
    ]

    subprocess.run([*tycho, "delete", "two"], env=env, check=True, capture_output=True)
    assert not two.kubeconfig.parent.exists()
    assert not any(running(pid) for pid in pids(two).values())
    assert localcluster.status("one", home=home).running


def test_a_cluster_that_cannot_start_says_why_and_leaves_no_process(home: Path, one: Cluster):
    folder = home / "three"
    shutil.copytree(one.kubeconfig.parent / "pki", folder / "pki")
    (folder / "pki/sa.pub").write_text("no key at all\n")
    with pytest.raises(OrchestratorError, match="kube-apiserver ended:") as caught:
        localcluster.create("three", provider="native", home=home)
    assert "no key at all" not in caught.value.message
    assert "sa.pub" in caught.value.message
    assert str(folder / "log/kube-apiserver.log") in caught.value.hint
    seen = localcluster.status("three", home=home)
    assert not seen.running
    assert [component.alive for component in seen.components] == [False, False]
    localcluster.delete("three", home=home)
    assert not folder.exists()


def test_a_program_that_is_broken_is_named(cache: Path, script, tmp_path: Path):
    for name in ("helm", *PROGRAMS):
        cached = programs.PROGRAMS[name].cached
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.touch()
    with pytest.raises(OrchestratorError, match=r"/etcd cannot be started: Permission denied"):
        localcluster.create("six", provider="native", home=tmp_path)


def test_a_process_that_only_has_the_same_id_is_left_alone(home: Path):
    folder = home / "four"
    folder.mkdir(parents=True)
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        process = {"pid": bystander.pid, "started": "another boot/1"}
        state = {"provider": "native", "version": "", "ports": {}, "processes": {"kwok": process}}
        (folder / "state.json").write_text(json.dumps(state))
        assert not localcluster.status("four", home=home).components[0].alive
        localcluster.delete("four", home=home)
        assert not folder.exists()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_what_is_not_there_can_be_deleted_and_not_be_seen(tmp_path: Path):
    localcluster.delete("nothing", home=tmp_path / "none")
    assert localcluster.clusters(home=tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    with pytest.raises(NotFound, match='no cluster "nothing"') as caught:
        localcluster.status("nothing", home=tmp_path)
    assert caught.value.hint == "tycho cluster create nothing"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OrchestratorError, match=f"{tmp_path}/file/clusters cannot be made: File exists"):
        localcluster.create("one", provider="native", home=tmp_path / "file/clusters")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a-", "a" * 41, "a\n"])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str, tmp_path: Path):
    for verb in (localcluster.create, localcluster.status, localcluster.delete):
        with pytest.raises(UsageError, match="cannot name a cluster"):
            verb(name, home=tmp_path)
