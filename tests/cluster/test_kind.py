"""Where Docker answers, kind makes the cluster.

No Docker is needed here: a script that takes kind's arguments lends out a cluster that is there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.conftest import Script
from tycho import localcluster
from tycho.errors import NotFound, OrchestratorError
from tycho.kube.kubeconfig import KubeconfigLoader

KIND = """
    [ "$1" = version ] && {{ echo kind v0.33.0; exit; }}
    echo "$@" >>{tmp}/asked
    case "$1 $2" in
      "get clusters") /bin/cat {tmp}/there ;;
      "create cluster") echo $4 >{tmp}/there; /bin/sed s/tycho-run/kind-tycho-run/ {lent} >$6 ;;
      "delete cluster") echo -n >{tmp}/there ;;
    esac
"""


@pytest.fixture
def kind(cache: Path, script: Script, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TYCHO_HELM", "/bin/true")
    (tmp_path / "there").touch()
    script("docker", f"""[ "$1" = info ] || echo docker "$@" >>{tmp_path}/asked""")
    script("kind", KIND.format(tmp=tmp_path, lent=kubeconfig))
    return tmp_path / "asked"


def test_kind_makes_it_and_removes_it(kind: Path, kubeconfig: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = localcluster.create("shop", home=home)
    assert made == localcluster.status("shop", home=home)
    assert (made.provider, made.running, made.simulated, made.processes) == ("kind", True, False, {})
    assert made.version.startswith("1.37.")
    assert made.server == KubeconfigLoader(str(kubeconfig), "").load().server
    assert made.kubeconfig.stat().st_mode & 0o077 == 0
    assert "current-context: tycho-shop" in made.kubeconfig.read_text()
    assert kind.read_text().splitlines() == [
        "get clusters",
        f"create cluster --name tycho-shop --kubeconfig {made.kubeconfig} --wait 2m",
    ]
    assert localcluster.create("shop", home=home) == made
    assert len(kind.read_text().splitlines()) == 2
    localcluster.delete("shop", home=home)
    assert kind.read_text().splitlines()[2:] == [f"delete cluster --name tycho-shop --kubeconfig {made.kubeconfig}"]
    assert localcluster.clusters(home=home) == []


def test_a_stopped_node_is_started_again(kind: Path, script: Script, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = localcluster.create("shop", home=home)
    made.kubeconfig.rename(tmp_path / "saved")
    assert not localcluster.status("shop", home=home).running
    script(
        "docker",
        f"""
        [ "$1" = start ] && /bin/cp {tmp_path}/saved {made.kubeconfig}
        echo docker "$@" >>{tmp_path}/asked
    """,
    )
    assert localcluster.create("shop", home=home) == made
    assert kind.read_text().splitlines()[2:] == ["get clusters", "docker start tycho-shop-control-plane"]


def test_its_node_takes_images(kind: Path, kubeconfig: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = localcluster.create("shop", home=home)
    assert localcluster.find_by_kubeconfig(str(made.kubeconfig), home=home) == "shop"
    assert [localcluster.find_by_kubeconfig(other, home=home) for other in ("", str(kubeconfig))] == ["", ""]
    localcluster.load_images(["shop-web:1", "shop-api:2"], "shop", home=home)
    assert kind.read_text().splitlines()[2:] == ["load docker-image shop-web:1 shop-api:2 --name tycho-shop"]
    with pytest.raises(NotFound, match='there is no cluster "other" here'):
        localcluster.load_images(["shop-web:1"], "other", home=home)


def test_what_kind_says_reaches_the_user(kind: Path, script: Script, tmp_path: Path) -> None:
    script("kind", "[ $1 = version ] && { echo kind v0.33.0; exit; }; echo no such image >&2; exit 1")
    with pytest.raises(OrchestratorError, match=r"kind get clusters failed:\nno such image"):
        localcluster.create("shop", home=tmp_path / "home")


def test_a_docker_that_does_not_answer_is_none(cache: Path, script: Script) -> None:
    from tycho.localcluster import kind as provider

    assert not provider.answers()
    script("docker", "echo cannot connect to the Docker daemon >&2; exit 1")
    assert not provider.answers()
    script("docker", "exit 0")
    assert provider.answers()
