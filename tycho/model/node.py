"""The base of the model's classes, and of all else that is frozen and made of named fields.

A field's default is an attribute of its class; an instance holds what was set, and nothing else. Fields are checked as
pydantic would check them: what is plainly right is taken as it is, and what is not goes to pydantic itself, which is
loaded only then, to convert the value or to say what is wrong with it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Never, NoReturn, Self, TypeVar, dataclass_transform

from tycho.model.checks import Check, UnsureError, make_check
from tycho.model.dumping import dump_fields

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

T = TypeVar("T")
ABSENT = object()  # stands for a field that there is not


class InvalidFieldsError(ValueError):
    """Fields hold what they cannot.

    Attributes:
        details: Each with its type, loc, msg and input, as pydantic lists them.
    """

    def __init__(self, message: str, details: list[dict[str, Any]]) -> None:
        super().__init__(message, details)
        self.details = details

    def __str__(self) -> str:
        return str(self.args[0])


class NothingSet(dict[str, Any]):
    """The default of every mapping: empty, and to stay so, for all instances share it."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the model is frozen: change a copy")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


NOTHING = NothingSet()


class FieldChecks(dict[str, Check]):
    """The checks of a class's fields, each made when the field is set for the first time."""

    def __init__(self, kind: type[Node]) -> None:
        super().__init__()
        self.kind = kind

    def __missing__(self, name: str) -> Check:
        owner = next((base for base in self.kind.__mro__[:-1] if name in base.__annotations__), None)
        if owner is None or name not in self.kind.model_fields:
            raise UnsureError
        names = vars(sys.modules[owner.__module__])
        check = self[name] = make_check(eval(self.kind.model_fields[name], names))  # noqa: S307 - our own annotation
        return check

    def check(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields as an instance holds them.

        Raises:
            UnsureError: Some are not plainly right.
        """
        checked = {name: self[name](value) for name, value in fields.items()}
        if not self.kind.model_required <= checked.keys():
            raise UnsureError
        return checked


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Node:
    """The base of every part of the model: see the module.

    Attributes:
        model_fields: The fields of a class, each with its annotation.
        model_required: Those that have no default.
        model_hidden: Those that may hold secrets, and that no `repr` shows.
        model_open: Whether names that are no fields are let go, and not refused.
    """

    model_fields: ClassVar[Mapping[str, str]] = {}
    model_required: ClassVar[frozenset[str]] = frozenset()
    model_hidden: ClassVar[frozenset[str]] = frozenset()
    model_open: ClassVar[bool] = False
    model_checks: ClassVar[FieldChecks]

    def __init_subclass__(cls, *, hidden: Collection[str] = (), open: bool = False) -> None:
        """Learn a class's fields.

        Args:
            hidden: Fields that no `repr` shows.
            open: Whether names that are no fields are let go.
        """
        own = cls.__annotations__
        for name in own:
            if cls.__dict__.get(name) == {}:
                setattr(cls, name, NOTHING)
        cls.model_fields = {**cls.model_fields, **own}
        cls.model_required = frozenset(name for name in cls.model_fields if not hasattr(cls, name))
        cls.model_hidden = cls.model_hidden.union(hidden)
        cls.model_open = open
        cls.model_checks = FieldChecks(cls)

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(_read_fields(type(self), fields))

    @classmethod
    def model_validate(cls, value: object) -> Self:
        """Return a mapping of fields as an instance.

        Raises:
            InvalidFieldsError: It is none.
        """
        if isinstance(value, cls):
            return value
        if type(value) is dict:
            return cls.model_assemble(_read_fields(cls, value))
        from tycho.model.validation import validate

        return validate(cls, value)

    @classmethod
    def model_validate_json(cls, text: str) -> Self:
        """Return a JSON object as an instance.

        Raises:
            InvalidFieldsError: It is none.
        """
        import json

        try:
            fields = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidFieldsError(str(error), []) from error
        return cls.model_validate(fields)

    @classmethod
    def model_assemble(cls, checked: Mapping[str, Any]) -> Self:
        """Return an instance of fields that were checked before."""
        self = cls.__new__(cls)
        self.__dict__.update(checked)
        return self

    @classmethod
    def model_check(cls, value: object) -> Self:
        """Return a value as an instance.

        Raises:
            UnsureError: It is not plainly right.
        """
        if isinstance(value, cls):
            return value
        if type(value) is not dict:
            raise UnsureError
        return cls.model_assemble(cls.model_checks.check(value))

    @property
    def model_fields_set(self) -> frozenset[str]:
        """The fields that were set, to whatever value."""
        return frozenset(self.__dict__)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, unset: Collection[str] = ()) -> Self:
        """Return a copy.

        Args:
            update: Fields that are to hold something else; they are not checked.
            unset: Fields that are to count as not set.
        """
        fields = {**self.__dict__, **(update or {})}
        return self.model_assemble({key: value for key, value in fields.items() if key not in unset})

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Return the fields as a mapping, and all that stands in them as mappings, tuples and lists.

        Args:
            mode: Whether the values are Python's, or JSON's.
            include: Of these fields alone.
            exclude: Without these.
            exclude_unset: Without what was not set.
            exclude_defaults: Without what is as it would be if it were not set.
            exclude_none: Without what is None.
        """
        return dump_fields(
            self,
            mode=mode,
            include=include,
            exclude=exclude,
            kept={"exclude_unset": exclude_unset, "exclude_defaults": exclude_defaults, "exclude_none": exclude_none},
        )

    def model_dump_json(self, *, exclude_defaults: bool = False) -> str:
        """Return the fields as JSON.

        Args:
            exclude_defaults: Without what is as it would be if it were not set.
        """
        import json

        fields = self.model_dump(mode="json", exclude_defaults=exclude_defaults)
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic's own models have fields of this class."""
        from tycho.model.validation import node_schema

        return node_schema(cls, handler)

    def __setattr__(self, name: str, value: object) -> Never:
        """Refuse: a change is a `model_copy`."""
        detail = {"type": "frozen_instance", "loc": (name,), "msg": "is frozen: change a copy", "input": value}
        raise InvalidFieldsError(f"{name} is frozen: change a copy", [detail])

    def __delattr__(self, name: str) -> Never:
        """Refuse: a change is a `model_copy`."""
        self.__setattr__(name, None)

    def __eq__(self, other: object) -> bool:
        """Compare what the fields hold, whether it was set or not."""
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        mine, others = self.__dict__, other.__dict__
        if mine.keys() == others.keys():
            return mine == others
        return all(getattr(self, name, ABSENT) == getattr(other, name, ABSENT) for name in {**mine, **others})

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.model_fields)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._list_shown())})"

    def _list_shown(self) -> Iterator[str]:
        for name, value in self.__dict__.items():
            if name not in self.model_hidden:
                yield f"{name}={value!r}"

    def __deepcopy__(self, memo: object = None) -> Self:
        """Itself: what cannot change need not be copied."""
        return self


def read_value(kind: type[T], value: object) -> T:
    """Return a value as a kind says, which may be `dict[str, Kind]`.

    Raises:
        InvalidFieldsError: It is none.
    """
    try:
        checked: T = make_check(kind)(value)
    except UnsureError:
        from tycho.model.validation import validate

        return validate(kind, value)
    return checked


def _read_fields(kind: type[Node], fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return fields as an instance holds them.

    Raises:
        InvalidFieldsError: Some hold what they cannot.
    """
    try:
        return kind.model_checks.check(fields)
    except UnsureError:
        from tycho.model.validation import validate

        return vars(validate(kind, fields))
