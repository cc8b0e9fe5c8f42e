import pytest
from pydantic import Field
from tfx import types
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

from components.evaluator.component import Evaluator
from components.negative_gen.component import NegativeGen
from components.preprocess.component import Preprocess
from components.pusher.component import Pusher
from components.shared.parameters import Section
from components.shared.specs import new_outputs, ports, properties
from components.trainer.component import Trainer


class Shape(Section):
    width: int = Field(default=1)
    name: str | None = Field(default=None)


class Colour(Section):
    depth: float = Field(default=0.5)


def test_each_field_is_a_property_of_the_type_that_tfx_has_for_it() -> None:
    found = properties(Shape, Colour, seed=int)
    assert {name: parameter.type for name, parameter in found.items()} == {
        "width": int, "name": str, "depth": float, "seed": int
    }  # fmt: skip
    assert not any(parameter.optional for parameter in found.values())


def test_outputs_are_new_channels_of_the_type_that_the_spec_says() -> None:
    class Spec(types.ComponentSpec):
        INPUTS: dict[str, ChannelParameter] = {}  # noqa: RUF012
        OUTPUTS = ports(model=standard_artifacts.Model, rows=standard_artifacts.Examples)
        PARAMETERS = properties(seed=int)

    first, second = new_outputs(Spec), new_outputs(Spec)
    assert {name: channel.type for name, channel in first.items()} == {
        "model": standard_artifacts.Model, "rows": standard_artifacts.Examples
    }  # fmt: skip
    assert first["model"] is not second["model"]
    assert list(Spec(**first, seed=1).outputs) == ["model", "rows"]


@pytest.mark.parametrize("component", [Preprocess, NegativeGen, Trainer, Evaluator, Pusher])
def test_a_component_says_what_it_does_and_what_it_gives(component: type) -> None:
    assert component.DESCRIPTION.endswith(".")
    assert component.__doc__.startswith(component.DESCRIPTION)
    assert set(component.OUTPUT_DESCRIPTIONS) == set(component.SPEC_CLASS.OUTPUTS)
    assert all(text.endswith(".") for text in component.OUTPUT_DESCRIPTIONS.values())
