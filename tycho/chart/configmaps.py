"""Files of the project as ConfigMaps, and as Secrets of the release where they are secret."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator

from tycho.chart.mounts import KeyToPath, PodVolume
from tycho.chart.names import Names, label, short_hash
from tycho.chart.objects import ConfigMap
from tycho.chart.secretfiles import SecretFileRules
from tycho.model import ProjectFile


def make_configmap(
    secret_files: SecretFileRules,
    slug: str,
    source: str | None,
    files: tuple[ProjectFile, ...],
    place: str,
    name: str = "",
) -> ConfigMap:
    """Sort the files of one source, those that are secret apart; text of the compose file has no source."""
    keys = tuple(_list_keys(files, name or source or ""))
    secret = {key for key, file in zip(keys, files, strict=True) if source and secret_files.is_secret(source, file)}
    contents = dict(zip(keys, (file.content for file in files), strict=True))
    return ConfigMap(
        name="",
        slug=slug,
        files={key: content for key, content in contents.items() if key not in secret},
        place=place,
        secrets={key: content for key, content in contents.items() if key in secret},
        keys=keys,
        source=source or "",
    )


def _list_keys(files: tuple[ProjectFile, ...], source: str) -> Iterator[str]:
    """Yield a ConfigMap key for each file: its path, with characters replaced that a key cannot have."""
    taken = Names()
    for file in files:
        plain = re.sub(r"[^-._a-zA-Z0-9]", "_", file.path or os.path.basename(source.rstrip("/")) or "content")
        plain = plain if len(plain) <= 200 and not plain.startswith(".") else f"f{short_hash(file.path)}{plain[-100:]}"
        yield taken.take(plain)


def configmap_volume(
    tree: ConfigMap, files: tuple[ProjectFile, ...], single: str = "", prefix: str = "files-"
) -> tuple[PodVolume, str]:
    """Make the volume that holds files of a tree.

    Args:
        tree: The ConfigMap and Secret.
        files: The files, in the order of its keys.
        single: What the file is called in it, where it is one; by its key where that is "".
        prefix: What the volume's name begins with.

    Returns:
        The volume, and the path below it that is the one file; "" for a folder.
    """
    alone = len(files) == 1 and not files[0].path
    items = tuple(
        KeyToPath(key, (single or key) if alone else file.path, file.mode)
        for key, file in zip(tree.keys, files, strict=True)
    )
    plain = tuple(entry for entry in items if entry.key not in tree.secrets)
    secret = tuple(entry for entry in items if entry.key in tree.secrets)
    kind = ("projected" if plain else "secretFiles") if secret else "configMap"
    name = label(f"{prefix}{tree.slug}")
    modes = {entry.mode for entry in plain}
    if kind == "configMap" and len(modes) == 1 and all(entry.key == entry.path for entry in plain):
        return PodVolume(name, kind, "", tree.slug, mode=modes.pop()), items[0].path if alone else ""
    return PodVolume(name, kind, "", tree.slug, plain, secret), items[0].path if alone else ""
