"""Checks of single values: what an annotation plainly allows is taken as it is, and of all else they are not sure.

A check never refuses: whoever calls it asks pydantic about what it is not sure of. What it takes, pydantic would make
the same of.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Check = Callable[[Any], Any]
"""Takes a value, and returns it as a field holds it."""
EXACT = 2**53  # every whole number up to it is a float


class UnsureError(Exception):
    """A value is not plainly right; it may be wrong, or have to be converted."""


class Constraint(ABC):
    """What a field demands beyond its type: metadata of an annotation."""

    @abstractmethod
    def extend(self, check: Check) -> Check:
        """Make of the check of a type that of the type with the constraint."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic know it."""
        from tycho.model.validation import constraint_schema

        return constraint_schema(self, source, handler)


class Between(Constraint):
    """A whole number, or None, within limits.

    Args:
        low: The least.
        high: The most.
    """

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def extend(self, check: Check) -> Check:
        """Check the limits, too."""

        def check_limits(value: Any) -> Any:
            value = check(value)
            if value is not None and not self.low <= value <= self.high:
                raise UnsureError
            return value

        return check_limits


class Converted(Constraint):
    """A value that is written in another way.

    Args:
        convert: Does so; it raises ValueError for what it does not know.
    """

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert

    def extend(self, check: Check) -> Check:
        """Convert what was checked."""

        def check_and_convert(value: Any) -> Any:
            try:
                return self.convert(check(value))
            except ValueError:
                raise UnsureError from None

        return check_and_convert


def make_check(annotation: Any) -> Check:
    """Make the check of an annotation."""
    if annotation is Any:
        return _take
    if annotation in SCALARS:
        return SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        check = make_check(arguments[0])
        for constraint in arguments[1:]:
            check = constraint.extend(check)
        return check
    if origin in (Union, UnionType):
        return _make_optional(arguments)
    if origin is Literal:
        return _make_literal(arguments)
    if origin is tuple:
        return _make_tuple(arguments)
    if origin is Sequence:
        return _make_sequence(make_check(arguments[0]))
    if origin in (Mapping, dict):
        return _make_mapping(make_check(arguments[0]), make_check(arguments[1]))
    if isinstance(annotation, type):
        return getattr(annotation, "model_check", None) or _make_exact(annotation)
    return _doubt


def _take(value: Any) -> Any:
    return value


def _doubt(value: Any) -> Any:
    raise UnsureError


def _make_exact(kind: type) -> Check:
    def check_exact(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise UnsureError

    return check_exact


def _check_float(value: Any) -> Any:
    if type(value) is float:
        return value
    if type(value) is int and -EXACT <= value <= EXACT:
        return float(value)
    raise UnsureError


def _make_optional(members: tuple[Any, ...]) -> Check:
    """Make the check of a union: None, and one kind of value; of others, pydantic knows which fits best."""
    kinds = [member for member in members if member is not NoneType]
    if len(kinds) != 1 or len(kinds) == len(members):
        return _doubt
    check = make_check(kinds[0])
    return lambda value: None if value is None else check(value)


def _make_literal(words: tuple[Any, ...]) -> Check:
    known = frozenset(word for word in words if isinstance(word, str))

    def check_literal(value: Any) -> Any:
        if type(value) is str and value in known:
            return value
        raise UnsureError

    return check_literal


def _make_tuple(kinds: tuple[Any, ...]) -> Check:
    if kinds[1:] == (Ellipsis,):
        check = make_check(kinds[0])

        def check_all(value: Any) -> Any:
            if type(value) is tuple or type(value) is list:
                return tuple([check(element) for element in value])
            raise UnsureError

        return check_all
    checks = tuple(make_check(kind) for kind in kinds)

    def check_each(value: Any) -> Any:
        if (type(value) is tuple or type(value) is list) and len(value) == len(checks):
            return tuple([check(element) for check, element in zip(checks, value, strict=True)])
        raise UnsureError

    return check_each


def _make_sequence(check: Check) -> Check:
    def check_sequence(value: Any) -> Any:
        if type(value) is tuple or type(value) is list:
            return type(value)([check(element) for element in value])
        raise UnsureError

    return check_sequence


def _make_mapping(check_key: Check, check: Check) -> Check:
    def check_mapping(value: Any) -> Any:
        if isinstance(value, dict):
            return {check_key(key): check(child) for key, child in value.items()}
        raise UnsureError

    return check_mapping


SCALARS: Mapping[Any, Check] = {
    **{kind: _make_exact(kind) for kind in (str, int, bool, bytes)},
    float: _check_float,
}
