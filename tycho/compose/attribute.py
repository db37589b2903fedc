"""A row of the attribute table: what each phase of the loader does with the values of one attribute.

Source: compose-go keeps these as tables of their own in `interpolation`, `override`, `transform` and `paths`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from tycho.compose.context import Context
from tycho.compose.yaml_nodes import YamlNode

Convert = Callable[[Context, YamlNode, str], Any]  # a node at a path -> the model's field
Cast = Callable[[str], int | float | bool]  # interpolated text -> a number or boolean; ValueError says why not
MergeRule = Callable[[YamlNode, YamlNode, str, "Attribute"], YamlNode]  # base, override, path
UnicityKey = Callable[[YamlNode], Any]  # an entry of a list -> what only one entry may have
Relocate = Callable[[str], str]  # a relative path -> the same path for another directory
PathRule = Callable[[YamlNode, Relocate], None]  # changes the paths that a node holds
LongForm = Callable[[YamlNode], YamlNode]  # any syntax -> long syntax, variables in place


class Attribute(Struct, frozen=True, dict=True):
    """One attribute of a compose file, with the attributes below it.

    Args:
        convert: Makes the model's field; without it, the attribute is no part of the model.
        cast: Reads text as a number or boolean once its variables are replaced.
        merge: How an override meets a base; mappings merge, lists append and scalars are replaced by default.
        unicity: Of the entries of a list with the same key the last one counts, in the first one's place.
        paths: Which relative paths it holds.
        long_form: Long syntax, as `config --no-interpolate` prints it.
        keys: Attributes of a mapping; `*` is any other key.
        entries: The attribute of each entry of a list.
    """

    convert: Convert | None = None
    cast: Cast | None = None
    merge: MergeRule | None = None
    unicity: UnicityKey | None = None
    paths: PathRule | None = None
    long_form: LongForm | None = None
    keys: Mapping[str, Attribute] = field(default_factory=dict)
    entries: Attribute | None = None

    @cached_property
    def has_casts(self) -> bool:
        """Whether it, or one below it, is cast: the phase need not look below otherwise."""
        return bool(self.cast) or any(child.has_casts for child in self._below())

    @cached_property
    def has_paths(self) -> bool:
        """Whether it, or one below it, holds relative paths."""
        return bool(self.paths) or any(child.has_paths for child in self._below())

    @cached_property
    def has_unicity(self) -> bool:
        """Whether it, or one below it, joins entries; as in compose-go, no list inside of a list's entries counts."""
        return bool(self.unicity) or any(child.has_unicity for child in self.keys.values())

    def _below(self) -> list[Attribute]:
        return [*self.keys.values(), *((self.entries,) if self.entries else ())]

    def child(self, key: str | int) -> Attribute:
        """Return the attribute of a key, or of a list's entry."""
        if isinstance(key, int):
            return self.entries or UNKNOWN
        return self.keys.get(key) or self.keys.get("*") or UNKNOWN


UNKNOWN = Attribute()
"""An attribute without rules of its own, such as an extension."""
