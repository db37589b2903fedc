"""Find credentials in text and in files: a URL's password, a private key, a token that is known by its shape.

Every pattern begins with a literal or is bounded, so that a search takes time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def find_credentials(text: str) -> list[tuple[int, int]]:
    """Find the spans of a text that are secret in themselves, in order and without overlap.

    Args:
        text: A value in Compose's syntax; a password that is nothing but variables, such as `${PW}`, is not one.

    Returns:
        Start and end of each span.
    """
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
