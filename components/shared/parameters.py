"""One typed section of the configuration, and its passage through TFX as execution properties.

A component owns its section (`components/<name>/config.py`). Each field becomes one execution property, so that every
knob is visible and cached by TFX on any platform: numbers as they are, the rest as JSON text. There, nothing at all
stands for null, and for auto where there is no null; a text that cannot be mistaken for something else goes without
quotes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, create_model, model_validator

from components.shared.errors import UserError
from components.shared.files.secrets import holds_secret

Auto: TypeAlias = Literal["auto"]
"""In place of a value: whoever takes it chooses one by the data."""

_OPEN = (NoneType, Auto)
_PLAIN = (bool, int, float, str, NoneType, tuple, dict, BaseModel)


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

    @model_validator(mode="after")
    def _keeps_no_secret(self) -> Self:
        """What is in a section is kept: in the metadata, in compiled pipelines, in the platforms' databases."""
        for name, value in self:
            texts = value if isinstance(value, tuple) else (value,)
            if any(isinstance(text, str) and holds_secret(text) for text in texts):
                raise ValueError(
                    f"the secret in {name} would be kept in metadata and compiled pipelines; put it into a variable of "
                    "the environment, and write ${NAME} in its place"
                )
        return self

    def to_properties(self) -> dict[str, Any]:
        """The section as execution properties."""
        passed_on = self.passed_on()
        plain = self.model_dump(mode="json", exclude=passed_on)
        return {
            **{name: self.to_property(name, value) for name, value in plain.items()},
            **{name: getattr(self, name) for name in passed_on},
        }

    def passed_on(self) -> set[str]:
        """The fields that are no plain data: while a pipeline is compiled, some are TFX's `RuntimeParameter`."""
        return {name for name, value in self if not isinstance(value, _PLAIN)}

    @classmethod
    def to_property(cls, name: str, value: Any) -> int | float | str:
        """A field's value, as JSON knows it, as an execution property."""
        if value is None:
            return ""
        number = property_type(cls, name) in (int, float)
        plain = number or (isinstance(value, str) and value == _read(cls, name, value))
        return value if plain else json.dumps(value, sort_keys=True)

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> Self:
        """The section back from execution properties; those of other sections are passed over.

        Raises:
          UserError: a value is not allowed, as it can be where it was chosen for one run of a compiled pipeline.
        """
        fields = {
            name: _read(cls, name, properties[name]) for name in cls.model_fields if properties.get(name) is not None
        }
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise UserError(describe_fault(error)) from None


_SomeSection = TypeVar("_SomeSection", bound=Section)


def with_keys(
    sections: Sequence[type[Section]], keys: Mapping[str, tuple[Any, Any]]
) -> Callable[[type[_SomeSection]], type[_SomeSection]]:
    """Adds to a section the keys of others, and more that are only known at run time, such as one for each metric.

    Args:
      sections: whose keys the section takes over.
      keys: by name, the type of each further key and its `Field`.
    """

    def extend(section: type[_SomeSection]) -> type[_SomeSection]:
        more, bases = cast(Any, keys), cast(Any, (section, *sections))
        made = create_model(
            section.__name__,
            __base__=bases,
            __module__=section.__module__,
            __doc__=section.__doc__,
            **more,
        )
        return cast(type[_SomeSection], made)

    return extend


def describe_fault(error: ValidationError) -> str:
    """What is wrong with the first faulty key, on one line."""
    faults = error.errors(include_url=False)
    fault, *others = faults
    alternatives = [other for other in others if _of_one_union(fault, other)]
    more = f" (and {len(others) - len(alternatives)} more)" if len(others) > len(alternatives) else ""
    key = ".".join(str(part) for part in (fault["loc"][:-1] if alternatives else fault["loc"]))
    reasons = [_reason(found) for found in (fault, *alternatives)]
    # A rule between the keys of a section names them itself, mostly with the section.
    if not key or reasons[0].startswith(f"{key}."):
        return f"{' or '.join(reasons)}{more}"
    got = "" if fault["type"] == "missing" or isinstance(fault["input"], dict) else f" (got {fault['input']!r})"
    told = ", or ".join(f"{reason[:1].lower()}{reason[1:]}" for reason in reasons)
    return f"{key}: {told}{got}{more}"


def _reason(fault: Mapping[str, Any]) -> str:
    if fault["type"] in ("model_type", "dict_type"):
        return "a mapping of keys and values is expected"
    reason: str = fault["msg"]
    return reason.removeprefix("Value error, ")


def _of_one_union(fault: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two faults say of one value why it is neither of two types; each then ends in a type, not in a key."""
    ends = [str(found["loc"][-1]) for found in (fault, other) if found["loc"]]
    same_place = fault["loc"][:-1] == other["loc"][:-1] and fault["input"] is other["input"]
    return same_place and not all(end.isidentifier() for end in ends)


def _is_list(section: type[Section], name: str) -> bool:
    return name in section.model_fields and get_origin(section.model_fields[name].annotation) is tuple


def _read(section: type[Section], name: str, value: Any) -> Any:
    """A field's value from its property, or as somebody typed it: `null` or nothing, `customer` or `"customer"`."""
    if not isinstance(value, str):
        return value
    annotation = section.model_fields[name].annotation
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    if not value and NoneType in kinds:
        return None
    if not value and Auto in kinds:
        return "auto"
    try:
        found = json.loads(value)
    except ValueError:
        return value
    only_text = str in kinds and not {int, float} & set(kinds)
    return value if only_text and not isinstance(found, str | None) else found


def property_type(section: type[Section], name: str) -> type:
    """The type of a field's execution property: int or float for a field of just that type, else str (JSON text)."""
    annotation = section.model_fields[name].annotation
    if annotation is int:
        return int
    return float if annotation is float else str


def number_type(section: type[Section], name: str) -> type[int] | type[float] | None:
    """Whether people type a number for a field: int or float where nothing else can stand there than null or auto."""
    annotation = section.model_fields[name].annotation
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    numbers = {get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds if kind not in _OPEN}
    return next((kind for kind in (int, float) if numbers == {kind}), None)
