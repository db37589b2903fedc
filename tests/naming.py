"""The names that Python code binds, and those that say too little about what they hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

# Words that fit anything: a reader has to look elsewhere for what is in them. Alone, and as the first word of a name.
VAGUE = frozenset({"one", "said", "found", "about", "every", "rest", "told", "wanted"})
# What people write instead when only the words above are banned. As the whole name.
EMPTY = frozenset({"item", "thing", "data"})


def is_vague(name: str) -> bool:
    """Return whether a name is one of the vague words, or begins with one."""
    plain = name.strip("_").lower()
    return plain in EMPTY or plain.partition("_")[0] in VAGUE


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """List every name that a module binds, with its line.

    Variables, arguments, functions, classes, attributes, aliases of imports, caught errors, captures of `match`.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


def vague_names(path: Path) -> list[str]:
    """List the vague names of a file, its own name included, as `line: name`."""
    names = bound_names(ast.parse(path.read_text(encoding="utf-8")))
    own = [f"module: {path.stem}"] if is_vague(path.stem) else []
    return own + [f"{line}: {name}" for name, line in names if is_vague(name)]


def class_names(path: Path) -> list[str]:
    """List the classes that a module defines at its top."""
    return [node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]
