"""Which objects are read, and what is kept of each; selectors of labels, read as the API server reads them."""

from __future__ import annotations

import re

from msgspec import Struct

from tycho.kinds import Kind
from tycho.kube.objects import KubeObject, Reduce, get_labels


class ObjectQuery(Struct, frozen=True):
    """How the objects of a kind are read.

    Args:
        kind: Which kind.
        reduce: Keeps of an object what is needed.
        labels: Selector by labels; "" for all objects.
        fields: Selector by fields; "" for all objects.
        metadata: Whether the metadata is all that is asked for.
        page: How many objects are asked for at once.
    """

    kind: Kind
    reduce: Reduce
    labels: str = ""
    fields: str = ""
    metadata: bool = False
    page: int = 500


Term = tuple[str, bool, str]
"""The label, whether it is to have the value, and the value."""


def parse_selector(selector: str) -> list[Term]:
    """Parse a selector of labels.

    Example:
        >>> parse_selector("owner=helm,status!=superseded")
        [('owner', True, 'helm'), ('status', False, 'superseded')]
    """
    matches = [re.fullmatch(r"([^!=]+)(!?)=(.*)", term) for term in selector.split(",") if term]
    return [(match[1], not match[2], match[3]) for match in matches if match]


def is_selected(obj: KubeObject, terms: list[Term]) -> bool:
    """Return whether an object's labels are as a selector asks for."""
    labels = get_labels(obj)
    return all((labels.get(label) == value) is equal for label, equal, value in terms)
