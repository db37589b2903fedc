"""Binding: from the merged tree to the fields of the model."""

from __future__ import annotations

from typing import Any

from tycho.compose.attributes import PROJECT
from tycho.compose.bound import BoundProject
from tycho.compose.context import Context
from tycho.compose.converters import passthrough
from tycho.compose.lifecycle_hooks import inherit_hook_defaults
from tycho.compose.loader import LoadedTree
from tycho.model import Expr

OBSOLETE = "the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"


def bind_project(loaded: LoadedTree) -> BoundProject:
    """Convert a tree to the fields of a project, as far as its values can be converted."""
    ctx = Context(loaded.sources, loaded.env)
    ctx.problems += loaded.problems
    ctx.known_problem_paths = frozenset(problem.path for problem in loaded.problems)
    ctx.warnings += loaded.warnings
    ctx.dialect += loaded.dialect
    for name, path, node in loaded.decided:
        ctx.record_variable(name, path, node.file, node.line, live=False)
    ctx.problems += inherit_hook_defaults(loaded.tree)
    fields: dict[str, Any] = {"services": {}, "jobs": {}}
    for key, child in loaded.tree.map.items():
        ctx.lines[key] = (child.file, child.line)
        attribute = PROJECT.keys.get(key)
        if attribute and attribute.convert:
            fields[key] = attribute.convert(ctx, child, key)
        elif key.startswith("x-"):
            fields.setdefault("x", {})[key] = passthrough(ctx, child, key)
        elif key == "name" and isinstance(child.value, Expr) and not ctx.sources.name:
            ctx.record_variables(child, key, child.value.template, live=False)
        elif key == "models":
            fields[key] = passthrough(ctx, child, key)
        elif key == "version":
            fields[key] = str(child.value)
            ctx.warnings.append(child.problem(key, OBSOLETE, "take it out"))
    return ctx.apply(fields)
