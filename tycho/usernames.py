"""Users' names of any kind, `a@b.org` for one, as labels that no two of them share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256

from tycho.release import label_value
from tycho.text import is_text

ANNOTATION = "tycho.dev/username"
"""Of workloads: the name of a system's owner, where a label cannot hold it."""
SLUG = 42  # characters of a name that its label begins with, where a hash follows
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_HASHED = re.compile(r"[A-Za-z0-9_.-]+-[0-9a-f]{20}")


def user_label(name: str) -> str:
    """Return a user's name as a label holds it: itself where that can be, else a slug of it with a hash of it.

    What is a label already stays as it is, so that a name and its label mean the same user.

    Example:
        >>> user_label("ada"), user_label("a@b.org")
        ('ada', 'a-b.org-5b26064bbe849dabc6e3')
    """
    if label_value(name) == name:
        return name
    slug = label_value(name[:SLUG]) or "user"
    return f"{slug}-{_hash(name)[:20]}"


def user_namespace(name: str) -> str:
    """Return a user's name as a part of a namespace's name: itself where that can be, else a slug with a hash."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20].strip("-") or "user"
    return name if slug == name else f"{slug}-{_hash(name)[:20]}"


def is_hashed(name: str) -> bool:
    """Return whether a name looks like the label of another: nobody may be called so who is to be told from others."""
    return _HASHED.fullmatch(name) is not None


def same_user(name: str, other: str) -> bool:
    """Return whether two names, or a name and a label, mean the same user."""
    return user_label(name) == user_label(other)


def real_name(label: str, annotation: str) -> str:
    """Return the name that an annotation says a label stands for; the label where it does not."""
    return annotation if annotation and user_label(annotation) == label else label


def _hash(name: str) -> str:
    return sha256(name.encode(errors="surrogatepass")).hexdigest()


def read_principal(principal: object) -> str:
    """Read the username of a principal, as callers of the first Tycho send one; tokens beside it are let go.

    Args:
        principal: A JSON object, or the text of one.

    Returns:
        The name; "" where there is none.

    Example:
        >>> read_principal('{"username": "ada", "access_token": "t"}')
        'ada'
    """
    try:
        fields = json.loads(principal) if isinstance(principal, str) else principal
    except (ValueError, RecursionError):
        return ""
    name = fields.get("username") if isinstance(fields, Mapping) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) and is_text(name) else ""
