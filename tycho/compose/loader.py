"""The loader: from many documents to one tree.

For each document, in this order: parse, interpolate, include, reset, extends, merge, unicity, schema.

Source: Compose Specification, "Include", "Extend", "Merge"; the order is compose-go's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct, field

from tycho.compose import dotenv
from tycho.compose.attribute import UNKNOWN
from tycho.compose.attributes import PROJECT, SERVICE
from tycho.compose.dialect import Dialect
from tycho.compose.extends import ExtendsResolver, ServiceFile
from tycho.compose.filesystem import InMemoryFileSystem, source_error
from tycho.compose.include import IMPORTED, MAX_INCLUDED, MAX_INCLUDES, Include, read_include, rebase_included
from tycho.compose.merge import Unmergeable, merge, remove_replaced, remove_resets
from tycho.compose.paths import rebase
from tycho.compose.project_name import project_name
from tycho.compose.schema import against_schema, prune
from tycho.compose.sources import Sources
from tycho.compose.tree_interpolation import MAX_EXPANDED, VariableScope, interpolate_tree
from tycho.compose.unicity import enforce_unicity
from tycho.compose.yaml_nodes import Unreadable, YamlNode, as_entries, parse
from tycho.errors import Problem
from tycho.files import FileRefused, Reason
from tycho.model import DialectUse

MAX_VISITED = 400_000  # nodes of earlier documents, which are all looked at again with every further one


class LoadedTree(Struct, frozen=True):
    """All documents of a project as one tree.

    Args:
        tree: Merged, and without the values that the schema refuses.
        name: The project's; "" where it cannot have one.
        sources: The texts and what is around them.
        env: The values of variables, the project's name among them.
        problems: What is wrong.
        warnings: What should be changed.
        decided: Variables that an included file's own environment sets: name, path and node.
        secrets: Compose path to the secret values that are read there.
        env_files: Files that `include` reads variables from.
        dialect: Uses of the first Tycho's dialect.
    """

    tree: YamlNode
    name: str
    sources: Sources
    env: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    decided: tuple[tuple[str, str, YamlNode], ...] = ()
    secrets: Mapping[str, list[str]] = field(default_factory=dict)
    env_files: tuple[str, ...] = ()
    dialect: tuple[DialectUse, ...] = ()


def load_tree(sources: Sources, *, interpolate: bool = True) -> LoadedTree:
    """Load all documents of the sources into one tree.

    Args:
        sources: The texts and what is around them.
        interpolate: Whether variables are replaced, and text is read as numbers.
    """
    loader = _Loader(sources, interpolate)
    parsed = [(file, loader.parse(file, text)) for file, text in sources.texts]
    name, problems = project_name(sources, [document for _, documents in parsed for document in documents])
    loader.problems += problems
    loader.env = {**sources.env, "COMPOSE_PROJECT_NAME": name}
    tree = YamlNode({})
    for file, documents in parsed:
        including = (sources.join(sources.cwd, file),)
        tree = loader.add(tree, documents, DocumentOrigin(file, sources.directory, loader.env, including))
    loader.dialect.finish(tree)
    if not tree.map and not loader.problems:
        loader.problems.append(Problem(parsed[0][0], 0, "", "empty compose file", "begin with services:"))
    return LoadedTree(
        tree, name, sources, loader.env, tuple(loader.problems), tuple(loader.warnings), tuple(loader.decided),
        loader.secrets, tuple(loader.env_files), tuple(loader.dialect.uses),
    )  # fmt: skip


class DocumentOrigin(Struct, frozen=True):
    """The file that documents come from.

    Args:
        file: As a user knows it.
        directory: Where its relative paths start.
        env: Its variables.
        including: The files that include each other up to this one, which is the last.
    """

    file: str
    directory: str
    env: Mapping[str, str]
    including: tuple[str, ...] = ()


class _Loader:
    """Loads the documents of one project, and counts what all of them together use up."""

    def __init__(self, sources: Sources, interpolate: bool) -> None:
        self.sources = sources
        self.interpolate = interpolate
        self.env = sources.env
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.unset: set[str] = set()
        self.decided: list[tuple[str, str, YamlNode]] = []
        self.secrets: dict[str, list[str]] = {}
        self.env_files: list[str] = []
        self.dialect = Dialect()
        self.extends = ExtendsResolver(SERVICE, self.read_base, self.problems)
        self.bases: dict[tuple[str, str, int], Mapping[str, YamlNode]] = {}  # services of files that are extended
        self.included = 0  # files
        self.nodes = 0  # of all documents
        self.visited = 0  # of these, each time that a further document was added
        self.reads_variables = False
        self.room = MAX_EXPANDED

    def parse(self, file: str, text: bytes) -> list[YamlNode]:
        """Parse a text into its documents; none when it cannot be read."""
        self.reads_variables = self.reads_variables or b"$" in text
        self.dialect.braces = self.dialect.braces or b"{{" in text
        try:
            return [document for document in parse(text, file) if document.value is not None]
        except Unreadable as error:
            self.problems.append(error.problem)
            return []

    def read(self, path: str, node: YamlNode, where: str) -> bytes | None:
        """Read a file that a node names."""
        try:
            return self.sources.files.read(path).content
        except FileRefused as error:
            refused = source_error(self.sources.shown(path), error)
            hint = "name a file that is there" if error.reason is Reason.ABSENT else refused.hint or "name a file"
            self.problems.append(node.problem(where, refused.message, hint))
            return None

    def prepare(self, document: YamlNode, env: Mapping[str, str]) -> YamlNode:
        """Write a document in Compose's own words, and replace its variables; the document itself changes."""
        claims = self.dialect.translate(document, env, self.problems)
        self.reads_variables = self.reads_variables or bool(self.dialect.uses)
        if self.interpolate:
            trees = [(f"volumes.{key}", claim, UNKNOWN) for key, claim in claims.items()]
            for path, tree, attribute in (*trees, ("", document, PROJECT)):
                scope = VariableScope(env, self.env, self.reads_variables, frozenset(self.unset), self.room)
                result = interpolate_tree(tree, path, attribute, scope)
                self.room = result.room
                self.problems += result.problems
                self.warnings += result.warnings
                self.unset |= result.unset
                self.decided += result.decided
                for place, secrets in result.secrets.items():
                    self.secrets.setdefault(place, []).extend(secrets)
        return document

    def add(self, tree: YamlNode, documents: list[YamlNode], origin: DocumentOrigin) -> YamlNode:
        """Merge one file's documents over a tree; what they include lies below them."""
        for document in documents:
            if not isinstance(document.value, dict):
                message = "top-level object must be a mapping"
                self.problems.append(document.problem("", message, "begin with services:"))
                continue
            if old := _find_version_1(document):
                message = "this is the version 1 format, which Compose no longer reads"
                problem = document.map[old].problem(old, message, "put the services under a key services:")
                self.problems.append(problem)
                continue
            before = len(self.problems)
            if not self.has_room(document):
                return tree
            self.prepare(document, origin.env)
            document = self.include(document, origin)  # noqa: PLW2901
            remove_replaced(tree, document)
            self.extends.resolve(document, origin.file, origin.directory, origin.env)
            tree = enforce_unicity(self.merge(tree, remove_resets(document)), PROJECT)
            refused = [problem for problem in self.problems[before:] if problem.path]
            self.problems += against_schema(prune(tree, refused))
            prune(tree, self.problems[before:])
        return tree

    def merge(self, base: YamlNode, override: YamlNode) -> YamlNode:
        """Merge two trees; the base stays where they cannot become one."""
        try:
            return merge(base, override, "", PROJECT)
        except Unmergeable as error:
            self.problems.append(error.problem)
            return base

    def include(self, document: YamlNode, origin: DocumentOrigin) -> YamlNode:
        """Merge a document over what it includes."""
        include = document.value.pop("include", None)
        if include is not None and not isinstance(include.value, list):
            self.problems.append(include.problem("include", "include must be a list", "write - other/compose.yaml"))
            include = None
        for entry in as_entries(include):
            included = self.load_include(entry, origin)
            if included is not None:
                remove_replaced(included, document)
                document = document.with_value(self.merge(included, document).map)
        return document

    def load_include(self, entry: YamlNode, origin: DocumentOrigin) -> YamlNode | None:
        """Load what an entry of `include` names; None where it is refused."""
        if isinstance(self.sources.files, InMemoryFileSystem) and not self.sources.files.files:
            message = "other files cannot be included here: a request is one document"
            self.problems.append(entry.problem("include", message, "put their services into it"))
            return None
        include = read_include(entry, origin.directory, self.sources)
        if include is None:
            self.problems.append(entry.problem("include", "include needs a path", "write path: other/compose.yaml"))
            return None
        env = self.include_env(include, origin.env, entry)
        first = include.files[0]
        if first not in origin.including and len(origin.including) > MAX_INCLUDES:
            message = f"files include each other more than {MAX_INCLUDES} deep"
            self.problems.append(entry.problem("include", message, "include less"))
            return None
        if first in origin.including:
            circle = "\n include ".join(map(self.sources.shown, (*origin.including, first)))
            message = f"include cycle detected:\n{circle}"
            self.problems.append(entry.problem("include", message, "leave one of them out"))
            return None
        tree = YamlNode({})
        for path in include.files:
            self.included += 1
            if self.included > MAX_INCLUDED:
                if self.included == MAX_INCLUDED + 1:
                    message = f"more than {MAX_INCLUDED} files are included"
                    self.problems.append(entry.problem("include", message, "include each file once"))
                break
            text = self.read(path, entry, "include")
            if text is not None:
                file = self.sources.shown(path)
                inner = DocumentOrigin(file, include.directory, env, (*origin.including, first))
                tree = self.add(tree, self.parse(file, text), inner)
        return rebase_included(tree, PROJECT, include.directory, origin.directory)

    def include_env(self, include: Include, env: Mapping[str, str], entry: YamlNode) -> Mapping[str, str]:
        """Read an included project's own variables; the including one's win."""
        own: dict[str, str] = {}
        for path in include.env_files:
            if path == os.devnull or (not include.named and not self.sources.files.has(path)):
                continue
            self.env_files.append(path)
            text = self.read(path, entry, "include")
            try:
                dotenv.parse(text or b"", self.sources.shown(path), env, own)
            except dotenv.MalformedEnvFile as error:
                self.problems.append(error.problem)
        return {**own, **env} if own else env

    def read_base(self, place: ServiceFile, file: YamlNode, path: str) -> ServiceFile | None:
        """Read the services of `extends.file`, their paths as if they stood in the extending file."""
        full = self.sources.join(place.directory, str(file.value))
        key = (full, place.directory, id(place.env))
        if key not in self.bases:
            text = self.read(full, file, path)
            if text is None:
                return None
            tree = YamlNode({})
            for document in self.parse(self.sources.shown(full), text):
                tree = self.merge(tree, remove_resets(self.prepare(document, place.env)))
            rebase(tree, PROJECT, os.path.dirname(full), place.directory)
            self.bases[key] = (tree.get("services") or YamlNode({})).map
        return ServiceFile(self.bases[key], self.sources.shown(full), place.directory, place.env)

    def has_room(self, document: YamlNode) -> bool:
        """Count a document's nodes; report once that there are too many."""
        full = self.visited > MAX_VISITED
        self.visited += self.nodes
        self.nodes += document.size
        if self.visited > MAX_VISITED and not full:
            problem = document.problem("", "too many documents for their size", "write one of them")
            self.problems.append(problem)
        return self.visited <= MAX_VISITED


def _find_version_1(document: YamlNode) -> str:
    """Find the first service of a file that has no sections; "" where it has some."""
    if any(key in document.map for key in (*IMPORTED, "include", "name", "version")):
        return ""
    return next((key for key, child in document.map.items() if child.get("image") or child.get("build")), "")
