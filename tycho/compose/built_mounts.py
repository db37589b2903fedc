"""Whether an image is built with a folder that its service mounts: then the image holds it already."""

from __future__ import annotations

import os.path
import posixpath
from collections.abc import Mapping
from typing import Any

from tycho.compose.dockerfile import MAX_DOCKERFILE, copies_folder, is_ignored
from tycho.compose.sources import Sources
from tycho.files import FileRefused, is_below, names_host
from tycho.model.paths import is_local

Fields = dict[str, Any]


def is_built(sources: Sources, service: Fields, mount: Fields, roots: tuple[str, ...]) -> bool:
    """Tell whether a writable folder lies in its service's build context, and the Dockerfile copies it to the target.

    Args:
        sources: Where the files around the project are.
        service: The service.
        mount: A bind of it, whose source was looked at.
        roots: Resolved folders, below one of which a Dockerfile is read.
    """
    build = service.get("build")
    single = mount.get("single") or any(not file.path for file in mount.get("files") or ())
    source = mount["source"]
    if not build or mount.get("read_only") or single or names_host(source):
        return False
    context = str(build.get("context") or ".")
    if not is_local(context):
        return False
    full, around = (os.path.normpath(sources.path(path)) for path in (source, context))
    if not is_below(full, (around,)):
        return False
    path = os.path.join(around, str(build.get("dockerfile") or "Dockerfile"))
    inline = str(build.get("dockerfile_inline") or "")
    below = posixpath.relpath(full, around)
    args = {name: str(value) for name, value in _mapping(build.get("args")).items() if value is not None}
    stage = str(build.get("target") or "")
    if not copies_folder(inline or _read(sources, path, roots), below, mount["target"], stage=stage, args=args):
        return False
    own = "" if inline else _read(sources, f"{path}.dockerignore", roots)  # it goes before the common one
    return not is_ignored(own or _read(sources, os.path.join(around, ".dockerignore"), roots), below)


def _read(sources: Sources, path: str, roots: tuple[str, ...]) -> str:
    """Return the text of a file; "" where it cannot be read, as then nobody knows what it says."""
    try:
        content = sources.files.read(path, roots=roots, limit=MAX_DOCKERFILE).content
    except FileRefused:
        return ""
    return content.decode(errors="replace")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
