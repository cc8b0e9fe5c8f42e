"""What the components' specs are made of: ports, and execution properties that are fields of sections."""

from typing import TypeAlias

from tfx import types
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.shared.parameters import Section, property_type

Ports: TypeAlias = dict[str, ChannelParameter]
Properties: TypeAlias = dict[str, ExecutionParameter]


def ports(**kinds: type[types.Artifact]) -> Ports:
    """Inputs or outputs: the type of each one's artifacts, by its name."""
    return {name: ChannelParameter(type=kind) for name, kind in kinds.items()}


def properties(*sections: type[Section], **others: type) -> Properties:
    """Execution properties: one for each field of the sections, and others by their types.

    Example:
      `properties(PreprocessConfig, seed=int)["min_interactions"]` is an `ExecutionParameter` of the type int.
    """
    fields = {name: property_type(section, name) for section in sections for name in section.model_fields}
    return {name: ExecutionParameter(type=kind) for name, kind in {**fields, **others}.items()}


def new_outputs(spec: type[types.ComponentSpec]) -> dict[str, types.Channel]:
    """A channel for each output of a spec, for a component to be made with."""
    return {name: types.Channel(type=port.type) for name, port in spec.OUTPUTS.items()}
