"""The service's image, by the Dockerfile itself: an engine builds it in the room, of what was fetched outside."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.behaviour import engine as engines
from tests.behaviour.programs import programs
from tests.e2e.images import PATH, _layer, _packages, _write
from tests.e2e.node import Node
from tycho.settings import settings
from tycho.toolchain.files import Progress, exclusive_lock, no_progress
from tycho.toolchain.programs import ARCHITECTURE

ROOT = Path(__file__).resolve().parents[2]
NAME = "tycho:0.1.0"
BASE, HELM = "service-base:1", "service-helm:1"
PACKAGES = ("busybox-static", "python3", "python3-pip")  # of this machine's Debian: a shell, and what the page asks for
PYTHON = "/usr/bin/python3"  # the one of these packages


def fetch(progress: Progress) -> tuple[dict[str, Path], Path, Path]:
    """Get all that a build takes: an engine, an archive of the two images it stands on, and a folder of wheels.

    Args:
        progress: Told what takes time.

    Raises:
        ToolMissing: A program can be neither found nor downloaded nor built.
        CalledProcessError: A package or a wheel cannot be had.
    """
    paths = programs(progress)
    lock = (ROOT / "requirements.lock").read_bytes()
    recipe = [repr((PACKAGES, BASE, HELM)).encode(), lock, paths["helm"].read_bytes()]
    kept = settings().cache_dir / "service"
    folder = kept / hashlib.sha256(b"".join(recipe)).hexdigest()[:16]
    with exclusive_lock(kept, progress):
        if not folder.exists():
            progress("getting packages and wheels for an image of the service (once, about 1 min)")
            for old in kept.glob("*/"):
                shutil.rmtree(old)
            staged = folder.with_suffix(".new")
            staged.mkdir()
            with tempfile.TemporaryDirectory(dir=kept) as parts:
                _archive(Path(parts), paths["helm"], staged / "bases.tar")
            asked = [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
            argv = [sys.executable, "tools/wheelhouse.py", ".", staged / "wheelhouse", version]
            subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)
            staged.rename(folder)
    return paths, folder / "bases.tar", folder / "wheelhouse"


def build(node: Node, code: Path, home: Path) -> None:
    """Build the image of a program, and give it to the node.

    Args:
        node: Gets it.
        code: Where the program is, and its Dockerfile.
        home: An empty folder.
    """
    paths, bases, wheels = fetch(no_progress)
    shutil.copytree(wheels, home / "wheelhouse", ignore=shutil.ignore_patterns("tycho-*"))
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", home / "wheelhouse"]
    subprocess.run(wheel, cwd=code, check=True, capture_output=True)
    shutil.copy(code / "Dockerfile", home)
    engine = engines.start(paths, bases)
    try:
        asked = {"t": NAME, "networkmode": "none", "buildargs": json.dumps({"BASE": BASE, "HELM": HELM})}
        message = engine.ask("POST", f"/build?{urlencode(asked)}", _pack(home), "application/x-tar")
        assert "errorDetail" not in str(message), f"the image cannot be built: {message[-2000:]}"
        archive = home / "image.tar"
        archive.write_bytes(engine.read("GET", f"/images/{quote(NAME, safe='')}/get"))
    finally:
        engine.stop()
    node.import_images(archive)


def _pack(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder, ".")
    return packed.getvalue()


def _archive(folder: Path, helm: Path, out: Path) -> None:
    """Make both images, in the format of `docker save`."""
    layers = {BASE: _packages(folder / "base", PACKAGES), HELM: _layer(folder / "helm", {"usr/bin/helm": helm})}
    manifest = []
    with tarfile.open(out, "w") as archive:
        for name, layer in layers.items():
            digest = hashlib.sha256(layer.read_bytes()).hexdigest()
            archive.add(layer, f"{digest}/layer.tar")
            config: Mapping[str, object] = {
                "architecture": ARCHITECTURE,
                "os": "linux",
                "config": {"Env": [PATH]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            }
            text = json.dumps(config).encode()
            file = f"{hashlib.sha256(text).hexdigest()}.json"
            _write(archive, file, text)
            manifest.append(
                {"Config": file, "RepoTags": [f"docker.io/library/{name}"], "Layers": [f"{digest}/layer.tar"]}
            )
        _write(archive, "manifest.json", json.dumps(manifest).encode())
