"""Images that a system builds itself: made by the engine from the system's files, for both sides."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from urllib.parse import urlencode

from tests.behaviour.engine import Engine
from tests.behaviour.project import Json, Project, canonical

INLINE = ".inline.Dockerfile"


def build_images(engine: Engine, project: Project, folder: Path) -> list[str]:
    """Build the images of every service that says how, under the names that Compose gives them.

    Args:
        engine: Where they are built.
        project: The system.
        folder: A copy of its files, which nobody else changes.

    Returns:
        The images' names.
    """
    if not any("build" in service for service in project.tree["services"].values()):
        return []
    project.write(folder)
    names = []
    for name, service in canonical(folder)["services"].items():
        if build := service.get("build"):
            names.append(service.get("image") or f"{project.name}-{name}")
            _build(engine, names[-1], build)
    return names


def _build(engine: Engine, name: str, build: Json) -> None:
    asked = {
        "t": name,
        "dockerfile": INLINE if "dockerfile_inline" in build else build.get("dockerfile", "Dockerfile"),
        "target": build.get("target", ""),
        "buildargs": json.dumps(build.get("args") or {}),
        "labels": json.dumps(build.get("labels") or {}),
        "networkmode": "none",
        "rm": "1",
    }
    context = _pack(Path(build["context"]), build.get("dockerfile_inline"))
    message = engine.ask("POST", f"/build?{urlencode(asked)}", context, "application/x-tar")
    assert "errorDetail" not in str(message), f"{name} cannot be built: {message}"


def _pack(context: Path, inline: str | None) -> bytes:
    """Pack a build context; its files are root's, as for a build by root."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(context, ".")
        if inline is not None:
            info = tarfile.TarInfo(INLINE)
            info.size = len(inline.encode())
            archive.addfile(info, io.BytesIO(inline.encode()))
    return packed.getvalue()
