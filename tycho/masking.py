"""Messages without secrets: what a variable or a release is worth is masked wherever an error speaks of it."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tycho.credentials import MASK, find_credentials, mask_credentials, names_secret, switches
from tycho.errors import Problem, TychoError

SHORTEST = 4  # characters of a value that is worth masking; a shorter one stands in too many words
GRAM = 5  # characters that a message has in common with a secret, where it speaks of a place that reads one
MOST = 65536  # characters of a secret that are looked for


class Masker:
    """Masks what it was told is secret.

    Args:
        secrets: Value to what is shown in its place.
        readers: Compose path to the secret values that are read there.
    """

    def __init__(self, secrets: Mapping[str, str], readers: Mapping[str, Collection[str]] | None = None) -> None:
        self.secrets = {value.lower(): shown for value, shown in secrets.items() if len(value) >= SHORTEST}
        self.readers = readers or {}
        longest_first = sorted(self.secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None

    def text(self, text: str) -> str:
        """A text without secrets; one that was a variable's is shown as that."""
        if self._pattern:
            text = self._pattern.sub(lambda match: self.secrets.get(match[0].lower(), MASK), text)
        return mask_credentials(text)

    def problem(self, problem: Problem) -> Problem:
        """A problem without secrets, nor parts of what is read at its place."""
        message, hint = self.text(problem.message), self.text(problem.hint)
        for secret in self._read_at(problem.path):
            message, hint = _without_parts(message, secret), _without_parts(hint, secret)
        return replace(problem, message=message, hint=hint)

    def error(self, error: TychoError) -> None:
        """Mask an error in place."""
        error.message, error.hint = self.text(error.message), self.text(error.hint)
        error.problems = tuple(map(self.problem, error.problems))
        error.args = (error.message,)

    def _read_at(self, path: str) -> Iterator[str]:
        for place, secrets in self.readers.items():
            if path and (place == path or place.startswith((f"{path}.", f"{path}[")) or path.startswith(
                (f"{place}.", f"{place}[")
            )):  # fmt: skip
                yield from secrets


def _without_parts(text: str, secret: str) -> str:
    """A text without what it has in common with a secret, `GRAM` characters or more; variables' names stay."""
    folded = secret.lower()[:MOST]
    grams = {folded[start : start + GRAM] for start in range(len(folded) - GRAM + 1)} or {folded}
    size = min(GRAM, len(folded))
    pieces = []
    for piece in re.split(r"(\$\{\w+\})", text):
        if piece.startswith("${"):
            pieces.append(piece)
            continue
        low, hidden = piece.lower(), bytearray(len(piece))
        if len(low) == len(piece):
            for start in range(len(low) - size + 1):
                if low[start : start + size] in grams:
                    hidden[start : start + size] = b"\1" * size
        shown = "".join("\0" if mark else character for character, mark in zip(piece, hidden, strict=True))
        pieces.append(re.sub("\0+", MASK, shown))
    return "".join(pieces)


def secret_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The values of an environment that are secret, by their names or by what they show, each with its variable."""
    found = {}
    for name, value in env.items():
        if len(value) >= SHORTEST and not switches(value) and (names_secret(name) or find_credentials(value[:MOST])):
            found[value] = f"${{{name}}}"
    return found


def secret_values(values: Mapping[str, Any]) -> dict[str, str]:
    """What is secret in the values of a release."""
    found: dict[str, str] = secret_variables({key: str(value) for key, value in (values.get("env") or {}).items()})
    for name, service in (values.get("services") or {}).items():
        for part in ("secretEnvironment", "envFile"):
            for key, value in (service.get(part) or {}).items():
                text = str(value)
                if part == "secretEnvironment" or names_secret(key) or find_credentials(text[:MOST]):
                    found[text.replace("$$", "$")] = f"services.{name}.{part}.{key}"
    for name, secret in (values.get("secrets") or {}).items():
        encoded = str(secret.get("value") or "") if isinstance(secret, Mapping) else ""
        for text in (encoded, _decoded(encoded)):
            found.update({text: f"secrets.{name}.value"} if text else {})
    return {value: shown for value, shown in found.items() if not switches(value)}


def _decoded(encoded: str) -> str:
    try:
        return b64decode(encoded).decode("utf-8", "replace").strip()
    except (BadBase64, ValueError):
        return ""


@contextmanager
def masked(secrets: Mapping[str, str], readers: Mapping[str, Collection[str]] | None = None) -> Iterator[Masker]:
    """Mask secrets in whatever error is raised within.

    Args:
        secrets: Value to what is shown in its place.
        readers: Compose path to the secret values that are read there; it may be filled within.
    """
    masker = Masker(secrets, readers)
    try:
        yield masker
    except TychoError as error:
        masker.error(error)
        if error.__cause__ is not None or error.__context__ is not None:
            error.__cause__, error.__suppress_context__ = None, True  # its own text may quote what was given
        raise


class MaskedFormatter(logging.Formatter):
    """Writes a log without secrets.

    Args:
        layout: As of `logging.Formatter`.
        secrets: Value to what is shown in its place.
    """

    def __init__(self, layout: str, secrets: Mapping[str, str]) -> None:
        super().__init__(layout)
        self._masker = Masker(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """One record, with its traceback."""
        return self._masker.text(super().format(record))
