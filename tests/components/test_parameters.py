import pytest
from pydantic import Field, ValidationError

from components.parameters import Section, property_type


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
