"""The images that both sides run: the probe, and what an image can say beside it.

One archive in the format of `docker save`, made once and kept: the engine loads it, the node imports it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.behaviour.applications import APPLICATIONS
from tests.behaviour.image import File, Image
from tests.e2e import images as node
from tests.e2e.images import PATH
from tycho.settings import settings
from tycho.toolchain.files import Progress, exclusive_lock
from tycho.toolchain.programs import ARCHITECTURE

PROBE = Path(__file__).parent / "probe"
SECOND = 10**9
SHELL = "docker.io/library/busybox:1"  # the image of the node's tests whose layer has a shell

PASSWD = File(mode=0o644, content="root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/srv/app:/bin/sh\n")
GROUP = File(mode=0o644, content="root:x:0:\napp:x:1000:\nextra:x:2000:app\nmore:x:2001:app\n")
USERS = {"etc/passwd": PASSWD, "etc/group": GROUP, "srv/app": File((1000, 1000), 0o750)}
SEED = {"data": File((472, 0), 0o770), "data/seed": File((472, 0), 0o640, "seed\n")}
IMAGES = {
    "plain": Image(files={"tmp": File(mode=0o1777)}, busybox=True),
    "bare": Image(),
    "user": Image({"User": "app", "WorkingDir": "/srv/app"}, USERS, busybox=True),
    "named": Image(files=USERS, busybox=True),
    "numbered": Image({"User": "472:0", "Volumes": {"/data": {}}}, SEED),
    "owned": Image({"User": "472"}, SEED),
    "seeded": Image(files={"data": File((472, 0), 0o2775), "data/seed": File((472, 0), 0o640, "seed\n"),
                           "data/deep": File((1, 2), 0o700), "data/deep/leaf": File((1, 2), 0o600, "leaf\n")}),
    "volume": Image({"Volumes": {"/data": {}}}, {"data": File(), "data/seed": File(mode=0o644, content="seed\n")}),
    "interrupt": Image({"StopSignal": "SIGINT"}),
    "checked": Image({"Healthcheck": {"Test": ["CMD", "/probe", "health"], "Interval": SECOND, "Retries": 2}},
                     {"tmp": File(mode=0o1777)}),
    "worded": Image({"Entrypoint": ["/probe", "serve"], "Cmd": ["default=1"], "Env": [PATH, "ORIGIN=image", "EMPTY="],
                     "ExposedPorts": {"8080/tcp": {}}, "Labels": {"origin": "image"}}),
    "shelled": Image({"Entrypoint": ["/bin/sh", "-c", 'exec /probe serve shell=1 "$0" "$@"'], "Cmd": ["listen=80"]},
                     busybox=True),
    "placed": Image({"WorkingDir": "/work", "User": "1000:1000"}, {"work": File((1000, 1000), 0o700)}),
    **APPLICATIONS,
}  # fmt: skip


def probe(progress: Progress) -> Path:
    """Build the probe, once for each state of its source."""
    sources = sorted(path for path in PROBE.iterdir() if path.suffix in (".go", ".mod"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    made = settings().cache_dir / "probe" / digest / "probe"
    with exclusive_lock(settings().cache_dir / "probe", progress):
        if not made.exists():
            progress("building the probe (once, about 10 s)")
            for old in made.parent.parent.glob("*/"):
                shutil.rmtree(old)
            env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
            argv = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", made, "."]
            subprocess.run(argv, cwd=PROBE, env=env, check=True, capture_output=True)
    return made


def images(programs: Mapping[str, Path], progress: Progress) -> Path:
    """Make one archive of all images, in the cache."""
    base = node.images(dict(programs), progress)
    program = probe(progress)
    recipe = [repr(IMAGES).encode(), base.name.encode(), program.read_bytes(), Path(__file__).read_bytes()]
    digest = hashlib.sha256(b"".join(recipe)).hexdigest()[:16]
    cache = settings().cache_dir / "probe"
    archive = cache / f"{digest}.tar"
    with exclusive_lock(cache, progress):
        if not archive.exists():
            for old in cache.glob("*.tar"):
                old.unlink()
            staged = archive.with_suffix(".new")
            with tarfile.open(staged, "w") as target:
                _fill(target, _shell(base), program)
            staged.replace(archive)
    return archive


def _fill(target: tarfile.TarFile, shell: bytes, program: Path) -> None:
    layers = {"shell": shell, "probe": _layer({"probe": program.read_bytes()})}
    manifest = []
    digests: dict[str, str] = {}

    def add(name: str, layer: bytes) -> str:
        if name not in digests:
            digests[name] = hashlib.sha256(layer).hexdigest()
            _write(target, f"{digests[name]}/layer.tar", layer)
        return digests[name]

    for name, image in IMAGES.items():
        used = [add(part, layers[part]) for part in (("shell", "probe") if image.busybox else ("probe",))]
        if image.files:
            used.append(add(f"files of {name}", _tree(image.files)))
        config = {"Entrypoint": ["/probe"], "Cmd": ["serve"], "Env": [PATH], "WorkingDir": "/", **image.config}
        text = json.dumps(
            {
                "architecture": ARCHITECTURE,
                "os": "linux",
                "config": config,
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in used]},
            }
        ).encode()
        file = f"{hashlib.sha256(text).hexdigest()}.json"
        _write(target, file, text)
        files = [f"{digest}/layer.tar" for digest in used]
        manifest.append({"Config": file, "RepoTags": [f"docker.io/library/{name}:1"], "Layers": files})
    _write(target, "manifest.json", json.dumps(manifest).encode())


def _shell(base: Path) -> bytes:
    """The layer with a shell, of the archive of the node's own images."""
    with tarfile.open(base) as archive:
        listed = archive.extractfile("manifest.json")
        assert listed
        entry = next(image for image in json.load(listed) if SHELL in image["RepoTags"])
        layer = archive.extractfile(entry["Layers"][0])
        assert layer
        return layer.read()


def _layer(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as layer:
        for path, content in files.items():
            _write(layer, path, content, mode=0o755)
    return packed.getvalue()


def _tree(files: Mapping[str, File]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as layer:
        for path, file in files.items():
            _write(layer, path, None if file.content is None else file.content.encode(), file.mode, file.owner)
    return packed.getvalue()


def _write(
    archive: tarfile.TarFile, name: str, content: bytes | None, mode: int = 0o644, owner: tuple[int, int] = (0, 0)
) -> None:
    info = tarfile.TarInfo(name)
    info.mode, (info.uid, info.gid) = mode, owner
    if content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
        return
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
