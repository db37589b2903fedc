"""The active policies: the files of several folders, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tycho import data_folders
from tycho.errors import PolicyError, Problem
from tycho.files import FileRefused, read_file
from tycho.policy.policy import Policy
from tycho.policy.python_policy import load_python_policy
from tycho.policy.yaml_policy import MAX_BYTES, load_yaml_policy
from tycho.text import count

LOADERS = {".yaml": load_yaml_policy, ".yml": load_yaml_policy, ".py": load_python_policy}


def load_policies(folders: Sequence[Path]) -> tuple[Policy, ...]:
    """Load the policies of some folders, in the order of their names; a later folder's file replaces its namesake.

    Raises:
        PolicyError: A folder is missing, or files are broken; with every problem of every file.
    """
    policies: list[Policy] = []
    problems: list[Problem] = []
    for path in _list_files(folders):
        try:
            text = read_file(str(path), limit=MAX_BYTES).content
            if not _is_blank(text):
                policies.append(LOADERS[path.suffix](path, text))
        except FileRefused as error:
            problems.append(Problem(str(path), 0, "", error.detail))
        except PolicyError as error:
            problems.extend(error.problems)
    if problems:
        raise PolicyError(f"{count(len(problems), 'problem')} in the policies", problems=problems)
    return tuple(policies)


def policy_digest(policies: Iterable[Policy]) -> str:
    """Return the sha256 over the names and bytes of policies, and of the templates beside them."""
    total = hashlib.sha256()
    for policy in policies:
        files = {policy.name: policy.text, **policy.templates}
        for part in (part for name, content in files.items() for part in (name.encode(), content)):
            total.update(f"{len(part)}:".encode() + part)
    return total.hexdigest()


def _list_files(folders: Sequence[Path]) -> list[Path]:
    chosen: dict[str, Path] = {}
    for folder in map(_find_folder, folders):
        for path in folder.iterdir():
            if path.suffix in LOADERS and not path.name.startswith("."):
                chosen[path.name] = path
    return [chosen[name] for name in sorted(chosen)]


def _find_folder(folder: Path) -> Path:
    """Return the folder itself where it exists, or else the shipped folder of that name."""
    shipped = data_folders.policies() / folder
    if folder.is_dir():
        return folder
    if len(folder.parts) == 1 and folder.name.isidentifier() and shipped.is_dir():
        return shipped
    known = ", ".join(sorted(path.name for path in data_folders.policies().iterdir() if path.is_dir()))
    raise PolicyError(
        f"{folder} is not a folder of policies",
        hint=f"--policies takes a folder, or the name of a shipped one: {known}",
    )


def _is_blank(text: bytes) -> bool:
    """Tell whether a file holds nothing but comments: it disables its namesake in an earlier folder."""
    return all(not line.strip() or line.lstrip().startswith(b"#") for line in text.splitlines())
