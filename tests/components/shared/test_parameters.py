from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from components.shared.errors import UserError
from components.shared.parameters import Section, describe_fault, property_type


class _Example(Section):
    count: int = 3
    rate: float = 0.5
    name: str = "a"
    flag: bool = False
    limit: float | None = None
    layers: tuple[int, ...] = (4, 2)
    mapping: dict[str, float] = Field(default_factory=dict)


def test_a_section_survives_the_way_through_properties():
    section = _Example(count=7, rate=1, name="null", flag=True, limit=2.5, layers=(8,), mapping={"x": 1.0})
    properties = section.to_properties()

    assert {type(value) for value in properties.values()} <= {int, float, str}
    assert _Example.from_properties({**properties, "of_another_section": 1}) == section


def test_properties_have_one_type_whatever_their_value():
    assert property_type(_Example, "count") is int
    assert property_type(_Example, "rate") is float
    for name in ("name", "flag", "limit", "layers", "mapping"):
        assert property_type(_Example, name) is str
        for section in (_Example(), _Example(name="b", flag=True, limit=1, layers=(1,), mapping={"y": 2})):
            assert isinstance(section.to_properties()[name], str)


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="cuont"):
        _Example(cuont=1)


def test_a_list_may_be_written_with_commas():
    assert _Example(layers="64,32, 16").layers == (64, 32, 16)
    assert _Example(layers="").layers == ()
    assert _Example(name="a,b").name == "a,b"


class _Typed(Section):
    text: str = "a"
    name_or_place: str | int | None = "user"
    path: str | None = None
    limit: float | None = None
    kind: Literal["one", "two"] = "one"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ({"text": "customer"}, "customer"),
        ({"text": '"customer"'}, "customer"),
        ({"text": "12"}, "12"),
        ({"text": "true"}, "true"),
        ({"name_or_place": "customer"}, "customer"),
        ({"name_or_place": "2"}, 2),
        ({"name_or_place": '"2"'}, "2"),
        ({"name_or_place": "null"}, None),
        ({"name_or_place": ""}, None),
        ({"path": "gs://bucket/a b.csv"}, "gs://bucket/a b.csv"),
        ({"path": ""}, None),
        ({"limit": ""}, None),
        ({"limit": "0.5"}, 0.5),
        ({"kind": "two"}, "two"),
    ],
)
def test_a_property_may_be_written_as_people_write(typed: dict[str, str], meant: object) -> None:
    ((name, _),) = typed.items()
    assert getattr(_Typed.from_properties(typed), name) == meant
    assert _Typed.from_properties(_Typed(**{name: meant}).to_properties()) == _Typed(**{name: meant})


def test_texts_stand_without_quotes_where_they_cannot_be_mistaken() -> None:
    assert _Typed(text="12", name_or_place="2").to_properties() == {
        "text": "12", "name_or_place": '"2"', "path": "", "limit": "", "kind": "one"
    }  # fmt: skip


def test_a_property_that_is_not_allowed_is_an_error_of_the_user() -> None:
    with pytest.raises(UserError, match=r"^count: input should be a valid integer, .* \(got 2.5\)$"):
        _Example.from_properties({"count": 2.5})
    with pytest.raises(UserError, match=r"^kind: input should be 'one' or 'two' \(got 'three'\)$"):
        _Typed.from_properties({"kind": "three"})


def test_what_is_no_plain_value_is_passed_on() -> None:
    placeholder = object()
    section = _Example().model_copy(update={"count": placeholder})
    assert section.to_properties()["count"] is placeholder
    assert section.passed_on() == {"count"}


class _Widths(Section):
    width: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    depth: Annotated[int, Field(ge=1)] = 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"width": 0}, "width: input should be greater than or equal to 1, or input should be 'auto' (got 0)"),
        ({"width": 0, "depth": 0}, "or input should be 'auto' (got 0) (and 1 more)"),
        ({"depth": 0}, "depth: input should be greater than or equal to 1 (got 0)"),
    ],
)
def test_a_value_of_neither_of_two_types_is_one_fault_of_one_key(fields: dict[str, int], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        _Widths.model_validate(fields)
    assert describe_fault(raised.value).endswith(told)
