"""The one door to pydantic: it validates what the checks of the model are not sure of.

Nothing imports this module before there is such a value: pydantic takes longer to load than most commands run.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from tycho.model.checks import Between, Constraint, Converted
from tycho.model.interpolated import Live, Templated
from tycho.model.node import InvalidFieldsError, Node

T = TypeVar("T")


def validate(kind: type[T], value: object) -> T:
    """Return a value as one of a kind.

    Args:
        kind: A class or any other annotation that pydantic knows.
        value: What may be one.

    Raises:
        InvalidFieldsError: It is none.
    """
    try:
        valid: T = _adapter(kind).validate_python(value)  # type: ignore[arg-type]  # a class is hashable
    except ValidationError as error:
        details: list[Any] = error.errors(include_url=False)
        raise InvalidFieldsError(str(error), details) from error
    return valid


def constraint_schema(constraint: Constraint, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return what pydantic makes of a type with a constraint."""
    match constraint:
        case Templated():
            metadata: Any = WrapValidator(_keep_live)
        case Between():
            metadata = Field(ge=constraint.low, le=constraint.high)
        case Converted():
            metadata = AfterValidator(constraint.convert)
        case _:
            raise TypeError(constraint)
    return handler.generate_schema(Annotated[source, metadata])


def _keep_live(value: object, check: ValidatorFunctionWrapHandler) -> object:
    return value if isinstance(value, Live) else check(value)


def node_schema(kind: type[Node], handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return what pydantic makes of a class of the model: it reads and writes the class's double."""
    double = _make_double(kind)  # type: ignore[arg-type]  # a class is hashable
    schema = handler.generate_schema(double)

    def read(value: object, check: ValidatorFunctionWrapHandler) -> Node:
        return value if isinstance(value, kind) else _from_double(kind, check(value))

    def write(node: Node) -> BaseModel:
        return double.model_construct(set(node.model_fields_set), **vars(node))

    written = core_schema.plain_serializer_function_ser_schema(write, return_schema=schema)
    return core_schema.no_info_wrap_validator_function(read, schema, serialization=written)


def _from_double(kind: type[Node], model: BaseModel) -> Node:
    return kind.model_assemble({key: value for key, value in vars(model).items() if key in model.model_fields_set})


@cache
def _make_double(kind: type[Node]) -> type[BaseModel]:
    """Make pydantic's model of a class: the same names, annotations and defaults."""
    hints = get_type_hints(kind, include_extras=True)
    fields: dict[str, Any] = {}
    for name in kind.model_fields:
        default = getattr(kind, name, ...)
        fields[name] = (hints[name], dict(default) if isinstance(default, dict) else default)
    config = ConfigDict(
        extra="ignore" if kind.model_open else "forbid", hide_input_in_errors=True, arbitrary_types_allowed=True
    )
    return create_model(kind.__name__, __config__=config, __doc__=kind.__doc__, __module__=kind.__module__, **fields)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
