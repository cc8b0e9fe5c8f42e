"""What to read (`dataset`) and how to prepare it (`preprocess`)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from components.preprocess.datasets import DATASETS
from components.preprocess.datasets.base import Dataset
from components.shared.parameters import Section, describe_fault, with_keys


def dataset_keys(kinds: Mapping[str, type[Dataset]]) -> dict[str, tuple[Any, Any]]:
    """The keys of the section `dataset`, for some kinds of data sets: `kind`, and the keys of each of them.

    First come the keys that a kind declares itself, in the order of the kinds, then those that several have from a
    common base. A key that a kind cannot do without is null by default, as another kind may be chosen.

    Args:
      kinds: the classes of the data sets, by the names that `dataset.kind` gives them.

    Returns:
      By name, the type of each key and its default.
    """
    own = [name for kind in kinds.values() for name in kind.model_fields if not _is_inherited(name, kind)]
    shared = [name for kind in kinds.values() for name in kind.model_fields]
    return {"kind": _kind(kinds), **{name: _key(name, kinds) for name in dict.fromkeys([*own, *shared])}}


def _is_inherited(name: str, kind: type[Dataset]) -> bool:
    return any(name in getattr(base, "model_fields", ()) for base in kind.__bases__)


def _kind(kinds: Mapping[str, type[Dataset]]) -> tuple[Any, Any]:
    what = " ".join(f"{name}: {kind.what}." for name, kind in kinds.items())
    return Annotated[Literal[*kinds], Field(description=what)], "synthetic"


def _key(name: str, kinds: Mapping[str, type[Dataset]]) -> tuple[Any, Any]:
    """The type of a key and its default; kinds that share it may each describe what it is to them."""
    fields = {kind: data.model_fields[name] for kind, data in kinds.items() if name in data.model_fields}
    texts = {kind: field.description for kind, field in fields.items()}
    # All that a field is: type, constraints, and what was given to `Field`.
    parts: dict[str, Any] = dict(next(iter(fields.values())).asdict())
    annotation, attributes = parts["annotation"], dict(parts["attributes"])
    if len(set(texts.values())) > 1:
        attributes["description"] = " ".join(f"kind {kind}: {text}" for kind, text in texts.items())
    default = attributes.pop("default", None)
    if any(field.is_required() for field in fields.values()):
        annotation, default = annotation | None, None
    return Annotated[annotation, *parts["metadata"], Field(**attributes)], default


def _kinds_by_telling_key() -> dict[str, list[str]]:
    """The kinds that have each of the keys which some kind cannot do without: whoever gives one means such a kind."""
    needed = {name for kind in DATASETS.values() for name, field in kind.model_fields.items() if field.is_required()}
    telling = needed.union(*(kind.means for kind in DATASETS.values()))
    return {name: [kind for kind, data in DATASETS.items() if name in data.model_fields] for name in sorted(telling)}


@with_keys((), dataset_keys(DATASETS))
class DatasetConfig(Section):
    """The interactions to learn from: the choice of a kind, and the keys of all of them."""

    kind: str

    @property
    def chosen(self) -> Dataset:
        """The data set of the kind that is chosen, with the keys that are its own."""
        kind = DATASETS[self.kind]
        return kind.model_validate({name: getattr(self, name) for name in kind.model_fields})

    @model_validator(mode="after")
    def _suits_the_kind(self) -> Self:
        for name, field in DATASETS[self.kind].model_fields.items():
            if field.is_required() and getattr(self, name) in (None, ""):
                raise ValueError(f"dataset.{name} is needed where dataset.kind is {self.kind}")
        for name, kinds in _kinds_by_telling_key().items():
            if self.kind not in kinds and getattr(self, name) not in (None, ""):
                raise ValueError(
                    f"dataset.{name} is given, and dataset.kind is {self.kind}, which does not read it: set "
                    f"dataset.kind to {' or '.join(kinds)}, or leave dataset.{name} out"
                )
        try:
            _ = self.chosen
        except ValidationError as error:
            raise ValueError(describe_fault(error)) from None
        return self


class PreprocessConfig(Section):
    """Filter, split and shards."""

    min_interactions: int = Field(5, ge=1, description="Users with fewer distinct items are dropped.")
    min_item_interactions: int = Field(5, ge=1, description="Items with fewer distinct users are dropped.")
    until: Literal["stable", "once"] = Field(
        "stable",
        description="stable: users and items are dropped in turns until both minima hold (a k-core). once: users, and "
        "then items, which may leave users with fewer than their minimum.",
    )
    min_rating: float | None = Field(None, description="Rows rated below are dropped; needs dataset.rating_column.")
    split: Literal["last", "time", "random"] = Field(
        "last",
        description="What is held out for the test. last: the last item of each user; time: rows from a time on, of "
        "all users at once; random: drawn items. Kind ncf brings its split. See splits.md.",
    )
    split_time: int | float | str | None = Field(
        None,
        description="split time: the test begins here: a date, a time in ISO 8601, or a number in the unit of the "
        "timestamps.",
    )
    split_share: float | None = Field(
        None,
        gt=0,
        lt=0.5,
        description="Share of all rows that is held out for the test, and again for validation. split time: the newest "
        "ones; null: 0.1, or what split_time says. split random: drawn ones; null: one item of each user.",
    )
    ties: Literal["file", "item"] = Field(
        "file",
        description="What decides among a user's rows of one time. file: their order in the file, files in the order "
        "of their names; item: the larger item id is the later one.",
    )
    validation: bool = Field(
        True,
        description="Hold out for validation, too: of what is left, as for the test (last: the item before the last).",
    )
    rows_per_shard: int = Field(1_000_000, ge=1_000, description="About so many rows in each shard.")

    @field_validator("split_time", mode="before")
    @classmethod
    def _dates_as_text(cls, time: Any) -> Any:
        """YAML knows dates and times, too."""
        return str(time) if isinstance(time, date) else time

    @model_validator(mode="after")
    def _split_has_its_keys(self) -> Self:
        if self.split_time is not None and self.split != "time":
            raise ValueError("preprocess.split_time needs preprocess.split to be time")
        if self.split_share is not None and self.split == "last":
            raise ValueError("preprocess.split_share needs preprocess.split to be time or random")
        return self
