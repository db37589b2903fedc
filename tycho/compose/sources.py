"""Where compose text comes from: files found as Docker Compose finds them, or one document without any disk.

Source: docker/compose's and compose-go's project options.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tycho.compose import dotenv
from tycho.compose.filesystem import (
    FileSystem,
    InMemoryFileSystem,
    LocalFileSystem,
    RecordingFileSystem,
    read_found,
    read_given,
)
from tycho.compose.text_checks import document_text
from tycho.compose.yaml_nodes import MAX_BYTES
from tycho.errors import SourceError, UsageError
from tycho.files import FileContent, is_below, is_file

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


class NoComposeFile(SourceError):
    """There is no compose file, neither here nor in any folder above."""


TRUE = ("1", "t", "T", "TRUE", "true", "True")
NO_PROFILES = ("",)
"""What is enabled where nobody names a profile: Compose splits no names into an empty one, which services can have."""


class Sources(Struct, frozen=True):
    """Compose text, and all that decides what it means.

    Args:
        texts: File names as the user knows them, each with its bytes, in the order of merging.
        directory: What relative paths are relative to; absolute, or "" where there is no disk.
        env: Variables for interpolation, `.env` included.
        files: The files around.
        name: Project name from the caller, before any other.
        fallback: Project name when nobody says one.
        profiles: Those that are enabled.
        cwd: What file names are told relative to; absolute, or "".
        root: The folder whose files may travel in a chart, from the caller: the directory, or one above it; or "".
        env_files: Files of variables that were read before anything else.
        outputs: Files and folders that the command at hand writes.
    """

    texts: tuple[tuple[str, bytes], ...]
    directory: str
    env: Mapping[str, str]
    files: FileSystem
    name: str = ""
    fallback: str = ""
    profiles: tuple[str, ...] = ()
    cwd: str = ""
    root: str = ""
    env_files: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """What to do about a file that is absent."""
        return "create it" if self.directory else "send it along in `files`"

    @classmethod
    def from_disk(
        cls,
        files: Sequence[str] = (),
        *,
        env: Mapping[str, str],
        project_directory: str = "",
        env_files: Sequence[str] = (),
        name: str = "",
        profiles: Sequence[str] = (),
        cwd: str = ".",
        stdin: bytes | None = None,
        root: str = "",
        outputs: Sequence[str] = (),
    ) -> Sources:
        """The files of a project on this machine.

        Args:
            files: Compose files; `-` is standard input. None: `COMPOSE_FILE`, or what lies here or above.
            env: The caller's environment; it wins over `.env`.
            project_directory: What paths are relative to; the first file's folder by default.
            env_files: Instead of the project directory's `.env`; later ones win.
            name: Project name; else `COMPOSE_PROJECT_NAME`, the file's `name`, the folder's.
            profiles: Enabled instead of `COMPOSE_PROFILES`.
            cwd: Where a search begins.
            stdin: What `-` stands for.
            root: The folder whose files may travel in a chart: the project directory by default, or one above it.
            outputs: Files and folders that the command at hand writes: they never travel.

        Raises:
            SourceError: No file, or one that cannot be read.
            UsageError: The root is not the project directory, nor above it.
        """
        base = str(Path(cwd).absolute())
        given = [_at(base, file) for file in files]
        chosen_env = list(env_files) or list(filter(None, env.get("COMPOSE_ENV_FILES", "").split(",")))
        scope = dict(env)
        read = [_at(base, file) for file in chosen_env] or _dot_env(_folder(base, project_directory, given), env)
        _extend(scope, read, base, given=bool(chosen_env))
        chosen = given or [_at(base, file) for file in _listed(scope)] or _discover(base)
        directory = _folder(base, project_directory, chosen)
        if not chosen_env:
            more = _dot_env(directory, env)
            _extend(scope, more, base)
            read += more
        above = _at(base, root) if root else ""
        if above and not is_below(directory, (above,)):
            message = f"--root {root} is neither the project's folder nor one above it"
            raise UsageError(message, hint=f"name {directory}, or a folder above it")
        # As in Compose, no names are one name, which is empty: see NO_PROFILES.
        enabled = profiles or [profile.strip() for profile in scope.get("COMPOSE_PROFILES", "").split(",")]
        return cls(
            texts=tuple(_text(file, base, stdin, given=bool(given)) for file in chosen),
            directory=directory,
            env=scope,
            files=LocalFileSystem(),
            name=name or scope.get("COMPOSE_PROJECT_NAME", ""),
            fallback=os.path.basename(directory),
            profiles=tuple(dict.fromkeys(enabled)),
            cwd=base,
            root=above,
            env_files=tuple(dict.fromkeys(read)),
            outputs=tuple(_at(base, path) for path in outputs),
        )

    @classmethod
    def from_document(
        cls,
        document: Mapping[str, object] | str | bytes,
        *,
        env: Mapping[str, str],
        name: str = "",
        files: Mapping[str, bytes] | None = None,
        executable: Collection[str] = (),
        profiles: Sequence[str] = (),
    ) -> Sources:
        """One document without a disk, as a request brings it.

        Args:
            document: Compose as a mapping, or its text.
            env: All the variables there are.
            name: Project name.
            files: Side files by relative path.
            executable: Those of them that are programs.
            profiles: Those that are enabled.

        Raises:
            ComposeError: The mapping holds strings that are no text.
        """
        if isinstance(document, Mapping):
            document = document_text(document, "system")
        text = document.encode(errors="surrogatepass") if isinstance(document, str) else document
        return cls(
            texts=(("system", text),),
            directory="",
            env=dict(env),
            files=InMemoryFileSystem(
                {os.path.normpath(path): content for path, content in (files or {}).items()},
                frozenset(map(os.path.normpath, executable)),
            ),
            fallback=name,
            profiles=tuple(profiles) or NO_PROFILES,
        )

    def recorded(self) -> tuple[Sources, Mapping[str, FileContent]]:
        """Return the same sources, and what will have been read of the project's files once they were loaded."""
        files = RecordingFileSystem()
        return replace(self, files=files), files.seen

    def renewed(self) -> Sources:
        """The same sources, of whose files nothing was read yet."""
        return replace(self, files=self.files.renewed())

    def known_as(self, file: str) -> str:
        """A file's name inside the project, however it was spelled: a chart must not tell where it was compiled."""
        if os.path.isabs(file) or any(file == name for name, _ in self.texts):
            return os.path.basename(file)
        return file

    def shown(self, path: str) -> str:
        """A path as a user would say it: relative where that is shorter."""
        return _shown(path, self.cwd) if self.cwd else path

    def join(self, directory: str, path: str) -> str:
        """A path as the files know it: relative ones start in the directory."""
        if path.startswith("~") and isinstance(self.files, LocalFileSystem) and "HOME" in self.env:
            path = os.path.join(self.env["HOME"], path[1:].lstrip("/"))
        return _at(directory, path)

    def path(self, path: str) -> str:
        """A path of the compose file as the files know it: relative ones start in the project directory."""
        return self.join(self.directory, path)


def _at(base: str, path: str) -> str:
    if path == "-":
        return path
    return os.path.normpath(os.path.join(base, path))


def _text(file: str, base: str, stdin: bytes | None, *, given: bool) -> tuple[str, bytes]:
    if file == "-":
        content = sys.stdin.buffer.read(MAX_BYTES + 1) if stdin is None else stdin
        if len(content) > MAX_BYTES:
            raise SourceError(f"stdin: larger than {MAX_BYTES >> 20} MiB", hint="split it, and include the parts")
        return "stdin", content
    content = read_given(file) if given else read_found(file)
    if content is None:
        raise SourceError(f"{_shown(file, base)}: no such file", hint="-f names the compose file")
    return _shown(file, base), content


def _folder(base: str, project_directory: str, files: Iterable[str]) -> str:
    """The project's folder: as said, or the first file's, or this one."""
    if project_directory:
        return _at(base, project_directory)
    return next((os.path.dirname(file) for file in files if file != "-"), base)


def _dot_env(folder: str, env: Mapping[str, str]) -> list[str]:
    path = os.path.join(folder, ".env")
    return [path] if env.get("COMPOSE_DISABLE_ENV_FILE", "") not in TRUE and is_file(path) else []


def _extend(scope: dict[str, str], paths: Sequence[str], base: str, *, given: bool = False) -> None:
    """Add what the files say to what is known already, which wins."""
    variables: dict[str, str] = {}
    for path in paths:
        text = read_given(path) if given else read_found(path)
        if text is None:
            raise SourceError(f"couldn't find env file: {path}", hint="--env-file names a file that is there")
        try:
            dotenv.parse(text, _shown(path, base), scope, variables)
        except dotenv.MalformedEnvFile as error:
            raise SourceError("1 problem", problems=[error.problem]) from None
    for key, value in variables.items():
        scope.setdefault(key, value)


def _listed(env: Mapping[str, str]) -> list[str]:
    separator = env.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return [file for file in env.get("COMPOSE_FILE", "").split(separator) if file]


def _discover(base: str) -> list[str]:
    folder = base
    while True:
        for name in NAMES:
            if Path(folder, name).exists():
                override = [name for name in OVERRIDES if Path(folder, name).exists()][:1]
                return [os.path.join(folder, name) for name in (name, *override)]
        if folder == os.path.dirname(folder):
            message = "no compose file here or in any folder above"
            raise NoComposeFile(message, hint=f"-f names one; looked for {', '.join(NAMES)}")
        folder = os.path.dirname(folder)


def _shown(path: str, base: str) -> str:
    return os.path.relpath(path, base) if path.startswith(base.rstrip("/") + "/") else path
