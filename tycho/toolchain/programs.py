"""Programs that Tycho runs: which versions will do, and where they come from.

One that will do is taken from PATH, else from the cache; what is nowhere is downloaded, its checksum checked, or else
built with Go, once.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from tycho.settings import environment, settings
from tycho.toolchain.files import Progress, exclusive_lock, no_progress
from tycho.toolchain.versions import Version, recall_version, remember_version


class Program(Struct, frozen=True):
    """A program.

    Args:
        name: Of its file.
        version: The one that is fetched.
        oldest: The oldest that will do.
        below: The first that will not do any more.
        module: Go module that it is in.
        package: Its folder in there.
        stamps: Variables to set when it is linked; `{version}` and `{minor}` are known.
        seconds: What building it takes on two cores.
        url: Of the official download; `{name}`, `{version}`, `{os}` and `{arch}` are known. "" when no checksum of it
            is published.
        sums: Where its SHA-256 is published; `{url}` and `{folder}` are known.
        member: Its path in the archive that the URL gives; "" when that is the program itself.
        asks: Arguments that make it say its version.
        tags: Build tags; a program that has some is linked against the machine's C libraries.
    """

    name: str
    version: str
    oldest: Version
    below: Version
    module: str
    package: str
    stamps: tuple[str, ...] = ()
    seconds: int = 60
    url: str = ""
    sums: str = "{url}.sha256"
    member: str = ""
    asks: tuple[str, ...] = ("--version",)
    tags: tuple[str, ...] = ()

    @property
    def cached(self) -> Path:
        """Where it is kept."""
        return settings().cache_dir / "bin" / self.version / self.name


ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
KUBERNETES = "1.37.2"
GITHUB = "https://github.com"
STAMPS = tuple(
    f"{package}.{variable}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for variable in ("gitVersion=v{version}", "gitMajor=1", "gitMinor={minor}", "gitTreeState=clean")
)


def _kubernetes(
    name: str, seconds: int, oldest: Version, below: Version, asks: tuple[str, ...] = ("--version",)
) -> Program:
    return Program(
        name, KUBERNETES, oldest, below, "k8s.io/kubernetes", f"/cmd/{name}", STAMPS, seconds,
        "https://dl.k8s.io/release/v{version}/bin/{os}/{arch}/{name}", asks=asks,
    )  # fmt: skip


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            "helm", "4.3.1", (4, 2, 4), (5,), "helm.sh/helm/v4", "/cmd/helm",
            ("helm.sh/helm/v4/internal/version.version=v{version}",), 130,
            "https://get.helm.sh/helm-v{version}-{os}-{arch}.tar.gz", "{url}.sha256sum", "{os}-{arch}/helm",
            ("version", "--template", "{{.Version}}"),
        ),
        Program(
            "etcd", "3.7.3", (3, 5, 13), (4,), "go.etcd.io/etcd/server/v3", "", (), 60,
            GITHUB + "/etcd-io/etcd/releases/download/v{version}/etcd-v{version}-{os}-{arch}.tar.gz",
            "{folder}/SHA256SUMS", "etcd-v{version}-{os}-{arch}/etcd",
        ),
        _kubernetes("kube-apiserver", 245, (1, 37), (1, 38)),
        _kubernetes("kube-controller-manager", 81, (1, 37), (1, 38)),
        _kubernetes("kube-scheduler", 9, (1, 37), (1, 38)),
        _kubernetes("kubectl", 19, (1, 36), (1, 39), ("version", "--client")),
        Program("kwok", "0.8.0", (0, 8), (0, 9), "sigs.k8s.io/kwok", "/cmd/kwok", seconds=61),
        Program("kwokctl", "0.8.0", (0, 8), (0, 9), "sigs.k8s.io/kwok", "/cmd/kwokctl", seconds=20),
        Program(
            "kind", "0.33.0", (0, 27), (1,), "sigs.k8s.io/kind", "", (), 4,
            GITHUB + "/kubernetes-sigs/kind/releases/download/v{version}/kind-{os}-{arch}", "{url}.sha256sum",
            asks=("version",),
        ),
        Program(
            "crane", "0.22.1", (0, 20), (1,), "github.com/google/go-containerregistry", "/cmd/crane",
            ("github.com/google/go-containerregistry/cmd/crane/cmd.Version=v{version}",), 30,
            GITHUB + "/google/go-containerregistry/releases/download/v{version}/go-containerregistry_Linux_"
            + {"amd64": "x86_64"}.get(ARCHITECTURE, ARCHITECTURE) + ".tar.gz",
            "{folder}/checksums.txt", "crane", ("version",),
        ),
    )
}  # fmt: skip


def find(name: str) -> Path | None:
    """A program that will do, from PATH or from the cache; nothing is fetched.

    Args:
        name: A key of `PROGRAMS`.
    """
    program = PROGRAMS[name]
    on_path = shutil.which(name, path=environment().get("PATH"))
    if on_path and program.oldest <= version(Path(on_path), program.asks) < program.below:
        return Path(on_path)
    return program.cached if program.cached.exists() else None


def tool(name: str, progress: Progress = no_progress) -> Path:
    """A program that will do; fetched when there is none.

    Args:
        name: A key of `PROGRAMS`.
        progress: Told what takes time.

    Raises:
        ToolMissing: It could neither be found nor downloaded nor built.
    """
    return tools([name], progress)[name]


def tools(names: Iterable[str], progress: Progress = no_progress) -> dict[str, Path]:
    """Several programs at once: those of one Go module are built together; see `tool`."""
    requested = list(names)
    paths = {name: path for name in requested if (path := find(name))}
    if len(paths) == len(requested):
        return paths
    from tycho.toolchain.build import build
    from tycho.toolchain.download import download

    with exclusive_lock(settings().cache_dir / "bin", progress):
        absent = [PROGRAMS[name] for name in requested if not find(name)]
        absent = [program for program in absent if not download(program, progress)]
        for _, programs in groupby(absent, key=lambda program: program.module):
            build(list(programs), progress)
    return {name: find(name) or PROGRAMS[name].cached for name in requested}


def version(path: Path, asks: Iterable[str]) -> Version:
    """Return the version that a program says it has; () when it says none. It is asked once.

    Args:
        path: The program.
        asks: Arguments that make it say its version.
    """
    known = recall_version(path)
    if known is None:
        argv = [str(path), *asks]
        try:
            ran = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ()
        match = re.search(rb"(\d+)\.(\d+)\.(\d+)", ran.stdout)
        known = tuple(int(part) for part in match.groups()) if match else ()
        remember_version(path, known)
    return known
