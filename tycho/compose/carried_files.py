"""What binds, configs and secrets bring along, and what of it may travel.

Into a chart goes what a relative path names, and what lies below the project's root when all links are followed. Binds
of anything else are the host's, and are not even looked at. Configs and secrets may lie anywhere: that is their
author's choice, and their content belongs to the release.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tycho.compose import built_mounts
from tycho.compose.bound import BoundProject, Fields, Findings, change_services, each_service
from tycho.compose.filesystem import MAX_MOUNT, NO_DISK
from tycho.compose.sources import Sources
from tycho.files import FileContent, FileRefused, Reason, Stays, is_below, names_host
from tycho.files.folder import FolderContent
from tycho.model import ProjectFile

SYSTEM = (
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr",
    "/var/run", "/var/lib/docker", "/var/lib/kubelet",
)  # fmt: skip


class Travel(Struct, frozen=True):
    """Which files of a project may travel.

    Args:
        sources: Where the files around the project are.
        root: Below which files may travel, as paths are written.
        roots: The same with all links followed, and the project's own folder.
        env_files: Resolved paths of files with variables.
        outputs: Resolved paths of what the command at hand writes.
    """

    sources: Sources
    root: str
    roots: tuple[str, ...]
    env_files: frozenset[str]
    outputs: tuple[str, ...]

    def holds(self, path: str) -> bool:
        """Tell whether a path of the compose file lies below the root, as it is written."""
        return not names_host(path) and is_below(self.sources.path(path), (self.root,))

    def withhold(self, path: str) -> str:
        """Tell why a file or folder never travels; "" for one that may."""
        steps = self.relative(path).lower().split("/")
        if ".git" in steps:
            return Stays.GIT
        if steps[-1] == ".env" or path in self.env_files:
            return Stays.VARIABLES
        return Stays.OUTPUT if is_below(path, self.outputs) else ""

    def relative(self, path: str) -> str:
        """Return a resolved path from the root on."""
        return os.path.relpath(path, self.roots[0]) if os.path.isabs(path) else path

    def relative_hint(self, path: str) -> str:
        """Tell what to write instead of an absolute path below the root; "" for any other."""
        sources = self.sources
        if not (path.startswith("/") and sources.directory and is_below(posixpath.normpath(path), (self.root,))):
            return ""
        written = os.path.relpath(path, sources.directory)
        return f"write {written if written.startswith('.') else f'./{written}'}"

    def root_hint(self, path: str) -> str:
        """Tell which switch lets a path beyond the root travel."""
        sources = self.sources
        if not sources.directory and path.startswith(("/", "~")):
            return "send it along, and name it by a path from the compose file on"
        full = sources.path(path)
        above = os.path.commonpath([full, sources.directory]) if sources.directory else ""
        up = os.path.relpath(above, sources.directory) if above else "/".join([".."] * full.split("/").count(".."))
        option = f"--root {above}, or " if above else ""
        return f"if the folder above is the project's too: {option}x-tycho: {{root: {up}}} at the top of the file"

    def file(self, name: str, file: FileContent, *, release_only: bool = False) -> ProjectFile:
        """Return a file of the model."""
        origin = self.relative(file.path)
        return ProjectFile(path=name, content=file.content, mode=file.mode, origin=origin, release_only=release_only)


def plan_travel(project: BoundProject, included: Sequence[str]) -> tuple[BoundProject, Travel]:
    """Find out which files may travel: all that a project says counts, disabled services too.

    Args:
        project: The project.
        included: Env files of what it includes.

    Returns:
        The project, with what is wrong with its `x-tycho.root`, and what may travel.
    """
    findings, sources, fields = Findings(project), project.sources, project.fields
    root = sources.root or _find_written_root(findings, fields)
    resolve = sources.files.resolve
    named = (sources.path(path) for path in _list_env_files(fields))
    travel = Travel(
        sources,
        root,
        tuple(dict.fromkeys(resolve(path) for path in (root, sources.directory))),
        frozenset(map(resolve, (*named, *included, *sources.env_files))),
        tuple(map(resolve, sources.outputs)),
    )
    return findings.apply(fields), travel


def read_carried_files(project: BoundProject, travel: Travel) -> BoundProject:
    """Read what is mounted: the fields take what travels, and what does not, with the reason."""
    findings = Findings(project)
    fields = change_services(project.fields, lambda _, service: _read_mounts(travel, service))
    for kind in ("configs", "secrets"):
        names = _list_granted(fields, kind)
        if kind in fields:
            fields[kind] = {
                name: {**part, **_read_content(findings, travel, part["file"], f"{kind}.{name}.file")}
                if part.get("file") and name in names
                else part
                for name, part in fields[kind].items()
            }
    return findings.apply(fields)


def _list_granted(fields: Fields, kind: str) -> set[str]:
    """List the configs or secrets that a container is granted."""
    containers = (part for _, service in each_service(fields) for part in (service, *service.get("pre_start", ())))
    return {grant["source"] for container in containers for grant in container.get(kind, ())}


def _read_mounts(travel: Travel, service: Fields) -> Fields:
    """Read the binds of a service."""
    if "volumes" not in service:
        return service
    return {**service, "volumes": [_read_mount(travel, service, mount) for mount in service["volumes"]]}


def _read_mount(travel: Travel, service: Fields, mount: Fields) -> Fields:
    if mount["type"] != "bind":
        return mount
    read = {**mount, **_bind(travel, mount["source"], writable=not mount.get("read_only"))}
    built = built_mounts.is_built(travel.sources, service, read, travel.roots)
    return {**read, "built": True} if built else read


def _bind(travel: Travel, source: str, *, writable: bool) -> Fields:
    """Read the source of a bind; one of the host's is told by its text."""
    if names_host(source):
        if not travel.sources.directory and writable and source[0] == "/" and not _of_the_system(source):
            return {"note": NO_DISK}  # a request has no host: a folder to keep something in is a claim
        return {"note": "the host's", "advice": travel.relative_hint(source)}
    if not travel.holds(source):
        return {"note": str(Reason.OUTSIDE), "advice": travel.root_hint(source)}
    sources = travel.sources
    path = sources.path(source)
    try:
        return _files(travel, sources.files.carry(path, roots=travel.roots, withhold=travel.withhold))
    except FileRefused as error:
        if error.reason is Reason.WITHHELD and error.detail == Stays.VARIABLES:
            return _named_variables(travel, path)
        if error.reason is Reason.OUTSIDE:
            return {"note": "a link that leads out"}
        kept = error.reason in (Reason.LARGE, Reason.UNREADABLE)
        note = {"note": NO_DISK if error.detail == NO_DISK else str(error)}
        return {**note, "single": True} if kept and sources.files.has(path) else note


def _of_the_system(source: str) -> bool:
    path = posixpath.normpath(source.replace("//", "/"))
    return path == "/" or is_below(path, SYSTEM)


def _named_variables(travel: Travel, path: str) -> Fields:
    """Read a file of variables that is mounted by its own name: its author means it, and the release brings it."""
    try:
        return {"files": (travel.file("", travel.sources.files.read(path, limit=MAX_MOUNT), release_only=True),)}
    except FileRefused as error:
        return {"note": str(error)}


def _files(travel: Travel, content: FileContent | FolderContent) -> Fields:
    if isinstance(content, FileContent):
        return {"files": (travel.file("", content),)}
    files = tuple(travel.file(name, file) for name, file in content.files)
    left_out = tuple((name, str(reason)) for name, reason in content.left_out)
    left = {"left_out": left_out, "copied": content.copied}
    return {"files": files, **{key: value for key, value in left.items() if value}}


def _read_content(findings: Findings, travel: Travel, source: str, path: str) -> Fields:
    """Read a config or secret: below the root as a bind is, elsewhere one regular file."""
    files, full = travel.sources.files, travel.sources.path(source)
    try:
        if travel.holds(source):
            try:
                fields = _files(travel, files.carry(full, roots=travel.roots, withhold=travel.withhold))
                return fields if path.startswith("configs.") else {"files": fields["files"]}
            except FileRefused as error:
                if error.reason not in (Reason.OUTSIDE, Reason.WITHHELD):
                    raise
        return {"files": (travel.file("", files.read(full, limit=MAX_MOUNT), release_only=True),)}
    except FileRefused as error:
        if error.reason is Reason.ABSENT:
            hint = f"{travel.sources.remedy} before the system is started"
            findings.add_warning(path, f"{source}: {error}", hint)
        else:
            findings.add_problem(path, f"{source}: {error.detail}", "name a regular file")
        return {}


def _find_written_root(findings: Findings, fields: Fields) -> str:
    """Return the root that `x-tycho` names: a document may climb, but not to a home, or to all of a machine."""
    extension = fields.get("x", {}).get("x-tycho")
    root_path = extension.get("root") if isinstance(extension, dict) else None
    directory = findings.sources.directory
    if root_path is None:
        return directory
    climbs = posixpath.normpath(str(root_path)) if isinstance(root_path, str) and root_path else "x"
    if climbs != "." and set(climbs.split("/")) != {".."}:
        problem = "a file may name a folder above it, as .. or ../.., and no other"
        findings.add_problem("x-tycho.root", problem, "set x-tycho: {root: ..}")
        return directory
    root = os.path.normpath(os.path.join(directory, climbs))
    home = findings.sources.env.get("HOME", "")
    if root == "/" or (directory and home and is_below(os.path.normpath(home), (root,))):
        problem = f"{root_path} is a home, or holds one: too much for a file to ask for"
        findings.add_problem("x-tycho.root", problem, "write --root DIR on the command line")
        return directory
    return root


def _list_env_files(fields: Fields) -> Iterator[str]:
    for _, service in each_service(fields):
        for part in (service, *service.get("pre_start", ())):
            yield from (file["path"] for file in part.get("env_file", ()) if file.get("path"))
