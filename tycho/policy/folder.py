"""Which policies are in force: the files of several folders, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

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
    for folder in folders:
        if not folder.is_dir():
            raise PolicyError(f"{folder} is not a folder of policies", hint="--policies takes a folder")
        for path in folder.iterdir():
            if path.suffix in KINDS and not path.name.startswith("."):
                chosen[path.name] = path
    return [chosen[name] for name in sorted(chosen)]


def _says(text: bytes) -> bool:
    """Whether a file says anything; one that does not, but in comments, takes its namesake out of force."""
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in text.splitlines())
