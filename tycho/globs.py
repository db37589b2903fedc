"""Globs of names, as `fnmatch` has them."""

from __future__ import annotations

from fnmatch import fnmatchcase


def fits(name: str, glob: str) -> bool:
    """Tell whether a name fits a glob; one whose only `*` are at its ends, as most are, needs no expression compiled.

    Example:
        >>> fits("db_password", "*pass*"), fits("bypass", "pass"), fits("a.pem", "[ab].pem")
        (True, False, True)
    """
    middle = glob.strip("*")
    if not middle or "*" in middle or "?" in middle or "[" in middle:
        return fnmatchcase(name, glob)
    if glob[0] == "*":
        return middle in name if glob[-1] == "*" else name.endswith(middle)
    return name.startswith(middle) if glob[-1] == "*" else name == middle
