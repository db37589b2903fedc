"""Interpolation of a document: every text's variables are replaced, and texts become numbers and booleans.

Source: Compose Specification, "Interpolation"; compose-go's `interpolation` package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from tycho.compose import interpolation
from tycho.compose.attribute import Attribute
from tycho.compose.casts import apply_cast
from tycho.compose.text_checks import check_variables
from tycho.compose.yaml_nodes import YamlNode, child_path
from tycho.errors import Problem
from tycho.masking import is_secret
from tycho.model import Expr, Fixed

READ = re.compile(r"\$\{?([A-Za-z_]\w*)", re.ASCII)  # a variable, or what looks like one: no more than masks need
MAX_EXPANDED = 64 * 1024 * 1024  # characters that variables make of all texts together


class Interpolation(Struct):
    """What the interpolation of a document finds.

    Args:
        problems: What cannot be replaced or read.
        warnings: Variables without a value or default, and booleans in words that YAML 1.2 does not know.
        unset: Those variables.
        decided: Variables that an included file's own environment sets: name, path and node.
        secrets: Compose path to the secret values that are read there.
        room: Characters that texts with variables may still become.
    """

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    unset: set[str] = field(default_factory=set)
    decided: list[tuple[str, str, YamlNode]] = field(default_factory=list)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    room: int = MAX_EXPANDED


class VariableScope(Struct, frozen=True):
    """Where the values of variables come from.

    Args:
        env: Variables of the file at hand.
        project: Those of the whole project.
        reads: Whether any text of the project reads a variable.
        warned: Variables without a value that a warning names already.
        room: Characters that texts with variables may still become.
    """

    env: Mapping[str, str]
    project: Mapping[str, str]
    reads: bool = True
    warned: frozenset[str] = frozenset()
    room: int = MAX_EXPANDED


def interpolate_tree(node: YamlNode, path: str, attribute: Attribute, scope: VariableScope) -> Interpolation:
    """Replace the variables of a tree; the tree itself changes, and its texts remember their expressions."""
    interpolator = _Interpolator(scope, Interpolation(room=scope.room))
    interpolator.visit(node, path, attribute)
    return interpolator.result


class _Interpolator(Struct):
    scope: VariableScope
    result: Interpolation

    def visit(self, node: YamlNode, path: str, attribute: Attribute) -> None:
        value = node.value
        if not (attribute.has_casts or self.scope.reads):
            return
        if isinstance(value, dict):
            for key, child in value.items():
                self.visit(child, child_path(path, key), attribute.child(key))
        elif isinstance(value, list):
            for i, child in enumerate(value):
                self.visit(child, child_path(path, i), attribute.child(i))
        elif isinstance(value, str):
            if "$" in value:
                node.value = self.expand(node, path)
            if attribute.cast:
                problem, warning = apply_cast(node, path, attribute.cast)
                self.result.problems += [problem] if problem else []
                self.result.warnings += [warning] if warning else []

    def expand(self, node: YamlNode, path: str) -> str:
        """Return a text's value."""
        env, result = self.scope.env, self.result
        for name in set(READ.findall(node.value)):
            if is_secret(name, env.get(name, "")):
                result.secrets.setdefault(path, []).append(env.get(name, ""))
        try:
            value = interpolation.value(node.value, env, lambda name: self.warn_unset(node, path, name))
        except interpolation.Invalid as error:
            result.problems.append(node.problem(path, *interpolation.problem(node.value, error, path)))
            return ""
        if result.room < 0:  # which is reported already
            return ""
        result.room -= len(value)
        if result.room < 0:
            message = f"the variables of all texts together expand to more than {MAX_EXPANDED >> 20} MiB"
            result.problems.append(node.problem(path, message, "keep large values in files"))
            return ""
        names = interpolation.names(value.template) if isinstance(value, Expr) else []
        if invalid := list(check_variables(names, env)):
            result.problems += [node.problem(path, message, hint) for message, hint in invalid]
            return ""
        own = [name for name in names if env.get(name) != self.scope.project.get(name)]
        if not own:
            return value
        result.decided += [(name, path, node) for name in own]
        return Fixed(value) if any(is_secret(name, env.get(name, "")) for name in own) else str.__str__(value)

    def warn_unset(self, node: YamlNode, path: str, name: str) -> None:
        """Warn that a variable has no value, once for each variable."""
        if name in self.scope.warned or name in self.result.unset:
            return
        self.result.unset.add(name)
        message = f'The "{name}" variable is not set. Defaulting to a blank string.'
        hint = f"set {name} in the environment or .env, or write ${{{name}:-}}"
        self.result.warnings.append(node.problem(path, message, hint))
