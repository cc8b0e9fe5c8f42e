"""One typed section of the configuration, and its passage through TFX as execution properties.

A component owns its section (`components/<name>/config.py`). Each field becomes one execution property, so that every
knob is visible and cached by TFX on any platform: numbers as they are, the rest as JSON text.
"""

import json
from collections.abc import Mapping
from typing import Any, Self, get_origin

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A frozen section of the configuration that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, fields: Any) -> Any:
        """Takes `64,32,16` for a list, as it is typed on a command line."""
        if not isinstance(fields, dict):
            return fields
        return {
            name: list(filter(None, value.split(","))) if isinstance(value, str) and _is_list(cls, name) else value
            for name, value in fields.items()
        }

    def to_properties(self) -> dict[str, int | float | str]:
        """The section as execution properties."""
        return {
            name: value if property_type(type(self), name) in (int, float) else json.dumps(value, sort_keys=True)
            for name, value in self.model_dump(mode="json").items()
        }

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> Self:
        """The section back from execution properties; those of other sections are passed over."""
        fields = {
            name: _from_property(properties[name]) for name in cls.model_fields if properties.get(name) is not None
        }
        return cls.model_validate(fields)


def _is_list(section: type[Section], name: str) -> bool:
    return name in section.model_fields and get_origin(section.model_fields[name].annotation) is tuple


def _from_property(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def property_type(section: type[Section], name: str) -> type:
    """The type of a field's execution property: int or float for a field of just that type, else str (JSON text)."""
    annotation = section.model_fields[name].annotation
    if annotation is int:
        return int
    return float if annotation is float else str
