"""`pvc://CLAIM[/SUB/PATH]:/mount` and `TYCHO_NFS[/SUB/PATH]:/mount`: mounts of claims that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tycho.compose.dialect.notes import Notes
from tycho.compose.paths import split_volume
from tycho.compose.yaml_nodes import YamlNode
from tycho.model.expression import Invalid, find_closing

SCHEME, NFS = "pvc://", "TYCHO_NFS"
NFS_VARIABLE = "TYCHO_NFS_CLAIM"
"""The setting that says which claim TYCHO_NFS is."""
CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
EXAMPLE = 'write "pvc://CLAIM/SUB/PATH:/mount", and :ro behind it for reading alone'


def translate_volumes(service: YamlNode, path: str, notes: Notes) -> None:
    """Translate the mounts of a service that name claims.

    Args:
        service: It changes.
        path: Its Compose path.
        notes: Where uses, problems and claims go.
    """
    volumes = service.get("volumes")
    for index, mount in enumerate(volumes.seq if volumes else ()):
        text = mount.value
        if isinstance(text, str) and (text.startswith(SCHEME) or re.match(rf"{NFS}[:/]", text)):
            _translate(mount, text, f"{path}.volumes[{index}]", notes)


def _translate(mount: YamlNode, text: str, path: str, notes: Notes) -> None:
    """Write a mount of an external volume in long syntax."""
    source, *options = split_volume(f"claim/{text.removeprefix(SCHEME)}")
    claim, *folders = [part for part in _split(source.removeprefix("claim/")) if part] or [""]
    if problem := _find_problem(claim, folders, options):
        notes.refused(mount, path, f"{text}: {problem}", EXAMPLE)
        return
    if text.startswith(NFS):
        if not notes.env.get(NFS_VARIABLE):
            hint = f"set {NFS_VARIABLE} to the name of a claim, or write pvc://CLAIM in its place"
            notes.refused(mount, path, f"{text}: no setting says which claim {NFS} is", hint)
            return
        claim = f"${{{NFS_VARIABLE}}}"
    key = f"pvc-{re.sub(r'[^A-Za-z0-9._-]+', '-', claim).strip('-')}"
    volume = {"external": mount.with_value(value=True), "name": mount.with_value(claim)}
    notes.claims.setdefault(key, mount.with_value(volume))
    fields = {
        "type": mount.with_value("volume"),
        "source": mount.with_value(key),
        "target": mount.with_value(options[0]),
        "volume": mount.with_value({"subpath": mount.with_value("/".join(folders))} if folders else {}),
    }
    if len(options) > 1 and "ro" in options[1].split(","):
        fields["read_only"] = mount.with_value(value=True)
    where = f", below {'/'.join(folders)}" if folders else ""
    notes.translated(mount, path, f"the external volume {claim}{where}", path)
    mount.value = fields


def _find_problem(claim: str, folders: list[str], options: list[str]) -> str:
    """Say what is wrong with a mount; "" for nothing."""
    if not claim:
        return "it names no claim"
    if "$" not in claim and claim != NFS and not CLAIM.fullmatch(claim):
        return f'"{claim}" is not the name of a claim'
    if ".." in folders:
        return "its path leads out of the claim"
    if not options or len(options) > 2 or not options[0].startswith(("/", "$")):
        return "it does not say where to mount it"
    if len(options) > 1 and not set(options[1].split(",")) <= {"ro", "rw"}:
        return f'"{options[1]}" is neither ro nor rw'
    return ""


def _split(text: str) -> Iterator[str]:
    """Split at slashes that are not inside of `${…}`."""
    start = index = 0
    while index < len(text):
        if text.startswith("${", index):
            try:
                index = find_closing(text, index + 1)
            except Invalid:
                break
        elif text[index] == "/":
            yield text[start:index]
            start = index + 1
        index += 1
    yield text[start:]
