"""What is known of the data beside its size: how rows are spread over users, over items and over time."""

from dataclasses import dataclass

from components.artifacts.summary import Part

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.99, 1.0)
"""Which of them a `Spread` has."""

TOP = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, *(part / 20 for part in range(2, 21)))
"""The shares of the users or items, those with most rows first, at which a `Spread` has its curve."""


@dataclass(frozen=True, kw_only=True)
class Largest(Part):
    """Whoever has most rows: the raw id, and how many."""

    id: int | str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Spread(Part):
    """How the training rows are spread over the users, or over the items.

    Example:
      Of the users a, b and c with 6, 1 and 3 rows, the largest is a with 6, the median is 3, and the curve has .6 at
      the top third and .9 at the top two thirds.

    Attributes:
      mean: rows of each, on average.
      quantiles: the `QUANTILES` of the rows of each.
      curve: at each share of `TOP`, which share of the rows those with most rows have.
      largest: the first of those with most rows.
    """

    mean: float
    quantiles: tuple[int, ...]
    curve: tuple[float, ...]
    largest: Largest


@dataclass(frozen=True, kw_only=True)
class Gap(Part):
    """A time without a row, in the unit of the timestamps: from when to when, to a thousandth of the whole period."""

    begin: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Calendar(Part):
    """How the rows that can be read are spread over the period.

    Attributes:
      rows: how many are in each of equal parts of it.
      gap: the longest time without any; None where each thousandth of the period has some.
    """

    rows: tuple[int, ...]
    gap: Gap | None = None


@dataclass(frozen=True, kw_only=True)
class DataStatistics(Part):
    """What is known of the data beside its size.

    Attributes:
      users: how the training rows are spread over them.
      items: likewise.
      calendar: over time; None where the rows have no time, or all have one.
      cold: held-out rows in the artifact whose item has no training row.
      busiest_user: who has most of all rows that can be read, repeated pairs too; None where only splits were read.
    """

    users: Spread
    items: Spread
    calendar: Calendar | None = None
    cold: int = 0
    busiest_user: Largest | None = None
