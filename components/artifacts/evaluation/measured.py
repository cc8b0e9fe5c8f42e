"""What was measured of the model and the baselines: the parts of an evaluation."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar

from pydantic import BeforeValidator, PlainSerializer

_T = TypeVar("_T")
Way = Literal["sampled", "full"]
Number = Annotated[
    int | float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None),
]
"""A number that is null in JSON where it is not finite, and NaN when it is read back."""
Means = dict[str, Number]
"""Means over users by the name of the metric, such as HR@10."""
RawId = int | str


class Bounds(NamedTuple):
    """The two ends of a confidence interval."""

    low: Number
    high: Number


@dataclass(frozen=True)
class Difference:
    """A mean of paired differences by user, and the bounds of its confidence interval."""

    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class ByWay(Generic[_T]):
    """One thing for each way of ranking: among sampled candidates, and among all unseen items."""

    sampled: _T
    full: _T

    def of(self, way: Way) -> _T:
        """That of one way."""
        return self.sampled if way == "sampled" else self.full


@dataclass(frozen=True)
class Coverage:
    """How many distinct items are in the users' first `k`, and which share of all items that is."""

    k: int
    items: int
    share: Number


@dataclass(frozen=True)
class RecommendedPopularity:
    """How popular the items in the users' first k are.

    Attributes:
      quartiles: their shares in each quartile of the items by training interactions, least popular first.
      mean_interactions: training interactions of one of them.
    """

    quartiles: tuple[Number, ...]
    mean_interactions: Number


@dataclass(frozen=True)
class System:
    """What was measured of the model or of a baseline.

    Attributes:
      sampled: its means among sampled candidates.
      full: its means among all unseen items.
      title: its name in a sentence, such as "implicit ALS".
      label: its name where there is little room, such as "ALS".
      not_finite: how many of its scores and metrics are not finite.
      coverage: of the catalogue.
      recommended_popularity: of what it recommends to all test users.
      intervals: of the means, by the name of the metric.
      fit_seconds: how long it took to fit a baseline, the choice of its settings included; None for the model.
      chosen: the settings that were chosen on validation, by their keys in the configuration.
    """

    sampled: Means
    full: Means
    title: str
    label: str
    not_finite: int
    coverage: Coverage
    recommended_popularity: RecommendedPopularity
    intervals: ByWay[dict[str, Bounds]]
    fit_seconds: Number | None
    chosen: dict[str, Number] = field(default_factory=dict)

    def of(self, way: Way) -> Means:
        """Its means in one way of ranking."""
        return self.sampled if way == "sampled" else self.full


@dataclass(frozen=True)
class LeftOut:
    """A baseline that could not be fitted to this data: its title, and why, in a few words."""

    title: str
    reason: str


@dataclass(frozen=True)
class NewUsers:
    """What the served model does for users who were held out entirely, given what they did.

    Attributes:
      held_out: how many there are who can be judged.
      users: how many of them were asked for.
      unknown_items: for how many of these the model does not know the item that was left out, which is a miss.
      unknown_histories: for how many it knows no item of the history, and so gave what is popular.
      metrics: their means, where the item that was left out is ranked among all items but those of the history.
      intervals: of the means, by the name of the metric.
      ratio_intervals: of the means as multiples of those of the trained users, likewise; empty in what earlier versions
        wrote.
    """

    held_out: int
    users: int
    unknown_items: int
    unknown_histories: int
    metrics: Means
    intervals: dict[str, Bounds]
    ratio_intervals: dict[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Quartile:
    """Test users whose count, of interactions with or by them, is `low` to `high`; the means of each system there."""

    name: str
    low: int
    high: int
    users: int
    metrics: dict[str, Means]


@dataclass(frozen=True)
class CopiesEffect:
    """A system's means where copies of the held-out item among its negatives are dropped, are counted, and between."""

    dropped: Means
    counted: Means
    difference: Means


@dataclass(frozen=True)
class Copies:
    """Held-out items that stand among their own sampled negatives.

    Attributes:
      users: how many users have such copies.
      counted_in_metrics: whether the metrics take them for rivals.
      systems: what it changes for each system.
    """

    users: int
    counted_in_metrics: bool
    systems: dict[str, CopiesEffect]


@dataclass(frozen=True)
class Recommendation:
    """A recommended item, by raw id."""

    item: RawId
    score: Number
    interactions: int
    held_out: bool


@dataclass(frozen=True)
class Example:
    """A user's latest seen items, what is recommended, and where the held-out item stands among all unseen ones."""

    user: RawId
    interactions: int
    history: tuple[RawId, ...]
    recommended: tuple[Recommendation, ...]
    held_out: RawId
    rank: int


@dataclass(frozen=True)
class RowsCheck:
    """The rows of users beside what these did.

    Attributes:
      users: how many were looked at.
      others: those of them whose rows are not made of what they did.
      largest_difference: between a row and what it should be, relative to its largest value.
    """

    users: int
    others: int
    largest_difference: Number


@dataclass(frozen=True)
class ItemsCheck:
    """The items beside what those who took them score others.

    Attributes:
      items: how many were looked at.
      compared_with: how many others each was compared with.
      strangers: those that their takers score no higher than too many others.
      usual_share: of the others that are scored as high by an item's takers: 95 % of the items have no larger one.
      largest_share: the same, the largest of all.
    """

    items: int
    compared_with: int
    strangers: int
    usual_share: Number
    largest_share: Number


@dataclass(frozen=True)
class ServingCheck:
    """What serving gives beside what was measured.

    Attributes:
      users: how many were asked for.
      unknown_ids: how many ids of the vocabulary the model says it does not know.
      largest_difference: between served and measured scores, relative to the largest score of that user.
      rows: the rows that both come from; None where the model does not say what they are made of.
      altered: the names of arrays that are not those that were exported; None where nobody told which those are.
      items: how the items are known to those who took them; None where that was not looked at.
    """

    users: int
    unknown_ids: int
    largest_difference: Number
    rows: RowsCheck | None = None
    altered: tuple[str, ...] | None = None
    items: ItemsCheck | None = None
