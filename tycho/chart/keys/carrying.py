"""What becomes of files that a service brings along: binds, configs, env files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tycho.chart.keys.key import Case, Key, Rows, approximated, ignored, rejected, translated
from tycho.files import Reason, Stays
from tycho.model import File, Mount

LISTED = 20  # paths that one row names
NODE = "host paths are not allowed on a cluster"
GRANT = "remove it; a policy may allow it with x-tycho: {hostPaths: […]}"
MOVE = "move it out of the mounted folder, or make it part of the image"
REFUSED: Mapping[str, str] = {
    "a link that leads out": "it is a link that leads out of the project, to what is the host's",
    "below /proc, /sys or /dev": NODE,
}
READABLE = "or make it readable"
SMALLER = "or, without :ro, it is a claim that starts empty"
STAYING = frozenset({"clock", "forbidden", "outside", "withheld", "irregular", "stuck"})
HOW = "the release brings secret files: `tycho up` gives them, helm by --set-string secretFiles.…, as the README shows"


def refused_mount(mount: Mount, becomes: str) -> Key:
    """Return the row of a bind that becomes nothing."""
    match becomes:
        case "clock":
            return ignored("a container has the time of its own image", "set TZ in environment")
        case "forbidden":
            return rejected(REFUSED.get(mount.note, NODE), mount.advice or GRANT)
        case "outside":
            return rejected("it lies beyond the project's folder", mount.advice or "move it into the project's folder")
        case "withheld":
            return ignored(f"{mount.note.partition(': ')[2]}: it never travels", "copy what is needed of it elsewhere")
        case "stuck":
            large = mount.note.startswith(Reason.LARGE)
            hint = f"copy it into the image, or keep it in a named volume; {READABLE if not large else SMALLER}"
            return rejected(f"it cannot travel: {mount.note.removeprefix(f'{Reason.LARGE}: ')}", hint)
        case _:
            return rejected(f"it {_verb(mount.note)}", "make it a regular file or a folder that can be read")


def _verb(note: str) -> str:
    """Make words of a reason: "is a pipe", "cannot be read: permission denied"."""
    return note.partition(": ")[2] if note.startswith("not a regular file: ") else note


def carried_files(case: Case, source: str, part: object) -> Rows:
    """Yield the rows of what is different about files that travel, and of those that do not."""
    files, secrecy = _files(part), case.layout.secrecy
    secret = [file.path or source for file in files if secrecy.is_secret(source, file)]
    if secret:
        yield "", approximated("Secret of the release", f"secret, and no part of the chart: {listed(secret)}", HOW)
    reasons: dict[str, list[str]] = {}
    for path, why in getattr(part, "left_out", ()):
        reasons.setdefault(why, []).append(path)
    for why, paths in reasons.items():
        key = ignored(f"left out ({why}): {listed(paths)}", MOVE)
        yield "", replace(key, local=why in frozenset(Stays))
    if copied := getattr(part, "copied", ()):
        why = f"links travel as copies of what they lead to: {listed(copied)}"
        yield "", approximated("ConfigMap", why, "nothing: a change is copied when it is compiled again")


def _files(part: object) -> Sequence[File]:
    return getattr(part, "files", None) or ()


def listed(paths: Sequence[str]) -> str:
    """Name the first paths, and count the rest."""
    more = f", and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
    return ", ".join(paths[:LISTED]) + more


def config_file(case: Case) -> Rows:
    """Yield the rows of a config's `file`."""
    config = case.service  # of a config, not of a service
    found = list(carried_files(case, str(case.value), config))
    files = _files(config)
    if any(not case.layout.secrecy.is_secret(str(case.value), file) for file in files):
        yield "", translated("ConfigMap")
    if any(file.release_only for file in files):
        why = "it is no part of the project, and so none of the chart"
        yield "", approximated("Secret of the release; its content travels in the values of the release", why, HOW)
    else:
        yield from found


def secret_file(case: Case) -> Rows:
    """Yield the rows of a secret's `file`: one file, wherever it lies."""
    files = _files(case.service)
    if any(file.path for file in files):
        yield "", rejected("it is a folder, and a secret is one file", "name each file as a secret of its own")
    elif any(file.release_only for file in files):
        yield "", translated("Secret; it is read outside the project, and travels in the values of the release")


def env_file(case: Case) -> Rows:
    """Yield the rows of `env_file`, naming those that lie elsewhere."""
    yield "", translated("a Secret of the release, with envFrom")
    for index, file in enumerate(case.value):
        if file.outside:
            target = "a Secret of the release; it is read outside the project, and travels in the values of the release"
            yield f"[{index}]", translated(target)
