"""Clusters whose programs do not start as they should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Script
from tests.cluster.test_lifecycle import PROGRAMS, dead
from tycho import localcluster
from tycho.errors import OrchestratorError
from tycho.localcluster import native
from tycho.toolchain import programs

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "tycho/clusters"
    yield home
    for made in localcluster.clusters(home=home):
        localcluster.delete(made.name, home=home)


def test_a_cluster_that_cannot_start_says_why_and_leaves_no_process(
    script: Script, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYCHO_HELM", "/bin/true")
    script("kube-apiserver", '[ "$1" = --version ] && echo Kubernetes v1.37.2 && exit; echo no key at all; exit 1')
    with pytest.raises(OrchestratorError, match="kube-apiserver ended:\nno key at all") as caught:
        localcluster.create("three", provider="native", home=home)
    folder = home / "three"
    assert str(folder / "clusters/tycho-three/logs/kube-apiserver.log") in caught.value.hint
    seen = localcluster.status("three", home=home)
    assert not seen.running
    assert dead(seen) == set(PROGRAMS)
    localcluster.delete("three", home=home)
    assert not folder.exists()


def test_a_program_that_gave_up_on_a_slow_api_server_is_started_again(
    script: Script, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the API server is there: the first start ends when it has seen the node that it is to make ready."""
    kwok, kubectl = programs.tool("kwok"), programs.tool("kubectl")
    monkeypatch.setenv("TYCHO_HELM", "/bin/true")
    shell, genuine = (tmp_path / folder / "kwok-controller" for folder in ("shell", "genuine"))
    for link, program in ((shell, Path("/bin/sh")), (genuine, kwok)):  # a cluster's processes are known by their names
        link.parent.mkdir()
        link.symlink_to(program)
    text = f"""
        [ "$1" = --version ] || [ -e {tmp_path}/gave-up ] && exec {genuine} "$@"
        for word; do case "$word" in --kubeconfig=*) kubeconfig="$word";; esac; done
        until {kubectl} "$kubeconfig" get node simulated; do /bin/sleep 0.1; done
        : > {tmp_path}/gave-up
        exit 1
    """
    path = script("kwok", text)
    path.write_text(path.read_text().replace("#!/bin/sh", f"#!{shell}"))
    cluster = localcluster.create("eight", provider="native", home=home)
    assert (tmp_path / "gave-up").exists()
    assert cluster.running
    localcluster.delete("eight", home=home)


def test_a_program_that_is_broken_is_named(
    cache: Path, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYCHO_HELM", "/bin/true")
    for name in native.PROGRAMS:
        cached = programs.PROGRAMS[name].cached
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.touch()
    with pytest.raises(OrchestratorError, match=r"/kwokctl cannot be started: Permission denied"):
        localcluster.create("six", provider="native", home=tmp_path)
