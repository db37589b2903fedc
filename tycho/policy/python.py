"""A policy in Python: a module with `apply(system) -> system`."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

from pydantic import ValidationError

from tycho.errors import PolicyError, Problem, TychoError
from tycho.model import Project
from tycho.policy.change import checked, complaints
from tycho.policy.file import Policy
from tycho.policy.source import broken

APPLY = "def apply(system: Project) -> Project: ..."


def python(path: Path, text: bytes) -> Policy:
    """Run the file as a module of its own, which leaves no bytecode beside it.

    Args:
        path: Its file.
        text: What the file holds.

    Raises:
        PolicyError: It does not run, or has no `apply`.
    """
    file = str(path)
    module = ModuleType(path.stem)
    module.__file__ = file
    try:
        tree = ast.parse(text, file)
        exec(compile(tree, file, "exec"), vars(module))  # noqa: S102 - an operator's file, as a plugin is
    except Exception as error:
        raise _failed(path, error) from error
    apply = vars(module).get("apply")
    if not callable(apply):
        raise broken(file, [Problem(file, 0, "", "has no function `apply`", APPLY)])
    at = next((node.lineno for node in tree.body if getattr(node, "name", "") == "apply"), 0)
    first = (ast.get_docstring(tree) or apply.__doc__ or "").strip().partition("\n")[0]

    def checking(system: Project) -> Project:
        try:
            after = apply(system)
            if not isinstance(after, Project):
                raise TypeError(f"apply must return the system, not {type(after).__name__}")  # noqa: TRY301
            return checked(system, after)
        except (TychoError, MemoryError):  # of memory the document takes too much, whoever asks for it last
            raise
        except ValidationError as error:
            wrong = [Problem(file, at, *said) for said in complaints(error, Project)]
            raise broken(file, wrong) from error
        except Exception as error:
            raise _failed(path, error) from error

    return Policy(path=path, text=text, description=first, apply=checking, lines={"apply": at})


def _failed(path: Path, error: Exception) -> PolicyError:
    """What went wrong, with the line of the policy that was at work."""
    at, trace = getattr(error, "lineno", None) or 0, error.__traceback__
    while trace:
        at = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(path) else at
        trace = trace.tb_next
    said = getattr(error, "msg", None) or str(error) or "failed"
    return broken(str(path), [Problem(str(path), at, "", f"{type(error).__name__}: {said}")])
