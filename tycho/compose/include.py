"""`include`: one entry of it, read.

Source: Compose Specification, "Include"; compose-go's `loader/include.go`.
"""

from __future__ import annotations

import os

from msgspec import Struct

from tycho.compose.attribute import Attribute
from tycho.compose.paths import rebase
from tycho.compose.sources import Sources
from tycho.compose.yaml_nodes import YamlNode, as_entries

MAX_INCLUDES = 64  # in one another
MAX_INCLUDED = 200  # of one project
IMPORTED = ("services", "jobs", "volumes", "networks", "secrets", "configs", "models")


class Include(Struct, frozen=True):
    """An entry of `include`.

    Args:
        files: The compose files, which merge.
        directory: Where their relative paths start.
        env_files: Files of variables, or the directory's own `.env`.
        named: Whether the entry names its files of variables.
    """

    files: tuple[str, ...]
    directory: str
    env_files: tuple[str, ...]
    named: bool


def read_include(entry: YamlNode, directory: str, sources: Sources) -> Include | None:
    """Read an entry of `include`; None where it names no file."""
    keys = entry.map or {"path": entry}
    paths = as_entries(keys.get("path"))
    if not paths or not all(isinstance(path.value, str) for path in paths):
        return None
    files = tuple(sources.join(directory, str(path.value)) for path in paths)
    folder = keys.get("project_directory")
    inner = sources.join(directory, str(folder.value)) if folder else os.path.dirname(files[0])
    env_files = tuple(sources.join(directory, str(path.value)) for path in as_entries(keys.get("env_file")))
    return Include(files, inner, env_files or (os.path.join(inner, ".env"),), bool(env_files))


def rebase_included(tree: YamlNode, project: Attribute, folder: str, directory: str) -> YamlNode:
    """Move an included project's paths to the directory of the including one, and keep what is imported of it."""
    if folder != directory:
        for root in ("services", "jobs"):
            section = tree.get(root)
            for service in section.map.values() if section else ():
                build = service.get("build")
                if build and build.map and "context" not in build.map:
                    build.value["context"] = build.with_value(".")  # the included project's folder
        rebase(tree, project, folder, directory)
    return tree.with_value({key: tree.map[key] for key in IMPORTED if key in tree.map})
