"""The model's own checks, against pydantic: what they take, pydantic makes the same of."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tycho.comparison
import tycho.wire  # noqa: F401 - their classes are tested, too
from tycho.model import Expr, ExprFloat, ExprInt, InvalidFieldsError, Node, Port, Project, Service, ServiceMetadata
from tycho.model.checks import UnsureError
from tycho.model.validation import validate


def list_kinds(base: type[Node] = Node) -> Iterator[type[Node]]:
    """List every class of the model."""
    for kind in base.__subclasses__():
        if kind.__module__.startswith("tycho."):
            yield kind
            yield from list_kinds(kind)


KINDS = sorted(set(list_kinds()), key=lambda kind: kind.__name__)
ODD = st.sampled_from([
    None, "", "5", "true", "\ud800", "10.0.0.0/8", Expr("a", "${A}"), ExprInt(5, "${N}"), ExprFloat(0.5, "${F}"),
    0, 1, -1, 65536, 2**53 + 1, 10**400, True, False, 0.0, 1.0, 0.5, float("inf"), float("nan"), b"", b"a",
    (), ("a",), ["a"], [1], {}, {"a": "b"}, {1: "b"}, {"a": None}, {Expr("k", "${K}"): "v"}, {"a"}, frozenset(),
    datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z",
    Port(target=80), {"target": 80}, {"target": 80, "tarjet": 1}, [{"target": "80"}],
])  # fmt: skip


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Draw what an annotation mostly allows."""
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    origin = get_origin(annotation)
    fitting: st.SearchStrategy[Any] = ODD
    if annotation in (str, int, float, bool, bytes):
        fitting = st.from_type(annotation)
    elif origin is Literal:
        fitting = st.sampled_from(arguments)
    elif isinstance(annotation, type) and issubclass(annotation, Node):
        fitting = fields_of(annotation)
    elif origin is tuple and arguments[-1] is not Ellipsis:
        fitting = st.tuples(*map(values_of, arguments))
    elif origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        fitting = st.dictionaries(st.text(max_size=3), values_of(arguments[1]), max_size=2)
    elif arguments:  # tuple[X, ...], X | None, Annotated[X, …]
        inner = values_of(arguments[0])
        fitting = st.one_of(inner, st.lists(inner, max_size=2), st.lists(inner, max_size=2).map(tuple))
    return st.one_of(fitting, fitting, fitting, ODD)


def fields_of(kind: type[Node]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the fields of a class: all that it requires, and a few others."""
    hints = get_type_hints(kind, include_extras=True)
    required = {name: values_of(hints[name]) for name in kind.model_required}
    others = sorted(kind.model_fields.keys() - kind.model_required)
    if not others:
        return st.fixed_dictionaries(required)
    return st.lists(st.sampled_from(others), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(required | {name: values_of(hints[name]) for name in names})
    )


def shape(value: Any) -> Any:
    """Return a value with its types and templates, and of a part what was set."""
    if isinstance(value, Node):
        return type(value), {name: shape(child) for name, child in sorted(vars(value).items())}
    if isinstance(value, Mapping):
        return dict, [(shape(key), shape(child)) for key, child in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shape(child) for child in value]
    return type(value), repr(value), getattr(value, "template", None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None)
@given(draws=st.data())
def test_what_a_check_takes_pydantic_makes_the_same_of(kind: type[Node], draws: st.DataObject) -> None:
    fields = draws.draw(fields_of(kind))
    try:
        taken = kind.model_check(fields)
    except UnsureError:
        return
    assert shape(taken) == shape(validate(kind, fields))


def test_every_field_has_a_check_that_takes_its_default() -> None:
    unsure = []
    for kind in KINDS:
        for name in kind.model_fields.keys() - kind.model_required:
            try:
                kind.model_checks[name](getattr(kind, name))
            except UnsureError:
                unsure.append(f"{kind.__name__}.{name}")
    assert unsure == []


def test_what_a_check_is_not_sure_of_is_converted_or_refused() -> None:
    assert Port.model_validate({"target": "80"}) == Port(target=80)
    assert ServiceMetadata(clients=("10.1.2.3",)).clients == ("10.1.2.3/32",)
    for wrong in ({}, {"target": "eighty"}, {"target": 80, "tarjet": 81}, {"target": 80, 1: 2}):
        with pytest.raises(InvalidFieldsError):
            Port.model_validate(wrong)
    with pytest.raises(InvalidFieldsError, match="Field required"):
        Port()  # type: ignore[call-arg]


def test_a_part_holds_what_was_set_and_is_frozen() -> None:
    service = Service(image="a", labels={})
    assert service.model_fields_set == {"image", "labels"}
    assert service == Service(image="a")
    assert service != Service(image="b")
    assert service.model_copy(unset=["image"]).image is None
    restored = pickle.loads(pickle.dumps(service))  # noqa: S301 - our own
    assert restored.model_fields_set == service.model_fields_set
    assert copy.deepcopy(service) is service
    with pytest.raises(InvalidFieldsError):
        service.image = "b"  # type: ignore[misc]
    with pytest.raises(InvalidFieldsError):
        del service.image
    with pytest.raises(TypeError, match="frozen"):
        Project(name="a").services["web"] = service  # type: ignore[index]
    with pytest.raises(TypeError, match="frozen"):
        Project(name="a").x.update(a=1)  # type: ignore[attr-defined]


def test_no_repr_shows_what_may_be_secret() -> None:
    assert "hunter2" not in repr(Project(name="a", services={"web": Service(environment={"A": "hunter2"})}))
