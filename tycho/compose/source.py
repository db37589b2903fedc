"""Where compose text comes from: files found as Docker Compose finds them, or one document without any disk.

Everything that the loader ever reads of a disk it reads through a `Files`.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tycho.compose import dotenv
from tycho.errors import Problem, SourceError
from tycho.model import File

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
MAX_FILE = 1024 * 1024  # of a mounted file or tree: what a ConfigMap can hold


class Files(Protocol):
    """The files around a project."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None when there is none."""

    def tree(self, path: str) -> tuple[tuple[File, ...] | None, str]:
        """A file, or all files below a folder; or None, and in a few words why not."""


class Disk:
    """The machine's own files."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None when there is none.

        Raises:
            SourceError: It is there, and cannot be read.
        """
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"{path}: {(error.strerror or str(error)).lower()}") from error

    def tree(self, path: str) -> tuple[tuple[File, ...] | None, str]:
        """A regular file, or the regular files below a folder, in order; never a socket, a device or a link out."""
        root = Path(path)
        try:
            if root.is_file():
                return _whole([(root, "")])
            if not root.is_dir():
                return None, "not a file or folder" if root.exists() else "absent"
            found = [(Path(at, name), "") for at, _, names in os.walk(root) for name in names]
            return _whole([(file, file.relative_to(root).as_posix()) for file, _ in found])
        except OSError as error:
            return None, f"cannot be read: {error.strerror}"


def _whole(found: list[tuple[Path, str]]) -> tuple[tuple[File, ...] | None, str]:
    files, total = [], 0
    for path, name in sorted(found, key=lambda pair: pair[1]):
        if not path.is_file():
            return None, f"{name or path} is not a regular file"
        total += path.stat().st_size
        if total > MAX_FILE:
            return None, f"larger than {MAX_FILE >> 20} MiB"
        mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644  # what git keeps of a mode
        files.append(File(path=name, content=path.read_bytes(), mode=mode))
    return tuple(files), ""


@dataclass(frozen=True)
class Nowhere:
    """No disk: the files that came with the document, and no others."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes | None:
        """A file that came along."""
        return self.files.get(os.path.normpath(path).removeprefix("./"))

    def tree(self, path: str) -> tuple[tuple[File, ...] | None, str]:
        """A file that came along, or those below a folder."""
        name = os.path.normpath(path).removeprefix("./")
        if name in self.files:
            return (File(path="", content=self.files[name]),), ""
        below = {
            key[len(name) + 1 :]: self.files[key] for key in sorted(self.files) if key.startswith(f"{name}/")
        }
        if below:
            return tuple(File(path=key, content=content) for key, content in below.items()), ""
        return None, "no file system"


@dataclass(frozen=True)
class Sources:
    """Compose text, and all that decides what it means.

    Args:
        texts: File names as the user knows them, each with its bytes, in the order of merging.
        directory: What relative paths are relative to; absolute, or "" where there is no disk.
        env: Variables for interpolation, `.env` included.
        files: The files around.
        name: Project name from the caller, before any other.
        fallback: Project name when nobody says one.
        profiles: Those that are enabled.
        warnings: What was noticed on the way here.
    """

    texts: tuple[tuple[str, bytes], ...]
    directory: str
    env: Mapping[str, str]
    files: Files
    name: str = ""
    fallback: str = ""
    profiles: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

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
    ) -> Sources:
        """The files of a project on this machine.

        Args:
            files: Compose files; `-` is standard input. None: `COMPOSE_FILE`, or what lies here or above.
            env: The caller's environment; it wins over `.env`.
            project_directory: What paths are relative to; the first file's folder by default.
            env_files: Instead of the project directory's `.env`; later ones win.
            name: Project name; else `COMPOSE_PROJECT_NAME`, the file's `name`, the folder's.
            profiles: Enabled besides `COMPOSE_PROFILES`.
            cwd: Where a search begins.
            stdin: What `-` stands for.

        Raises:
            SourceError: No file, or one that cannot be read.
        """
        disk = Disk()
        base = Path(cwd).resolve()
        dot_env = _variables(disk, [str(base / file) for file in env_files], env) if env_files else {}
        if not env_files and not _true(env.get("COMPOSE_DISABLE_ENV_FILE", "")):
            at = Path(project_directory) if project_directory else base
            if listed := env.get("COMPOSE_ENV_FILES"):
                dot_env = _variables(disk, [str(base / file) for file in listed.split(",")], env)
            elif (at / ".env").is_file():
                dot_env = _variables(disk, [str(at / ".env")], env, shown=".env")
        scope = {**dot_env, **env}
        chosen = list(files) or _listed(scope) or _discover(base)
        texts = []
        for file in chosen:
            if file == "-":
                import sys

                texts.append(("stdin", sys.stdin.buffer.read() if stdin is None else stdin))
                continue
            content = disk.read(str(base / file))
            if content is None:
                raise SourceError(f"{file}: no such file", hint="-f names the compose file")
            texts.append((_shown(file, base), content))
        first = next((base / file for file in chosen if file != "-"), base / "-")
        directory = Path(project_directory).resolve() if project_directory else first.parent.resolve()
        if not env_files and not dot_env and directory != base and (directory / ".env").is_file():
            if not _true(env.get("COMPOSE_DISABLE_ENV_FILE", "")):
                scope = {**_variables(disk, [str(directory / ".env")], env, shown=".env"), **env}
        enabled = [*profiles, *filter(None, scope.get("COMPOSE_PROFILES", "").split(","))]
        return cls(
            texts=tuple(texts),
            directory=str(directory),
            env=scope,
            files=disk,
            name=name or scope.get("COMPOSE_PROJECT_NAME", ""),
            fallback=directory.name,
            profiles=tuple(dict.fromkeys(enabled)),
        )

    @classmethod
    def from_document(
        cls,
        document: Mapping[str, object] | str | bytes,
        *,
        env: Mapping[str, str],
        name: str = "",
        files: Mapping[str, bytes] | None = None,
        profiles: Sequence[str] = (),
    ) -> Sources:
        """One document without a disk, as a request brings it.

        Args:
            document: Compose as a mapping, or its text.
            env: All the variables there are.
            name: Project name.
            files: Side files by relative path.
            profiles: Those that are enabled.
        """
        if isinstance(document, Mapping):
            document = json.dumps(document, ensure_ascii=False)
        text = document.encode() if isinstance(document, str) else document
        return cls(
            texts=(("system", text),),
            directory="",
            env=dict(env),
            files=Nowhere(dict(files or {})),
            fallback=name,
            profiles=tuple(profiles),
        )

    def known_as(self, file: str) -> str:
        """A file's name inside the project, however it was spelled: a chart must not tell where it was compiled."""
        return (
            os.path.basename(file)
            if os.path.isabs(file) or any(file == name for name, _ in self.texts)
            else file
        )

    def path(self, path: str) -> str:
        """A path of the compose file as the files know it: relative ones start in the project directory."""
        if path.startswith("~"):
            path = os.path.expanduser(path) if isinstance(self.files, Disk) else path
        return os.path.normpath(os.path.join(self.directory, path))


def _variables(disk: Disk, paths: Sequence[str], env: Mapping[str, str], shown: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        text = disk.read(path)
        if text is None:
            raise SourceError(f"couldn't find env file: {path}")
        try:
            read = dotenv.parse(text, shown or path, {**found, **env})
        except dotenv.Malformed as error:
            raise SourceError("1 problem", problems=[error.problem]) from None
        found.update({key: value for key, value in read.items() if value is not None})
    return found


def _listed(env: Mapping[str, str]) -> list[str]:
    separator = env.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return [file for file in env.get("COMPOSE_FILE", "").split(separator) if file]


def _discover(base: Path) -> list[str]:
    for folder in (base, *base.parents):
        for name in NAMES:
            if (folder / name).is_file():
                override = next((one for one in OVERRIDES if (folder / one).is_file()), None)
                return [str(folder / one) for one in (name, override) if one]
    raise SourceError(
        "no compose file here or in any folder above", hint=f"-f names one; looked for {', '.join(NAMES)}"
    )


def _shown(file: str, base: Path) -> str:
    """A path as a user would say it: relative when that is shorter."""
    path = base / file
    return str(path.relative_to(base)) if path.is_relative_to(base) else file


def _true(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "on", "y", "t")
