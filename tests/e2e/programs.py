"""The programs of a node, beside those of the project's own control plane: from the cache, else built once."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tycho.settings import settings
from tycho.toolchain.build import build
from tycho.toolchain.files import Progress, exclusive_lock
from tycho.toolchain.programs import Program, _kubernetes, tools


def _containerd(name: str) -> Program:
    return Program(name, "2.4.2", (2, 4), (3,), "github.com/containerd/containerd/v2", f"/cmd/{name}")


OURS = ("helm", "kubectl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
THEIRS = (
    _kubernetes("kubelet", 110, (1, 37), (1, 38)),
    _kubernetes("kube-proxy", 30, (1, 37), (1, 38)),
    _containerd("containerd"),
    _containerd("containerd-shim-runc-v2"),
    _containerd("ctr"),
    Program("coredns", "1.15.0", (1, 15), (2,), "github.com/coredns/coredns", "", seconds=102),
)


def programs(progress: Progress) -> dict[str, Path]:
    """Every program of a cluster with a real node, by name.

    Args:
        progress: Told what takes time.

    Raises:
        ToolMissing: One can be neither found nor downloaded nor built.
    """
    paths = tools(OURS, progress)
    with exclusive_lock(settings().cache_dir / "bin", progress):
        absent = [program for program in THEIRS if not program.cached.exists()]
        for _, some in groupby(absent, key=lambda program: program.module):
            build(list(some), progress)
    return {**paths, **{program.name: program.cached for program in THEIRS}}
