"""The token file: who comes with which token, and what for. It holds hashes, and is read anew when it changes.

tokens:
  portal:                        # the token's name, for logs
    hash: sha256:<64 hex digits> # printf %s "$TOKEN" | sha256sum
    user: ada                    # whose systems are his own; the token's name by default
    scopes: ["systems:*!user=me"]
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from tycho.access.subject import Scope, Subject, name_problem
from tycho.errors import Problem, Unauthorized, UsageError

LARGEST = 1024 * 1024
HASH = re.compile(r"sha256:[0-9a-f]{64}")
TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
KEYS = ("hash", "user", "scopes")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _FileState(Struct, frozen=True):
    """What tells whether a file has changed."""

    device: int
    inode: int
    modified: int
    size: int
    mode: int


class TokenFile:
    """The tokens of a file, as it is now.

    Args:
        path: The file; nobody but its owner may read it.

    Raises:
        UsageError: It cannot be read, others may read it, or it has problems: all of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state: _FileState | None = None
        self._subjects: Mapping[str, Subject] = {}
        self._broken = ""
        self._subjects, self._state = self._read()

    def find(self, token: str) -> Subject | None:
        """Find whose a token is; it takes as long for one that is known as for another.

        Raises:
            Unauthorized: The file is not as it should be, so that it vouches for nobody.
        """
        self._renew()
        hashed = f"sha256:{hashlib.sha256(token.encode(errors='surrogatepass')).hexdigest()}"
        match = None
        for kept, subject in self._subjects.items():
            if hmac.compare_digest(kept, hashed):
                match = subject
        if match is None and self._broken:
            raise Unauthorized(
                "the service cannot read its token file, and accepts no token of it", hint="read its log"
            )
        return match

    def _renew(self) -> None:
        """Read the file once more when it has changed; one that is broken or gone makes all its tokens void."""
        try:
            now = _state(self.path.stat())
        except OSError:
            now = None
        if now is not None and now == self._state:
            return
        if now is None and self._broken == "gone":
            return
        self._state = now
        try:
            self._subjects, self._state = self._read()
            self._broken = ""
        except UsageError as error:
            self._subjects, self._broken = {}, "gone" if now is None else "broken"
            reasons = "; ".join([f"{error.message} ({error.hint})", *map(str, error.problems)])
            logging.getLogger("tycho.access").critical("%s: no token of it is accepted: %s", self.path.name, reasons)

    def _read(self) -> tuple[Mapping[str, Subject], _FileState]:
        text, state = read_private(self.path)
        return parse_tokens(text, str(self.path)), state


def read_private(path: Path) -> tuple[str, _FileState]:
    """Read a file that nobody else may read.

    Raises:
        UsageError: It is no such file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it has no such name"
        raise UsageError(f"the token file cannot be read: {why}", local=str(path)) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError("the token file is no file", local=str(path))
        if status.st_mode & 0o077:
            raise UsageError(
                "the token file may be read or written by others",
                hint="chmod 600 makes it yours alone",
                local=str(path),
            )
        if status.st_uid not in (os.geteuid(), 0):
            raise UsageError("the token file belongs to another user", local=str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        raise UsageError(f"the token file is larger than {LARGEST >> 20} MiB", local=str(path))
    try:
        return content.decode("utf-8-sig"), _state(status)
    except UnicodeDecodeError as error:
        raise UsageError(f"the token file is not UTF-8 at byte {error.start}", local=str(path)) from None


def parse_tokens(text: str, file: str) -> Mapping[str, Subject]:
    """Read the tokens of a file, by hash.

    Args:
        text: What it holds.
        file: Its name, for messages.

    Raises:
        UsageError: With every problem of it.
    """
    reading = _Reading(file)
    try:
        # Aliases are followed by the composer, not copied, and the parser is C: neither costs more than the text does.
        root = yaml.compose(text, Loader=LOADER)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)  # its own text may quote a line
        reason = getattr(error, "problem", None) or "it cannot be parsed"
        reading.add(mark.line + 1 if mark else 0, "", f"it is not YAML: {reason}")
        root = None
    else:
        if root is None:
            reading.add(0, "", "it holds nothing", "write tokens:, and below it a name for each")
    subjects = reading.tokens(root) if root is not None else {}
    if reading.problems:
        count = len(reading.problems)
        raise UsageError(
            f"the token file has {count} problem{'s' if count > 1 else ''}", problems=sorted(reading.problems)
        )
    return subjects


class _Reading:
    """Reads one file, and gathers what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, line: int, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, line, path, message, hint))

    def tokens(self, root: yaml.Node) -> dict[str, Subject]:
        top = self.mapping(root, "", ("tokens",))
        subjects: dict[str, Subject] = {}
        if "tokens" not in top:
            if not self.problems:
                self.add(_line(root), "tokens", "is missing")
            return subjects
        for name, node in self.mapping(top["tokens"], "tokens").items():
            path = f"tokens.{name}"
            if not TOKEN_NAME.fullmatch(name):
                self.add(_line(node), "tokens", "a token's name is 1 to 63 of A-Z, a-z, 0-9, ., _, @ and -")
            elif (entry := self.token(name, node, path)) is not None:
                hash, subject = entry
                if hash in subjects:
                    self.add(_line(node), path, f"has the hash of {subjects[hash].token}")
                subjects[hash] = subject
        return subjects

    def token(self, name: str, node: yaml.Node, path: str) -> tuple[str, Subject] | None:
        fields = self.mapping(node, path, KEYS)
        before = len(self.problems)
        hash = self.text(fields, "hash", path, node)
        if hash and not HASH.fullmatch(hash):  # which may be the token itself: it is not repeated
            self.add(
                _line(fields["hash"]), f"{path}.hash", "is no hash", "sha256: and 64 of 0-9a-f, of the token alone"
            )
        user = self.text(fields, "user", path, node) if "user" in fields else name
        if problem := user and name_problem(user):
            self.add(_line(fields.get("user", node)), f"{path}.user", problem)
        scopes = self.scopes(fields.get("scopes"), path, node)
        if len(self.problems) > before or not isinstance(node, yaml.MappingNode):
            return None
        return hash, Subject(user, "token file", scopes, token=name)

    def scopes(self, node: yaml.Node | None, path: str, parent: yaml.Node) -> tuple[Scope, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            if not isinstance(parent, yaml.MappingNode):
                return ()
            self.add(_line(node or parent), f"{path}.scopes", "must list scopes", 'for example ["systems:*!user=me"]')
            return ()
        scopes = []
        for number, scope_node in enumerate(node.value):
            place = f"{path}.scopes[{number}]"
            if not _is_text(scope_node):
                self.add(_line(scope_node), place, "must be text")
                continue
            try:
                scopes.append(Scope.parse(scope_node.value))
            except UsageError as error:
                self.add(_line(scope_node), place, error.message, error.hint)
        return tuple(scopes)

    def text(self, fields: Mapping[str, yaml.Node], key: str, path: str, parent: yaml.Node) -> str:
        node = fields.get(key)
        if node is not None and _is_text(node):
            return str(node.value)
        if node is not None:
            self.add(_line(node), f"{path}.{key}", "must be text", "write it in quotes")
        elif isinstance(parent, yaml.MappingNode):
            self.add(_line(parent), f"{path}.{key}", "is missing")
        return ""

    def mapping(self, node: yaml.Node, path: str, known: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode) or node.tag != "tag:yaml.org,2002:map":
            self.add(_line(node), path, "must be a mapping")
            return {}
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if not _is_text(key):
                self.add(_line(key), path, "has a key that is not text", "write it in quotes")
            elif name in fields:
                self.add(_line(key), path, "has a key twice")
            elif known and name not in known:
                self.add(_line(key), path, "has a key that is not known", f"known: {', '.join(known)}")
            else:
                fields[name] = value
        return fields


def _is_text(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _state(status: os.stat_result) -> _FileState:
    return _FileState(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode)
