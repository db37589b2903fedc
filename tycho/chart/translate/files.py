"""Files that travel with a system, and those that stay where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from tycho.chart.chart import ReportTarget
from tycho.chart.translate.key_rule import KeyRule, Rows, approximated, ignored, rejected
from tycho.chart.translate.key_use import RELEASE, KeyUse
from tycho.files import Reason, Stays
from tycho.model import Mount, ProjectFile

LISTED = 20  # paths that one row names
NODE = "host paths are not allowed on a cluster"
GRANT = "remove it; a policy may allow it with x-tycho: {hostPaths: […]}"
MOVE = "move it out of the mounted folder, or make it part of the image"
REFUSED: Mapping[str, str] = {
    "a link that leads out": "it is a link to a file of the host, outside the project",
    "below /proc, /sys or /dev": NODE,
}
READABLE = "or make it readable"
SMALLER = "without :ro it becomes a claim that starts empty"
STAYING = frozenset({"clock", "forbidden", "outside", "withheld", "irregular", "stuck"})
HOW = "`tycho up` sets secret files; helm install needs --set-string 'secretFiles.…', see the README"


def refuse_mount(mount: Mount, becomes: str) -> KeyRule:
    """Make the entry of a bind that becomes nothing."""
    match becomes:
        case "clock":
            return ignored("a container has the time of its own image", "set TZ in environment")
        case "forbidden":
            return rejected(REFUSED.get(mount.note, NODE), mount.advice or GRANT)
        case "outside":
            return rejected("it lies outside the project's folder", mount.advice or "move it into the project's folder")
        case "withheld":
            return ignored(
                f"{mount.note.partition(': ')[2]}: it is never part of a chart", "copy what is needed to another file"
            )
        case "stuck":
            large = mount.note.startswith(Reason.LARGE)
            hint = f"copy it into the image, or keep it in a named volume; {READABLE if not large else SMALLER}"
            return rejected(f"it cannot be part of the chart: {mount.note.removeprefix(f'{Reason.LARGE}: ')}", hint)
        case _:
            return rejected(f"it {_verb(mount.note)}", "make it a regular file or a folder that can be read")


def _verb(note: str) -> str:
    """Make words of a reason: "is a pipe", "cannot be read: permission denied"."""
    return note.partition(": ")[2] if note.startswith("not a regular file: ") else note


def assess_files(use: KeyUse, source: str, part: object) -> Rows:
    """Assess what is different about files that travel, and those that do not."""
    files, secret_files = list_files(part), use.layout.secret_files
    secret = [file.path or source for file in files if secret_files.is_secret(source, file)]
    if secret:
        place = partial(find_tree, source=source, secret=True)
        why = f"secret files are not part of the chart: {listed(secret)}"
        yield "", approximated("Secret of the release", why, HOW, place)
    reasons: dict[str, list[str]] = {}
    for path, why in getattr(part, "left_out", ()):
        reasons.setdefault(why, []).append(path)
    for why, paths in reasons.items():
        key = ignored(f"left out ({why}): {listed(paths)}", MOVE)
        yield "", replace(key, local=why in frozenset(Stays))
    if copied := getattr(part, "copied", ()):
        why = f"links travel as copies of what they lead to: {listed(copied)}"
        place = partial(find_tree, source=source, secret=False)
        yield "", approximated("ConfigMap", why, "nothing: compiling again copies changes", place)


def list_files(part: object) -> Sequence[ProjectFile]:
    """List the files of a mount, config or secret."""
    return getattr(part, "files", None) or ()


def listed(paths: Sequence[str]) -> str:
    """Name the first paths, and count the rest."""
    more = f", and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
    return ", ".join(paths[:LISTED]) + more


def find_tree(use: KeyUse, source: str, *, secret: bool) -> Iterator[ReportTarget]:
    """Find the ConfigMap that files became, or the Secret of those that are secret."""
    for tree in use.layout.configmaps:
        if tree.source != source:
            continue
        if secret and tree.secrets:
            yield ReportTarget("Secret", f"{RELEASE}-{tree.slug}-secret-files")
        elif not secret and tree.files:
            yield ReportTarget("ConfigMap", f"{RELEASE}-{tree.slug}")
