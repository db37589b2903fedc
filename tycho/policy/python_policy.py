"""A policy in Python: a module with `apply(system) -> system`."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

from tycho.errors import PolicyError, Problem, TychoError
from tycho.model import InvalidFieldsError, Project
from tycho.policy.patching import revalidate, validation_problems
from tycho.policy.policy import Apply, Policy
from tycho.policy.yaml_source import policy_error

APPLY = "write def apply(system: Project) -> Project: ..."


def load_python_policy(path: Path, text: bytes) -> Policy:
    """Run a policy's file as a module of its own, without writing bytecode beside it.

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
        raise _failure(path, error) from error
    apply = vars(module).get("apply")
    if not callable(apply):
        raise policy_error(file, [Problem(file, 0, "", "has no function `apply`", APPLY)])
    line = next((node.lineno for node in tree.body if getattr(node, "name", "") == "apply"), 0)
    description = (ast.get_docstring(tree) or apply.__doc__ or "").strip().partition("\n")[0]
    checked = _check_result(apply, path, line)
    return Policy(path=path, text=text, description=description, apply=checked, lines={"apply": line})


def _check_result(apply: Apply, path: Path, line: int) -> Apply:
    """Wrap a policy's function: the model checks what it returns, and its errors name the file and a line."""
    file = str(path)

    def apply_and_check(system: Project) -> Project:
        try:
            after = apply(system)
            if not isinstance(after, Project):
                raise TypeError(f"apply must return the system, not {type(after).__name__}")  # noqa: TRY301
            return revalidate(system, after)
        except (TychoError, MemoryError):  # too little memory is the document's fault, not the policy's
            raise
        except InvalidFieldsError as error:
            problems = [Problem(file, line, *problem) for problem in validation_problems(error, Project)]
            raise policy_error(file, problems) from error
        except Exception as error:
            raise _failure(path, error) from error

    return apply_and_check


def _failure(path: Path, error: Exception) -> PolicyError:
    """Return the error of a policy that raised another one, with the policy's last line in the traceback."""
    line, trace = getattr(error, "lineno", None) or 0, error.__traceback__
    while trace:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(path) else line
        trace = trace.tb_next
    message = getattr(error, "msg", None) or str(error) or "failed"
    return policy_error(str(path), [Problem(str(path), line, "", f"{type(error).__name__}: {message}")])
