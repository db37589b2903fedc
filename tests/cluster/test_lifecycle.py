"""A cluster from its making to its end: real programs, on this machine."""

from __future__ import annotations

import json
import os
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests import certificates
from tycho import localcluster
from tycho.errors import NotFound, OrchestratorError, UsageError
from tycho.kube.client import KubeClient
from tycho.localcluster import Cluster, native
from tycho.toolchain import programs
from tycho.toolchain.process import until

pytestmark = pytest.mark.xdist_group("cluster")
NOTE = "/api/v1/namespaces/default/configmaps/note"
PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("state") / "tycho/clusters"
    yield home
    for made in localcluster.clusters(home=home):
        localcluster.delete(made.name, home=home)


@pytest.fixture(scope="module")
def first(home: Path) -> Cluster:
    return localcluster.create("one", provider="native", home=home)


@pytest.fixture
def administrator(first: Cluster) -> Iterator[KubeClient]:
    client = KubeClient(str(first.kubeconfig))
    yield client
    client.close()


def pki_of(made: Cluster) -> Path:
    return made.kubeconfig.parent / f"clusters/tycho-{made.name}/pki"


def pids(made: Cluster) -> dict[str, int]:
    return dict(made.processes)


def dead(made: Cluster) -> set[str]:
    return set(PROGRAMS) - made.processes.keys()


def running(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_what_create_returns_is_what_status_sees(first: Cluster, administrator: KubeClient, home: Path) -> None:
    assert first == localcluster.status("one", home=home)
    assert localcluster.clusters(home=home) == [first]
    assert first.running
    assert first.simulated
    assert first.provider == "native"
    assert first.version.startswith("1.37.")
    assert list(pids(first)) == PROGRAMS
    assert all(running(pid) for pid in pids(first).values())
    assert administrator.is_ready()


def test_the_kubeconfig_names_its_context(first: Cluster) -> None:
    import yaml

    config = yaml.safe_load(first.kubeconfig.read_text())
    assert config["current-context"] == "tycho-one"
    assert config["contexts"] == [{"name": "tycho-one", "context": {"cluster": "tycho-one", "user": "tycho-one"}}]
    assert config["clusters"][0]["cluster"]["server"] == first.server


def test_a_running_cluster_is_left_as_it_is(first: Cluster, home: Path) -> None:
    assert localcluster.create("one", home=home) == first


def test_nothing_listens_beyond_loopback(first: Cluster) -> None:
    inodes = {
        str(target).removeprefix("socket:[").rstrip("]")
        for pid in pids(first).values()
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


def test_nobody_else_can_read_its_folder(first: Cluster) -> None:
    folder = first.kubeconfig.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"admin.key", "ca.key", "etcd.log", "kubeconfig", "kwok.yaml", "state.json"} <= {path.name for path in files}
    assert {path.name for path in files if path.stat().st_mode & 0o077} == set()


def ports_of(made: Cluster, name: str) -> list[int]:
    options = Path(f"/proc/{made.processes[name]}/cmdline").read_text().split("\0")
    urls = [word.partition("=")[2] for word in options if word.startswith("--listen-")]
    return [int(url.rpartition(":")[2]) for url in urls]


def test_etcd_answers_none_without_its_certificate(first: Cluster, tmp_path: Path) -> None:
    pki = pki_of(first)
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    ports = ports_of(first, "etcd")
    assert len(ports) == 2
    assert all(is_refused(port, context) for port in ports)
    certificates.authority(tmp_path, "stranger")
    certificates.certificate(tmp_path, "eve", "stranger", "kwok-admin", "system:masters")
    context.load_cert_chain(tmp_path / "eve.crt", tmp_path / "eve.key")
    assert all(is_refused(port, context) for port in ports)


def is_refused(port: int, context: ssl.SSLContext) -> bool:
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


def test_etcd_answers_its_owner(first: Cluster) -> None:
    pki = pki_of(first)
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    assert not all(is_refused(port, context) for port in ports_of(first, "etcd"))


def test_the_api_server_shows_a_stranger_nothing(first: Cluster) -> None:
    context = ssl.create_default_context(cafile=str(pki_of(first) / "ca.crt"))
    connection = HTTPSConnection(first.server.removeprefix("https://"), context=context, timeout=10)
    connection.request("GET", "/api/v1/secrets")
    assert connection.getresponse().status == 403
    connection.close()


def test_what_died_comes_back_with_what_it_knew(first: Cluster, administrator: KubeClient, home: Path) -> None:
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"text": "remember"}}
    administrator.apply(NOTE, note, manager="tests")
    killed = {"etcd", "kube-apiserver", "kwok-controller"}
    for name in killed:
        os.kill(pids(first)[name], signal.SIGKILL)
    assert until(lambda: dead(localcluster.status("one", home=home)) == killed, 10)
    assert not localcluster.status("one", home=home).running
    again = localcluster.create("one", home=home)
    assert again.running
    assert again.server == first.server
    assert {name for name in PROGRAMS if pids(again)[name] != pids(first)[name]} >= killed
    assert administrator.request("GET", NOTE)["data"] == {"text": "remember"}


def test_two_commands_at_once_make_one_cluster_beside_another(first: Cluster, home: Path) -> None:
    env = {**os.environ, "XDG_STATE_HOME": str(home.parents[1]), "DOCKER_HOST": "unix:///nonexistent"}
    tycho = [sys.executable, "-m", "tycho", "cluster"]
    commands = [
        subprocess.Popen([*tycho, "create", "two"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate() for process in commands]
    assert [process.returncode for process in commands] == [0, 0], outputs
    two = localcluster.status("two", home=home)
    assert [out for out, _ in outputs] == [f"{two.kubeconfig}\n"] * 2
    assert sum("starting cluster two" in err for _, err in outputs) == 1
    assert two.running
    assert two.server != first.server
    assert KubeClient(str(two.kubeconfig)).request("GET", "/api/v1/nodes/simulated")["metadata"]["uid"]

    table = subprocess.run([*tycho, "status"], env=env, check=True, capture_output=True, text=True).stdout
    assert [line.split()[:3] for line in table.splitlines()[1:]] == [
        ["one", "running", "native"],
        ["two", "running", "native"],
    ]

    subprocess.run([*tycho, "delete", "two"], env=env, check=True, capture_output=True)
    assert not two.kubeconfig.parent.exists()
    assert not any(running(pid) for pid in pids(two).values())
    assert localcluster.status("one", home=home).running


def test_a_process_that_only_has_the_same_id_is_left_alone(home: Path) -> None:
    cluster = localcluster.create("four", provider="native", home=home)
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        os.kill(pids(cluster)["kwok-controller"], signal.SIGKILL)
        (pki_of(cluster).parent / "pids/kwok-controller.pid").write_text(str(bystander.pid))
        assert until(lambda: dead(localcluster.status("four", home=home)) == {"kwok-controller"}, 10)
        assert localcluster.create("four", home=home).running
        (pki_of(cluster).parent / "pids/kwok-controller.pid").write_text(str(bystander.pid))
        localcluster.delete("four", home=home)
        assert not (home / "four").exists()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_what_an_earlier_version_made_is_made_anew(home: Path) -> None:
    folder = home / "seven"
    folder.mkdir(parents=True)
    former = {"provider": "native", "version": "1.37.1", "ports": {"api": 1}, "processes": {}}
    (folder / "state.json").write_text(json.dumps(former))
    etcd = programs.tool("etcd")
    client, peer = (f"http://127.0.0.1:{port}" for port in native.find_ports(2))
    argv = [etcd, f"--data-dir={folder}/etcd", f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}"]  # fmt: skip
    earlier = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert until(lambda: pids(localcluster.status("seven", home=home))["etcd"] == earlier.pid, 10)
    again = localcluster.create("seven", home=home)
    assert again.running
    assert earlier.wait(5) == -signal.SIGKILL
    localcluster.delete("seven", home=home)


def test_what_is_not_there_can_be_deleted_and_not_be_seen(tmp_path: Path) -> None:
    localcluster.delete("nothing", home=tmp_path / "none")
    assert localcluster.clusters(home=tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    with pytest.raises(NotFound, match='no cluster "nothing"') as caught:
        localcluster.status("nothing", home=tmp_path)
    assert caught.value.hint == "`tycho cluster create nothing` makes it"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OrchestratorError, match=f"{tmp_path}/file/clusters cannot be made: File exists"):
        localcluster.create("one", provider="native", home=tmp_path / "file/clusters")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a-", "a" * 41, "a\n"])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    for verb in (localcluster.create, localcluster.status, localcluster.delete):
        with pytest.raises(UsageError, match="cannot name a cluster"):
            verb(name, home=tmp_path)
