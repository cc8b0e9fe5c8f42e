"""Who goes to which shard, how a row is packed for sorting, and from when on rows are held out."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from components.artifacts.data_statistics import Largest
from components.artifacts.interactions_summary import MixedIds
from components.artifacts.moments import Unit, shown
from components.preprocess.config import PreprocessConfig
from components.preprocess.rows import Census
from components.preprocess.statistics import MOMENTS, count_moments, largest
from components.preprocess.times import from_sortable, newest, sortable
from components.preprocess.values.ids import Ids
from components.preprocess.values.times import in_unit, unit_of
from components.shared.errors import UserError
from components.shared.files.secrets import without_secrets

_USUAL_SHARE = 0.1


class Cutoffs(NamedTuple):
    """From when on rows are held out, in the unit of the data set: for validation, up to the rows for the test."""

    validation: float | None
    test: float


@dataclass(frozen=True)
class Plan:
    """Who goes to which shard, and how a row is packed for sorting.

    Before the filters, users and items have a position: their place among all ids that occur, ascending.

    Attributes:
      users: distinct raw user ids, ascending.
      items: distinct raw item ids, ascending.
      bounds: int64 [shards + 1]; shard k holds the users of positions bounds[k] to bounds[k + 1] - 1.
      first_time: the earliest timestamp, in steps; 0 where there is none.
      time_bits: bits of the timestamp above that.
      item_bits: bits of an item's position.
      packed: whether user, timestamp and item fit into 64 bits.
      time_step: how many units a step of the packed timestamps is: with fewer bits, more rows can be packed.
      fractional: whether the timestamps are floating-point numbers.
      by_place: whether rows of one time keep the order of the files; they are in that of their items otherwise.
      cutoffs: where rows are held out by time, from when on.
      rows_read: rows of the input, those dropped included.
      bad: rows skipped because they could not be read.
      below_min_rating: rows dropped for their rating.
      not_wanted: rows dropped by `dataset.where`.
      time_unit: of the timestamps; None where they may count anything.
      period: the first and the last of them; None where there are none.
      mixed_ids: see `InteractionsSummary`.
      busiest_user: who has most rows.
    """

    users: Ids
    items: Ids
    bounds: npt.NDArray[np.int64]
    first_time: int
    time_bits: int
    item_bits: int
    packed: bool
    time_step: int
    fractional: bool
    by_place: bool
    cutoffs: Cutoffs | None
    rows_read: int
    bad: int
    below_min_rating: int
    not_wanted: int
    time_unit: Unit | None
    period: tuple[float, float] | None
    busiest_user: Largest
    mixed_ids: dict[Literal["user", "item"], MixedIds] | None = None

    @property
    def shards(self) -> int:
        """The number of shards."""
        return len(self.bounds) - 1

    def sorts_as(self, time: float) -> int:
        """The least number that a row at this time or later has among the sorted rows."""
        if self.fractional:
            return int(sortable(np.array([time]))[0])
        return ceil(time / self.time_step) - (self.first_time if self.packed else 0)

    def moments(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How many rows there are at which time, by their times among the sorted rows; see `count_moments`."""
        if self.period is None:
            return np.zeros(MOMENTS, np.int64)
        first, last = self.period
        if self.fractional:
            return count_moments(from_sortable(times), first, last)
        begin = 0 if self.packed else self.first_time
        return count_moments(times, begin, begin + int(last) // self.time_step - self.first_time)


def make_plan(census: Census, preprocess: PreprocessConfig, name: str, find_unit: bool = True) -> Plan:
    """Cuts the users into shards of about equally many rows, and the time into parts where that is asked for.

    Example:
      Users with 3, 1, 2 and 2 rows and `rows_per_shard=4` give the bounds [0, 2, 4]: two shards of four rows.

    Args:
      census: of all the rows.
      preprocess: how many rows a shard should have, whom the filters will drop, and how to split.
      name: what messages call the data set.
      find_unit: whether the size of the timestamps tells their unit.

    Raises:
      UserError: there are no rows, or none to train on or to hold out, or their times are in different units.
    """
    if not census.rows:
        raise UserError(f"{name} {_why_no_rows(census)}")
    unit = census.time_unit or (unit_of(census.time_places, name) if find_unit else None)
    rows = np.cumsum(np.where(census.user_rows >= preprocess.min_interactions, census.user_rows, 0))
    shards = max(1, round(int(rows[-1]) / preprocess.rows_per_shard))
    inner = np.searchsorted(rows, rows[-1] * np.arange(1, shards) / shards) + 1
    bounds = np.unique(np.concatenate([[0], inner[inner < len(rows)], [len(rows)]])).astype(np.int64)
    low, high = census.timestamps or (0, 0)
    step = 1 if census.fractional else census.time_step
    first_time = 0 if census.fractional else int(low) // step
    time_bits = 64 if census.fractional else (int(high) // step - first_time).bit_length()
    item_bits = (len(census.items) - 1).bit_length()
    user_bits = int(np.diff(bounds).max() - 1).bit_length()
    return Plan(
        users=census.users,
        items=census.items,
        bounds=bounds,
        first_time=first_time,
        time_bits=time_bits,
        item_bits=item_bits,
        packed=user_bits + time_bits + item_bits < 64,
        time_step=step,
        fractional=census.fractional,
        by_place=preprocess.ties == "file" and census.timestamps is not None,
        cutoffs=_cutoffs(census, preprocess, name, unit) if preprocess.split == "time" else None,
        rows_read=census.rows + census.bad + census.below_min_rating + census.not_wanted,
        bad=census.bad,
        below_min_rating=census.below_min_rating,
        not_wanted=census.not_wanted,
        time_unit=unit,
        period=census.timestamps,
        mixed_ids=_mixed_ids(census.texts_in),
        busiest_user=largest(census.users, census.user_rows),
    )


def _mixed_ids(texts_in: Mapping[tuple[str, str], bool]) -> dict[Literal["user", "item"], MixedIds] | None:
    mixed: dict[Literal["user", "item"], MixedIds] = {}
    kinds: tuple[Literal["user", "item"], ...] = ("user", "item")
    for what in kinds:
        files = sorted((file, texts) for (kind, file), texts in texts_in.items() if kind == what)
        numbers, others = (
            [without_secrets(file) for file, texts in files if texts == wanted] for wanted in (False, True)
        )
        if numbers and others:
            mixed[what] = MixedIds(
                number_files=len(numbers), number_file=numbers[0], text_files=len(others), text_file=others[0]
            )
    return mixed or None


def _why_no_rows(census: Census) -> str:
    if census.not_wanted:
        return f"has no row that dataset.where wants ({census.not_wanted:,} are others)"
    if census.below_min_rating:
        return f"has no row of at least preprocess.min_rating ({census.below_min_rating:,} are below)"
    if census.bad:
        return f"has no row that can be read (all {census.bad:,} were skipped)"
    return "has no rows: there are no interactions to read"


def _cutoffs(census: Census, preprocess: PreprocessConfig, name: str, unit: Unit | None) -> Cutoffs:
    """The newest share of the rows is for the test, as much before it for validation."""
    assert census.timestamps is not None
    assert census.times is not None
    low, high = census.timestamps
    given = _given_time(preprocess, name, unit)
    if given is not None and not low < given <= high:
        raise UserError(
            f"preprocess.split_time: {preprocess.split_time} leaves no row before or after it; the times of {name} are "
            f"{shown(low, unit)} to {shown(high, unit)}"
        )
    rows = (preprocess.split_share or _USUAL_SHARE) * census.rows
    test = newest(census.times, rows) if given is None else given
    validation = None if test is None or not preprocess.validation else newest(census.times, rows, before=test)
    if test is None or (preprocess.validation and validation is None):
        raise UserError(
            f"preprocess.split: the rows of {name} have too few different times to be split by time; set it to random"
            + ("" if test is None else ", or preprocess.validation to false")
        )
    return Cutoffs(validation, test)


def _given_time(preprocess: PreprocessConfig, name: str, unit: Unit | None) -> float | None:
    """The time from which on rows are for the test, in the unit of the data set; None where it is to be found."""
    time = preprocess.split_time
    if not isinstance(time, str):
        return None if time is None else float(time)
    if (moment := in_unit(time, unit)) is not None:
        return float(moment)
    why = f"{time!r} is neither a number nor a time such as 2001-09-13"
    raise UserError(
        f"preprocess.split_time: {why if unit else f'{name} has times of no known unit: give a number as they are'}"
    )
