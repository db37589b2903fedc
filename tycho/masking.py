"""Messages without secrets: what a variable or a release is worth is masked wherever an error speaks of it."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tycho.credentials import MASK, find_credentials, mask_credentials, names_secret, switches
from tycho.errors import Problem, TychoError

if TYPE_CHECKING:
    from tycho.model import Project

SHORTEST = 4  # characters of a value that is worth masking; a shorter one stands in too many words
GRAM = 5  # characters that a message has in common with a secret, where it speaks of a place that reads one
KEY = ("services", "web", "environment")  # how deep two places must agree
MOST = 65536  # characters of a secret that are looked for


class Masker:
    """Masks what it was told is secret.

    Args:
        secrets: Value to what is shown in its place.
        readers: Compose path to the secret values that are read there.
    """

    def __init__(self, secrets: Mapping[str, str], readers: Mapping[str, Collection[str]] | None = None) -> None:
        self.secrets = {value.lower(): shown for value, shown in secrets.items() if len(value) >= SHORTEST}
        self.readers = {} if readers is None else readers  # an empty mapping may be filled later
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
        return replace(problem, path=self.text(problem.path), message=message, hint=hint)

    def error(self, error: TychoError) -> None:
        """Mask an error in place."""
        error.message, error.hint = self.text(error.message), self.text(error.hint)
        error.problems = tuple(map(self.problem, error.problems))
        error.warnings = tuple(map(self.problem, error.warnings))
        error.args = (error.message,)

    def _read_at(self, path: str) -> Iterator[str]:
        key = _key(path)
        for place, secrets in self.readers.items():
            if key[: len(KEY)] == _key(place)[: len(key)]:
                yield from secrets


def _key(path: str) -> list[str]:
    """The first steps of a path: a problem in a list may be told with another place below the same key."""
    return re.split(r"[.\[]", path, maxsplit=len(KEY))[: len(KEY)]


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


def secret_variables(env: Mapping[str, str], *, known: Iterable[str] = ()) -> dict[str, str]:
    """The values of an environment that are secret, by their names or by what they show, each with its variable.

    Args:
        env: The environment.
        known: Texts that say what is no secret: a password such as `postgres` would be masked in every image's name.
    """
    result = {}
    for name, value in env.items():
        if len(value) >= SHORTEST and is_secret(name, value) and not any(value in text for text in known):
            result[value] = f"${{{name}}}"
    return result


def is_secret(name: str, value: str) -> bool:
    """Tell whether a variable is secret, by its name or by what it shows."""
    return not switches(value) and (names_secret(name) or bool(find_credentials(value[:MOST])))


def system_secrets(
    system: Project, env: Mapping[str, str], known: Iterable[str]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What no message about a system may say.

    Args:
        system: A loaded system.
        env: What its variables are worth.
        known: Texts that say what is no secret.

    Returns:
        The caller's secrets, each with its variable; and compose path to those that are read or written there.
    """
    readers: dict[str, list[str]] = {}
    read = [*system.baked.items(), *((name, variable.places) for name, variable in system.variables.items())]
    for name, places in read:
        if is_secret(name, value := env.get(name, "")):
            for place in places:
                readers.setdefault(place.rpartition(" ")[2], []).append(value)
    for section, services in (("services", system.services), ("jobs", system.jobs)):
        for name, service in services.items():
            for key, entry in service.environment.items():
                if entry and is_secret(key, entry):
                    readers.setdefault(f"{section}.{name}.environment", []).append(str(entry))
    return secret_variables(env, known=known), readers


def secret_values(values: Mapping[str, Any], *, known: Iterable[str] = ()) -> dict[str, str]:
    """What is secret in the values of a release, each with its key there.

    Args:
        values: The values.
        known: Texts that say what is no secret.
    """
    result: dict[str, str] = secret_variables(
        {key: str(value) for key, value in (values.get("variables") or {}).items()}
    )
    for name, service in (values.get("services") or {}).items():
        for part in ("secretEnv", "envFile"):
            for key, value in (service.get(part) or {}).items():
                text = str(value)
                if part == "secretEnv" or names_secret(key) or find_credentials(text[:MOST]):
                    result[text.replace("$$", "$")] = f"services.{name}.{part}.{key}"
    for name, secret in (values.get("secrets") or {}).items():
        encoded = str(secret.get("value") or "") if isinstance(secret, Mapping) else ""
        for text in (encoded, _decoded(encoded)):
            result.update({text: f"secrets.{name}.value"} if text else {})
    return {
        value: shown
        for value, shown in result.items()
        if len(value) >= SHORTEST and not switches(value) and not any(value in text for text in known)
    }


def mask_values(values: Mapping[str, Any], *, known: Iterable[str] = ()) -> dict[str, Any]:
    """Return the values of a release fit to be shown: what is secret of them is masked, wherever it stands.

    Args:
        values: The values.
        known: Texts that say what is no secret.
    """
    masker = Masker(dict.fromkeys(secret_values(values, known=known), MASK))

    def shown(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            return {key: shown(below, (*path, str(key))) for key, below in value.items()}
        if isinstance(value, list):
            return [shown(below, path) for below in value]
        if _is_secret_place(path) or (path[0] == "variables" and is_secret(path[-1], str(value))):
            return MASK
        return masker.text(value) if isinstance(value, str) else value

    return {key: shown(value, (key,)) for key, value in values.items()}


def _is_secret_place(path: tuple[str, ...]) -> bool:
    """Return whether only secrets stand here in the values of a release."""
    inside = path[2:3] == ("secretEnv",) or (path[2:3] == ("envFile",) and names_secret(path[-1]))
    return path[0] in ("secrets", "secretFiles") or (path[0] == "services" and inside)


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
