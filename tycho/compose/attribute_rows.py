"""Building blocks of the attribute table: rows of scalars, lists and mappings that many attributes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tycho.compose import merge, paths, short_syntax, unicity
from tycho.compose.attribute import Attribute, Convert
from tycho.compose.casts import cast_boolean, cast_float, cast_integer
from tycho.compose.converters import (
    boolean,
    byte_size,
    command,
    duration,
    file_mode,
    fixed_float,
    fixed_int,
    floating,
    integer,
    list_of,
    map_or_names,
    object_of,
    pairs_of,
    resolved,
    source_string,
    string,
    templated_str,
)

Keys = Mapping[str, Attribute]
row = Attribute


def mapping(
    keys: Keys, wrap: Callable[[Convert], Convert] | None = None, *, x: bool = False, **columns: Any
) -> Attribute:
    """Make the row of a mapping with known keys.

    Args:
        keys: Their rows.
        wrap: Adds to the conversion of the mapping what else the attribute may be.
        x: Keep the extensions.
        columns: Of the row.
    """
    convert = object_of({key: attribute.convert for key, attribute in keys.items() if attribute.convert}, x=x)
    return row(wrap(convert) if wrap else convert, keys=keys, **columns)


def conversion(attribute: Attribute) -> Convert:
    """Return the conversion of a row that has one."""
    if attribute.convert is None:
        raise TypeError("a row whose values go to the model needs a conversion")
    return attribute.convert


def entries(entry: Attribute, **columns: Any) -> Attribute:
    """Make the row of a list of entries that have a row of their own."""
    return row(list_of(conversion(entry)), entries=entry, **columns)


def named(entry: Attribute, default: Mapping[str, Any] | None = None, **columns: Any) -> Attribute:
    """Make the row of a mapping by names that the user chooses, or of a list of such names."""
    return row(map_or_names(conversion(entry), default), keys={"*": entry}, **columns)


def same(attribute: Attribute, *keys: str) -> dict[str, Attribute]:
    """Give several keys the same row."""
    return dict.fromkeys(keys, attribute)


# scalars; what is "live" stays a release value
TEXT, LIVE_TEXT = row(string), row(templated_str)
FLAG, BOOLEAN = row(boolean), row(boolean, cast_boolean)
COUNT, INTEGER, LIVE_INTEGER = row(fixed_int), row(fixed_int, cast_integer), row(integer, cast_integer)
PLAIN_COUNT = row(integer)
FLOAT, CORES = row(fixed_float, cast_float), row(floating, cast_float)
LIVE_BYTES, BYTES, DURATION, MODE = row(byte_size), row(resolved(byte_size)), row(duration), row(file_mode)
FILE = row(source_string, paths=paths.path_itself)
# lists and mappings
TEXTS, NAMES = row(list_of()), row(list_of(), unicity=unicity.name_before_equals)
OPTIONS = row(short_syntax.string_options)
LABELS = row(pairs_of(templated_str, absent=""), merge=merge.merge_pairs, unicity=unicity.name_before_equals)
HOSTS = row(short_syntax.extra_hosts, merge=merge.merge_as_lists)
DNS = row(list_of(templated_str), merge=merge.merge_as_lists, unicity=unicity.name_before_equals)
COMMAND = row(command, merge=merge.replace, long_form=short_syntax.long_command)
VARIABLES = row(pairs_of(templated_str, trimmed=True), merge=merge.merge_variables, unicity=unicity.name_before_equals)
