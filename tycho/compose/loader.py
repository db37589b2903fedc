"""From many texts to one tree: documents, interpolation, `include`, `extends`, merge.

Source: Compose Specification, "Include", "Extend", "Merge"; the order is compose-go's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tycho.compose import dotenv, interpolation
from tycho.compose.casts import CASTS, Cast, Table, cast
from tycho.compose.dialect import Dialect
from tycho.compose.extends import extend
from tycho.compose.filesystem import InMemoryFileSystem, source_error
from tycho.compose.merge import Unmergeable, merge, reset, strip
from tycho.compose.paths import rebase
from tycho.compose.project_name import project_name
from tycho.compose.schema import against_schema, prune
from tycho.compose.sources import Sources
from tycho.compose.text_checks import check_variables
from tycho.compose.unicity import unify
from tycho.compose.yaml_nodes import Node, Unreadable, below, items, parse
from tycho.errors import Problem
from tycho.files import FileRefused, Reason
from tycho.masking import is_secret
from tycho.model import Expr, Fixed

MAX_INCLUDES = 64  # in one another
MAX_INCLUDED = 200  # of one project
MAX_VISITED = 400_000  # nodes of earlier documents, which are all looked at again with every further one
READ = re.compile(r"\$\{?([A-Za-z_]\w*)", re.ASCII)  # a variable, or what looks like one: no more than masks need
MAX_EXPANDED = 64 * 1024 * 1024  # characters that variables make of all texts together


@dataclass
class Gathering:
    """What the gathering has found out so far.

    Args:
        sources: The texts and what is around them.
        env: What variables are worth, the project's name among them.
    """

    sources: Sources
    env: Mapping[str, str]
    interpolate: bool = True  # whether variables are replaced, and text is read as numbers
    name: str = ""
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    fixed: list[tuple[str, str, Node]] = field(default_factory=list)  # variables that an included file's own .env sets
    open: tuple[str, ...] = ()  # files that are being included, to notice a circle
    unset: set[str] = field(default_factory=set)
    bases: dict[Any, Mapping[str, Node]] = field(default_factory=dict)  # services of files that are extended
    readers: dict[str, list[str]] = field(default_factory=dict)  # path -> what is secret and read there
    extended: dict[tuple[int, str], Node] = field(default_factory=dict)  # services with what they extend
    copied: int = 0  # values that services took over by extends
    included_files: int = 0
    nodes: int = 0  # of all documents
    visited: int = 0  # of these, each time that a further document was added
    dollars: bool = False  # whether any text holds a variable
    dialect: Dialect = field(default_factory=Dialect)  # what there is of the first Tycho's
    env_files: list[str] = field(default_factory=list)  # what `include` reads variables from
    room: int = MAX_EXPANDED  # characters that texts with variables may still become

    def wrong(self, problem: Problem) -> None:
        """Note a problem."""
        self.problems.append(problem)

    def warn_unset(self, node: Node, path: str, name: str) -> None:
        """Note that a variable has no value, once a variable."""
        if name not in self.unset:
            self.unset.add(name)
            said = f'The "{name}" variable is not set. Defaulting to a blank string.'
            hint = f"set {name} in the environment or .env, or write ${{{name}:-}}"
            self.warnings.append(node.problem(path, said, hint))

    def documents(self, file: str, text: bytes) -> list[Node]:
        """A text's documents, as they were parsed; none when it cannot be read."""
        self.dollars = self.dollars or b"$" in text
        self.dialect.braces = self.dialect.braces or b"{{" in text
        try:
            return [one for one in parse(text, file) if one.value is not None]
        except Unreadable as error:
            self.wrong(error.problem)
            return []

    def read(self, path: str, node: Node, where: str) -> bytes | None:
        """A file that another one names."""
        try:
            return self.sources.files.read(path).content
        except FileRefused as error:
            refused = source_error(self.sources.shown(path), error)
            hint = "name a file that is there" if error.reason is Reason.ABSENT else refused.hint or "name a file"
            self.wrong(node.problem(where, refused.message, hint))
            return None

    def prepared(self, document: Node, env: Mapping[str, str]) -> Node:
        """The document in Compose's own words, with all variables replaced."""
        claims = self.dialect.translate(document, env, self.problems)
        self.dollars = self.dollars or bool(self.dialect.uses)
        for key, claim in claims.items():
            self.interpolated(claim, f"volumes.{key}", env, None)
        return self.interpolated(document, "", env)

    def interpolated(self, node: Node, path: str, env: Mapping[str, str], casts: Table | Cast | None = CASTS) -> Node:
        """The tree with every string's variables replaced; the strings remember their templates."""
        value, table = node.value, casts if isinstance(casts, Mapping) else {}
        if not self.interpolate or not (table or casts or self.dollars):
            return node
        if isinstance(value, dict):
            for key, child in value.items():
                self.interpolated(child, below(path, key), env, table.get(key, table.get("*")))
        elif isinstance(value, list):
            for i, child in enumerate(value):
                self.interpolated(child, below(path, i), env, table.get("[]"))
        elif isinstance(value, str):
            if "$" in value:
                node.value = self.expanded(node, path, env)
            wanted = casts if callable(casts) else table.get("")
            if wanted and (problem := cast(node, path, wanted, self.warnings.append)):
                self.wrong(problem)
        return node

    def expanded(self, node: Node, path: str, env: Mapping[str, str]) -> str:
        """A string's value."""
        for name in set(READ.findall(node.value)):
            if is_secret(name, env.get(name, "")):
                self.readers.setdefault(path, []).append(env.get(name, ""))
        try:
            value = interpolation.value(node.value, env, lambda name: self.warn_unset(node, path, name))
        except interpolation.Invalid as error:
            self.wrong(node.problem(path, *interpolation.problem(node.value, error, path)))
            return ""
        if self.room < 0:  # which was told already
            return ""
        self.room -= len(value)
        if self.room < 0:
            message = f"the variables of all texts together expand to more than {MAX_EXPANDED >> 20} MiB"
            self.wrong(node.problem(path, message, "keep large values in files"))
            return ""
        read = interpolation.names(value.template) if isinstance(value, Expr) else []
        if wrong := list(check_variables(read, env)):
            self.problems += [node.problem(path, *about) for about in wrong]
            return ""
        if isinstance(value, Expr) and env is not self.env:
            own = [name for name in read if env.get(name) != self.env.get(name)]
            if own:
                self.fixed += [(name, path, node) for name in own]
                secret = any(is_secret(name, env.get(name, "")) for name in own)
                return Fixed(value) if secret else str.__str__(value)
        return value

    def add(self, tree: Node, documents: list[Node], file: str, directory: str, env: Mapping[str, str]) -> Node:
        """The tree with one file's documents merged over it; what they include lies below them."""
        for document in documents:
            if not isinstance(document.value, dict):
                said = "top-level object must be a mapping"
                self.wrong(document.problem("", said, "begin with services:"))
                continue
            if old := _version_1(document):
                said = "this is the version 1 format, which Compose no longer reads"
                self.wrong(document.map[old].problem(old, said, "put the services under a key services:"))
                continue
            before = len(self.problems)
            full = self.visited > MAX_VISITED
            self.visited += self.nodes
            self.nodes += document.size
            if self.visited > MAX_VISITED:
                if not full:
                    self.wrong(document.problem("", "too many documents for their size", "write one of them"))
                return tree
            self.prepared(document, env)
            include = document.value.pop("include", None)
            if include is not None and not isinstance(include.value, list):
                self.wrong(include.problem("include", "include must be a list", "- other/compose.yaml"))
                include = None
            for item in items(include):
                document = self.included(document, item, directory, env)  # noqa: PLW2901
            reset(tree, document)
            extend(self, document, file, directory, env)
            tree = unify(self.over(tree, strip(document)))
            wrong = [problem for problem in self.problems[before:] if problem.path]
            self.problems += against_schema(prune(tree, wrong))
            prune(tree, self.problems[before:])
        return tree

    def over(self, base: Node, over: Node) -> Node:
        """One tree over another."""
        try:
            return merge(base, over)
        except Unmergeable as error:
            self.wrong(error.problem)
            return base

    def included(self, document: Node, item: Node, directory: str, env: Mapping[str, str]) -> Node:
        """The document with what one item of `include` names below it."""
        said = item.map or {"path": item}
        paths = [str(one.value) for one in items(said.get("path"))]
        if isinstance(self.sources.files, InMemoryFileSystem) and not self.sources.files.files:
            said_so = "other files cannot be included here: a request is one document"
            self.wrong(item.problem("include", said_so, "put their services into it"))
            return document
        if not paths or not all(isinstance(one.value, str) for one in items(said.get("path"))):
            self.wrong(item.problem("include", "include needs a path", "path: other/compose.yaml"))
            return document
        first = self.sources.join(directory, paths[0])
        folder = said.get("project_directory")
        inner = self.sources.join(directory, str(folder.value)) if folder else os.path.dirname(first)
        scope = self.include_env(said.get("env_file"), directory, inner, env, item)
        if first not in self.open and len(self.open) > MAX_INCLUDES:
            self.wrong(
                item.problem("include", f"files include each other more than {MAX_INCLUDES} deep", "include less")
            )
            return document
        if first in self.open:
            circle = "\n include ".join(self.sources.shown(one) for one in (*self.open, first))
            self.wrong(item.problem("include", f"include cycle detected:\n{circle}", "leave one of them out"))
            return document
        before, self.open = self.open, (*self.open, first)
        tree = Node({})
        for path in paths:
            self.included_files += 1
            if self.included_files > MAX_INCLUDED:
                if self.included_files == MAX_INCLUDED + 1:
                    message = f"more than {MAX_INCLUDED} files are included"
                    self.wrong(item.problem("include", message, "include each file once"))
                break
            at = self.sources.join(directory, path)
            text = self.read(at, item, "include")
            if text is not None:
                documents = self.documents(self.sources.shown(at), text)
                tree = self.add(tree, documents, self.sources.shown(at), inner, scope)
        self.open = before
        rebase(tree, inner, directory, whole=True)
        return self.imported(tree, document)

    def imported(self, tree: Node, document: Node) -> Node:
        """A document with an included tree's resources below its own."""
        reset(tree, document)
        kept = {key: tree.map[key] for key in IMPORTED if key in tree.map}
        merged = self.over(tree.with_value(kept), document)
        return document.with_value(merged.map)

    def include_env(
        self, said: Node | None, directory: str, inner: str, env: Mapping[str, str], item: Node
    ) -> Mapping[str, str]:
        """An included file's own variables; the including one's win."""
        named = [self.sources.join(directory, str(one.value)) for one in items(said)]
        own: dict[str, str] = {}
        for path in named or [os.path.join(inner, ".env")]:
            if path == os.devnull or (not named and not self.sources.files.has(path)):
                continue
            self.env_files.append(path)
            text = self.read(path, item, "include")
            try:
                dotenv.parse(text or b"", self.sources.shown(path), env, own)
            except dotenv.Malformed as error:
                self.wrong(error.problem)
        return {**own, **env} if own else env


def _version_1(document: Node) -> str:
    """The first service of a file that knows no sections."""
    if any(key in document.map for key in (*IMPORTED, "include", "name", "version")):
        return ""
    return next((key for key, child in document.map.items() if child.get("image") or child.get("build")), "")


IMPORTED = ("services", "jobs", "volumes", "networks", "secrets", "configs", "models")


def gather(
    sources: Sources, *, interpolate: bool = True, readers: dict[str, list[str]] | None = None
) -> tuple[Gathering, Node]:
    """All documents of the sources as one tree, and what was found out; `readers` takes what is secret, as it is read.

    Args:
        sources: The texts and what is around them.
        interpolate: Whether variables are replaced, and text is read as numbers.
        readers: Compose path to the secret values that are read there.
    """
    state = Gathering(sources, sources.env, interpolate, readers={} if readers is None else readers)
    parsed = [(file, state.documents(file, text)) for file, text in sources.texts]
    state.name, problems = project_name(sources, [one for _, documents in parsed for one in documents])
    state.problems += problems
    state.env = {**sources.env, "COMPOSE_PROJECT_NAME": state.name}
    tree = Node({})
    for file, documents in parsed:
        state.open = (sources.join(sources.cwd, file),)
        tree = state.add(tree, documents, file, sources.directory, state.env)
    state.dialect.finish(tree)
    if not tree.map and not state.problems:
        state.wrong(Problem(parsed[0][0], 0, "", "empty compose file", "begin with services:"))
    return state, tree
