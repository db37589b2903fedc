"""Data as YAML that every reader takes for the same: readers differ in which plain words are numbers."""

from __future__ import annotations

from typing import Any

import yaml

from tycho.text import is_printable, quoted_safe


class _Dumper(yaml.SafeDumper):
    """Quotes whatever begins like a number: `080` and `1e3` are text to some readers only."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    numeric = text[:1] in tuple("+-.0123456789") and not text.startswith(("./", "../"))
    plain = dumper.represent_str(text)
    if numeric and "\n" not in text:
        plain.style = "'"
    if not is_printable(text):
        plain.style = '"'
    return plain


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """Return a YAML document, its keys in the order given."""
    # What is not printable stands in double-quoted scalars alone, where it can be escaped.
    return quoted_safe(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True).rstrip())
