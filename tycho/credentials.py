"""Find credentials in text and in files: a URL's password, a private key, a token that is known by its shape.

Every pattern begins with a literal or is bounded, so that a search takes time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tycho.globs import fits

# The group `secret` is what must not be shown; a pattern without one is secret as a whole.
_URL = re.compile(r"://[^\s/:@\"']{0,256}:(?P<secret>[^\s/@\"']{1,1024})@")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1"
)
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}-----|Private-MAC:[^\n]{0,100}")
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"
    r"|glpat-[\w-]{20,255}"  # GitLab
    r"|xox[abeoprs]-[\w-]{10,255}|hooks\.slack\.com/services/[\w/]{20,255}"
    r"|[rs]k_(?:live|test)_[0-9A-Za-z]{16,255}"  # Stripe
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,1024}"  # Google
    r"|eyJ[\w-]{10,2048}\.eyJ[\w-]{10,4096}\.[\w-]{10,2048}"  # a JSON Web Token
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,1024}|hf_[A-Za-z0-9]{30,255}|dckr_pat_[\w-]{20,255}|dop_v1_[0-9a-f]{64}"
    r"|sk-(?:proj-|ant-)?[\w-]{20,255}"  # OpenAI, Anthropic
    r"|SG\.[\w-]{22}\.[\w-]{43}"  # SendGrid
    r"|AccountKey=[A-Za-z0-9+/]{40,255}={0,2}"  # Azure
    r")(?![A-Za-z0-9])"
)
# `Server=db;Password=pw`, `--password=pw`, `?token=pw`: in values and words, not in files, whose code often looks so.
_ASSIGNED = re.compile(
    r"(?i:password|passwd|passphrase|pwd|secret|token|api_?key|access_?key)=(?P<secret>[^\s;&\"'=]{1,1024})"
)
_AWS = re.compile(r"(?i:aws_secret_access_key)\s{0,8}[=:]\s{0,8}\S")
_REFERENCE = re.compile(r"\$\$?(?:\{[A-Za-z_]\w*\}|[A-Za-z_]\w*|\([A-Za-z_]\w*\))")

MASK = "***"
SHORTEST = 15  # characters of a key or token: a shorter text is searched for a URL or an assignment alone
MOST_WORK = 2_000_000  # comparisons of spans with variables; a text that asks for more is secret as a whole
SECRET_NAMES = (
    "pass", "*_pass", "*pass", "*password*", "*passwd*", "*passphrase*", "*pwd", "pw", "*_pw", "pin", "*_pin", "psk",
    "*_psk", "*secret*", "token", "*_token", "*token", "*_tokens", "jwt*", "*_jwt", "*_key", "*apikey", "*privatekey",
    "*secretkey", "*accesskey", "*_key_base", "private_key*", "*private_pem", "salt", "*_salt", "auth", "*_auth",
    "*basicauth", "*_auth_string", "*_cookie", "webhook*", "*_webhook*", "dsn", "*_dsn", "*credential*", "creds",
    "*_creds", "*mnemonic*", "*connection_string",
    # Paths, sizes, addresses and switches that only speak of a secret, and keys that open nothing.
    "!pwd", "!oldpwd", "!*bypass", "!*compass", "!*_file", "!*_files", "!*_path", "!*_dir", "!*_directory", "!*_name",
    "!*_id", "!*_ttl", "!*_timeout", "!*_expir*", "!*_lifetime", "!*_max_age", "!*_length", "!*_size", "!*_count",
    "!*_policy", "!*_rounds", "!*_algorithm", "!*_issuer", "!*_audience", "!*_header", "!*_prefix", "!*_enabled",
    "!*_required", "!*_type", "!*_mode", "!*_method", "!*_provider", "!*_host", "!*_port", "!*_user", "!*_username",
    "!*_email", "!*password*_url", "!*token*_url", "!*secret*_url", "!*_endpoint", "!*allow_empty_password",
    "!*random_root_password", "!*random_password", "!*_public_key", "!public_key", "!*site_key", "!*publishable_key",
    "!*sort_key", "!*partition_key", "!*primary_key", "!*foreign_key", "!*routing_key", "!*cache_key", "!*hash_key",
    "!*range_key", "!*group_key", "!*lookup_key", "!*index_key", "!*order_key",
)  # fmt: skip
"""Names whose values are secret, as globs without case; the last one that fits decides, and `!` takes a name back."""
_SWITCHES = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null"})
_TOKENS = re.compile(r"\$\$|\$\{([A-Za-z_]\w*)?(:?[-+?])?|\$[A-Za-z_]\w*|[{}]", re.ASCII)


def find_credentials(text: str) -> list[tuple[int, int]]:
    """Find the spans of a text that are secret in themselves, in order and without overlap.

    Args:
        text: A value in Compose's syntax; a password that is nothing but variables, such as `${PW}`, is not one.

    Returns:
        Start and end of each span.
    """
    if len(text) < SHORTEST and "=" not in text and "@" not in text:
        return []
    spans = sorted((*_keys(text), *_spans(text, (_URL, _TOKEN, _ASSIGNED))))
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def holds_credentials(content: bytes) -> bool:
    """Tell whether a file's content is secret in itself: by what cannot be mistaken for code that handles secrets."""
    text = content.decode("utf-8", "replace")
    return bool(_AWS.search(text) or _PRIVATE_KEY.search(text)) or any(True for _ in _spans(text, (_URL, _TOKEN)))


def mask_credentials(text: str) -> str:
    """Replace every credential in a text that somebody is shown by `***`."""
    pieces, position = [], 0
    for start, end in find_credentials(text):
        pieces += [text[position:start], MASK]
        position = end
    return "".join((*pieces, text[position:]))


def names_secret(name: str, globs: Iterable[str] = SECRET_NAMES) -> bool:
    """Tell whether a name is that of a secret.

    Args:
        name: Of a variable or an entry.
        globs: Which names are, as `SECRET_NAMES`; a later one goes before an earlier one.

    Example:
        >>> names_secret("APP_KEY"), names_secret("SORT_KEY"), names_secret("PIN", ["pin", "!P*"])
        (True, False, False)
    """
    return _names_secret(name.lower(), tuple(globs))


def switches(value: str) -> bool:
    """Tell whether a value only turns something on or off, so that no name makes a secret of it."""
    return value.strip().lower() in _SWITCHES


def find_literals(text: str, *, whole: bool = False) -> list[tuple[int, int]]:
    """Find what is secret in a text of Compose's syntax and written out there: variables are not, their defaults are.

    Args:
        text: In Compose's syntax.
        whole: Whether all of it is secret, not only the credentials that it shows.

    Returns:
        Start and end of each span, in order and without overlap; no span holds a variable.
    """
    spans = [(0, len(text))] if whole and text else find_credentials(text)
    if not spans or "$" not in text:
        return [span for span in spans if re.search(r"\w", text[slice(*span)])]
    literals, groups = _scan(text)
    if len(spans) * (len(literals) + len(groups)) > MOST_WORK:
        spans, groups = [(0, len(text))], []
    pieces: list[tuple[int, int]] = []
    for start, end in spans:
        for opened, operand, closed in groups:  # a default that the span cuts through is secret to its end
            if start < closed and end > opened and not (operand <= start and end < closed):
                start, end = min(start, opened), max(end, closed)  # noqa: PLW2901
        pieces += [(max(start, a), min(end, b)) for a, b in literals if a < end and b > start]
    kept = [span for span in dict.fromkeys(pieces) if re.search(r"\w", text[slice(*span)])]
    return sorted(kept)


def find_text(text: str) -> list[tuple[int, int]]:
    """Find what of a text in Compose's syntax is written out there, and no variable: start and end of each stretch."""
    return _scan(text)[0]


def _scan(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]]]:
    """The literal stretches of a text, at any depth of defaults, and its groups: start, operand's start, end."""
    literals: list[tuple[int, int]] = []
    groups: list[tuple[int, int, int]] = []
    stack: list[tuple[int, int, bool]] = []  # of groups and of plain braces in them: start, operand's start, is a group
    begin = 0
    for match in _TOKENS.finditer(text):
        sign = match[0]
        if sign in ("$$", "{", "}") and not (sign == "}" and stack):
            if sign == "{" and stack:
                stack.append((match.start(), match.end(), False))
            continue
        if sign == "}" and not stack[-1][2]:
            stack.pop()
            continue
        literals.append((begin, match.start()))
        begin = match.end()
        if sign == "}":
            opened, operand, _ = stack.pop()
            groups.append((opened, operand, match.end()))
        elif sign.startswith("${"):
            stack.append((match.start(), match.end(), True))
    literals.append((begin, len(text)))
    return [(start, end) for start, end in literals if start < end], sorted(groups)


@lru_cache(maxsize=4096)
def _names_secret(folded: str, globs: tuple[str, ...]) -> bool:
    last = next((glob for glob in reversed(globs) if fits(folded, glob.removeprefix("!").lower())), "!")
    return not last.startswith("!")


def _keys(text: str) -> Iterator[tuple[int, int]]:
    """Private keys, each to its last line; one without a last line goes on to the end of the text."""
    position = 0
    while begin := _PRIVATE_KEY.search(text, position):
        end = _KEY_END.search(text, begin.end())
        position = end.end() if end else len(text)
        yield begin.start(), position


def _spans(text: str, patterns: tuple[re.Pattern[str], ...]) -> Iterator[tuple[int, int]]:
    for pattern in patterns:
        group = "secret" if "secret" in pattern.groupindex else 0
        for match in pattern.finditer(text):
            if _REFERENCE.sub("", match[group]).strip("*"):
                yield match.span(group)
