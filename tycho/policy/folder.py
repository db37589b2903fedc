"""Which policies are in force: the files of several folders, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tycho import data
from tycho.errors import PolicyError, Problem
from tycho.files import FileRefused, read_file
from tycho.policy.declared import MAX_BYTES, declared
from tycho.policy.file import Policy
from tycho.policy.python import python

KINDS = {".yaml": declared, ".yml": declared, ".py": python}


def load(folders: Sequence[Path]) -> tuple[Policy, ...]:
    """The policies of the folders, in the order of their names; a later folder's file replaces its namesake.

    Raises:
        PolicyError: A folder is missing, or files are broken; every problem of every file is told.
    """
    found: list[Policy] = []
    problems: list[Problem] = []
    for path in _files(folders):
        try:
            text = read_file(str(path), limit=MAX_BYTES).content
            if _says(text):
                found.append(KINDS[path.suffix](path, text))
        except FileRefused as error:
            problems.append(Problem(str(path), 0, "", error.detail))
        except PolicyError as error:
            problems.extend(error.problems)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise PolicyError(f"{count} in the policies", problems=problems)
    return tuple(found)


def digest(policies: Iterable[Policy]) -> str:
    """sha256 over the names and bytes of policies, and of the templates beside them."""
    total = hashlib.sha256()
    for policy in policies:
        files = {policy.name: policy.text, **policy.templates}
        for part in (part for name, content in files.items() for part in (name.encode(), content)):
            total.update(f"{len(part)}:".encode() + part)
    return total.hexdigest()


def _files(folders: Sequence[Path]) -> list[Path]:
    chosen: dict[str, Path] = {}
    for folder in map(_find_folder, folders):
        for path in folder.iterdir():
            if path.suffix in KINDS and not path.name.startswith("."):
                chosen[path.name] = path
    return [chosen[name] for name in sorted(chosen)]


def _find_folder(folder: Path) -> Path:
    """Find a folder: one that is there, or one that is shipped beside the policies in force, by its name."""
    shipped = data.policies() / folder
    if folder.is_dir():
        return folder
    if len(folder.parts) == 1 and folder.name.isidentifier() and shipped.is_dir():
        return shipped
    known = ", ".join(sorted(path.name for path in data.policies().iterdir() if path.is_dir()))
    raise PolicyError(
        f"{folder} is not a folder of policies",
        hint=f"--policies takes a folder, or the name of a shipped one: {known}",
    )


def _says(text: bytes) -> bool:
    """Whether a file says anything; one that does not, but in comments, takes its namesake out of force."""
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in text.splitlines())
