"""Images of real software without a registry: layers of Debian packages, made once and kept."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tycho.chart.values import BUSYBOX, KUBECTL
from tycho.settings import settings
from tycho.toolchain.files import Progress, exclusive_lock
from tycho.toolchain.programs import ARCHITECTURE

FILES = Path(__file__).parent / "files"
LAYERS = {
    "tiny": ("busybox-static",),
    "software": ("python3", "python3-psycopg2", "redis-server", "nginx-light", "postgresql", "curl", "util-linux"),
}
UNWANTED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl", "usr/share/i18n",
            "usr/share/postgresql/*/man", "usr/lib/*/perl*", "usr/lib/*/libLLVM*", "usr/lib/*/libz3*",
            "usr/lib/llvm*", "usr/lib/postgresql/*/lib/bitcode", "usr/lib/postgresql/*/lib/llvmjit*",
            "usr/lib/*/libperl*", "usr/bin/perl*")  # fmt: skip
USERS = {
    "root": 0,
    "daemon": 1,
    "www-data": 33,
    "postgres": 70,
    "redis": 100,
    "app": 1000,
    "nobody": 65534,
    "nogroup": 65534,
}
OWNED = {"srv": (0, 0o755, ""), "srv/data": (472, 0o750, ""), "srv/data/first": (472, 0o640, "from the image"),
         "srv/data/sub": (0, 0o755, ""), "srv/data/sub/second": (33, 0o644, "too")}  # fmt: skip
"""A layer's folders and files: owner, mode, content."""
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Args:
        layers: The lowest first.
        command: What it runs by itself.
        entrypoint: What that is given to.
    """

    layers: tuple[str, ...]
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


ALL = ("tiny", "software")
IMAGES = {
    "registry.k8s.io/pause:3.10": Image(("tiny",), ("/bin/busybox", "sleep", "infinity")),
    "registry.k8s.io/coredns:1.15.0": Image(("coredns",), (), ("/coredns",)),
    KUBECTL.text: Image(("kubectl",), (), ("/bin/kubectl",)),
    "docker.io/library/busybox:1": Image(("tiny",), ("sh",)),
    BUSYBOX.text: Image(("tiny",), ("sh",)),
    "docker.io/library/keeper:1": Image(("tiny", "owned"), ("sh",)),
    "docker.io/library/python:3": Image(ALL, ("python3",)),
    "docker.io/library/redis:7": Image(ALL, ("redis-server", "--protected-mode", "no", "--dir", "/data")),
    "docker.io/library/nginx:1": Image(ALL, ("nginx", "-g", "daemon off;", "-c", "/etc/nginx/tycho.conf")),
    "docker.io/library/postgres:15": Image(ALL, ("postgres",), ("/usr/local/bin/entrypoint-postgres",)),
    "docker.io/postgrest/postgrest:1": Image(ALL, (), ("/usr/local/bin/postgrest",)),  # by what the shop asks of it
    "docker.io/jupyter/datascience-notebook:latest": Image(ALL, ("sh",)),  # by its name alone: a page server
    "docker.io/library/worded:1": Image(("tiny",), ("world", "two words"), ("/bin/echo", "hello")),
}


def images(programs: dict[str, Path], progress: Progress) -> Path:
    """One archive of all images, in the cache.

    Args:
        programs: Those of the node: some of them are in images themselves.
        progress: Told what takes time.
    """
    recipe = [
        repr((LAYERS, UNWANTED, USERS, IMAGES, OWNED)).encode(),
        *(path.read_bytes() for path in sorted(FILES.iterdir())),
    ]
    digest = hashlib.sha256(b"".join(recipe)).hexdigest()[:16]
    cache = settings().cache_dir / "images"
    archive = cache / f"{digest}.tar"
    with exclusive_lock(cache, progress):
        if not archive.exists():
            progress("making images of Debian packages (once, about a minute)")
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                made = _archive(Path(folder), programs)
                for old in cache.glob("*.tar"):
                    old.unlink()
                made.replace(archive)
    return archive


def _archive(folder: Path, programs: dict[str, Path]) -> Path:
    """The images, in the format of `docker save`; a layer that several share is in there once."""
    tars = {name: _packages(folder / name, packages) for name, packages in LAYERS.items()}
    tars["coredns"] = _layer(folder / "coredns", {"coredns": programs["coredns"]})
    tars["kubectl"] = _layer(folder / "kubectl", {"bin/kubectl": programs["kubectl"]})
    tars["owned"] = _owned(folder / "owned.tar")
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in tars.items()}
    manifest = []
    with tarfile.open(folder / "images.tar", "w") as archive:
        for name, path in tars.items():
            archive.add(path, f"{digests[name]}/layer.tar")
        for name, image in IMAGES.items():
            config = {
                "architecture": ARCHITECTURE,
                "os": "linux",
                "config": {"Entrypoint": image.entrypoint, "Cmd": image.command, "Env": [PATH], "WorkingDir": "/"},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digests[layer]}" for layer in image.layers]},
            }
            encoded = json.dumps(config).encode()
            file = f"{hashlib.sha256(encoded).hexdigest()}.json"
            _write(archive, file, encoded)
            layers = [f"{digests[layer]}/layer.tar" for layer in image.layers]
            manifest.append({"Config": file, "RepoTags": [name], "Layers": layers})
        _write(archive, "manifest.json", json.dumps(manifest).encode())
    return folder / "images.tar"


def _write(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _owned(out: Path) -> Path:
    """A layer whose files belong to others than root."""
    with tarfile.open(out, "w") as archive:
        for name, (owner, mode, content) in OWNED.items():
            info = tarfile.TarInfo(name)
            info.uid = info.gid = owner
            info.mode, info.size = mode, len(content)
            info.type = tarfile.REGTYPE if content else tarfile.DIRTYPE
            archive.addfile(info, io.BytesIO(content.encode()))
    return out


def _layer(root: Path, files: dict[str, Path]) -> Path:
    """A layer of single files that can be run."""
    for name, source in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / name)
        (root / name).chmod(0o755)
    return _tar(root)


def _packages(root: Path, packages: tuple[str, ...]) -> Path:
    """A layer of Debian packages with all that they depend on, unpacked and not configured."""
    for name in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "tmp", "root", "data", "var/lib"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):  # packages may hold either path
        (root / name).symlink_to(f"usr/{name}")
    (root / "tmp").chmod(0o1777)
    (root / "data").chmod(0o777)
    debs = root.with_suffix(".debs")
    (debs / "partial").mkdir(parents=True)
    (debs / "status").touch()  # nothing is installed yet: so it takes everything
    options = [f"Dir::State::status={debs}/status", f"Dir::Cache::archives={debs}", "APT::Sandbox::User=root",
               "APT::Install-Recommends=0", "Debug::NoLocking=1"]  # fmt: skip
    argv = ["apt-get", "-qq", "-y", *(f"-o{option}" for option in options), "--download-only", "install", *packages]
    subprocess.run(argv, check=True, capture_output=True)
    unwanted = [f"--exclude=./{path}" for path in UNWANTED]
    unpack = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner", *unwanted]
    for deb in sorted(debs.glob("*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as package:
            subprocess.run(unpack, stdin=package.stdout, check=True)
    (root / "etc/passwd").write_text("".join(f"{name}:x:{n}:{n}::/:/bin/sh\n" for name, n in USERS.items()))
    (root / "etc/group").write_text("".join(f"{name}:x:{n}:\n" for name, n in USERS.items()))
    for source in FILES.iterdir():
        _place(source, root)
    busybox = root / "usr/bin/busybox"
    if busybox.exists():
        listed = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True)
        for applet in set(listed.stdout.split()) - {"busybox"}:
            if not (root / "usr/bin" / applet).exists():
                (root / "usr/bin" / applet).symlink_to("busybox")
    for tool in root.glob("usr/lib/postgresql/*/bin/*"):
        (root / "usr/local/bin" / tool.name).symlink_to(f"/{tool.relative_to(root)}")
    return _tar(root)


def _place(source: Path, root: Path) -> None:
    """A file of our own; its name says where, with `+` for `/`."""
    target = root / source.name.replace("+", "/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _tar(root: Path) -> Path:
    out = root.with_suffix(".tar")
    with tarfile.open(out, "w") as archive:
        archive.add(root, ".", filter=lambda info: info.replace(uid=0, gid=0, uname="", gname="", mtime=0, deep=False))
    shutil.rmtree(root)
    return out
