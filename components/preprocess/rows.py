"""A batch of raw interactions, as every reader hands it on, and what is known of all batches together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts.moments import Unit
from components.preprocess import loops
from components.preprocess.times import TimeCounts, Times, add_time_counts, count_times
from components.preprocess.values.ids import Ids, as_texts
from components.preprocess.values.times import places_of, step_of


@dataclass(frozen=True)
class Rows:
    """Interactions in raw ids.

    Attributes:
      user: raw user ids, [n], integers or dictionary-encoded strings.
      item: raw item ids, [n], likewise.
      timestamp: when each was, [n], integers or float64; None where the data set has none.
      bad: how many rows were skipped because they could not be read.
      below_min_rating: how many rows were dropped for their rating.
      not_wanted: how many rows were dropped by `dataset.where`.
      time_unit: of the timestamps since 1970; None where they are numbers that have to tell it themselves.
      file: that they are of, where it matters what type of ids each file has; None where it does not.
    """

    user: Ids
    item: Ids
    timestamp: Times | None
    bad: int = 0
    below_min_rating: int = 0
    not_wanted: int = 0
    time_unit: Unit | None = None
    file: str | None = None

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class Census:
    """What all rows of a set of batches amount to.

    Attributes:
      users: distinct raw user ids, ascending.
      user_rows: rows of each of them, int64.
      items: distinct raw item ids, ascending.
      timestamps: the smallest and the largest timestamp, or None where there is none.
      fractional: whether some batch's timestamps are not integers.
      times: how many rows there are at what time; None where nobody asked.
      rows: how many rows there are.
      bad: how many rows were skipped because they could not be read.
      below_min_rating: how many rows were dropped for their rating.
      not_wanted: how many rows were dropped by `dataset.where`.
      time_unit: of the timestamps; None where they are numbers that have to tell it themselves.
      time_places: where such numbers are, see `places_of`.
      time_step: a thousand or a million where all timestamps of a known unit are multiples of that, else 1.
      texts_in: of "user" and "item" in each file, whether some batch has ids that are no whole numbers.
    """

    users: Ids
    user_rows: npt.NDArray[np.int64]
    items: Ids
    timestamps: tuple[float, float] | None = None
    fractional: bool = False
    times: TimeCounts | None = None
    rows: int = 0
    bad: int = 0
    below_min_rating: int = 0
    not_wanted: int = 0
    time_unit: Unit | None = None
    time_places: frozenset[str] = frozenset()
    time_step: int = 1
    texts_in: Mapping[tuple[str, str], bool] = field(default_factory=dict)


def take_census(rows: Rows, with_times: bool = False) -> Census:
    """Counts one batch.

    Example:
      The users 7, 3, 7 and the items 1, 1, 2 give the users [3, 7] with [1, 2] rows, and the items [1, 2].

    Args:
      rows: the batch.
      with_times: whether to count the rows of each time, too.
    """
    users, user_rows = _count(rows.user)
    times = rows.timestamp
    return Census(
        users,
        user_rows,
        _distinct(rows.item),
        None if times is None or not len(times) else (times.min().item(), times.max().item()),
        times is not None and times.dtype.kind == "f",
        count_times(times) if with_times and times is not None else None,
        len(rows),
        rows.bad,
        rows.below_min_rating,
        rows.not_wanted,
        rows.time_unit,
        frozenset() if times is None or rows.time_unit else places_of(times),
        1 if times is None or not rows.time_unit else step_of(times),
        _texts_in(rows),
    )


def _texts_in(rows: Rows) -> dict[tuple[str, str], bool]:
    if rows.file is None or not len(rows):
        return {}
    ids = {"user": rows.user, "item": rows.item}
    return {(what, rows.file): not isinstance(found, np.ndarray) for what, found in ids.items()}


_NOBODY = Census(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def merge_censuses(censuses: Iterable[Census]) -> Census:
    """Adds up censuses; associative and commutative, as Beam asks."""
    parts = list(censuses)
    filled = [part for part in parts if part.rows] or [_NOBODY]
    users, user_rows = _add_counts([part.users for part in filled], [part.user_rows for part in filled])
    spans = [part.timestamps for part in filled if part.timestamps is not None]
    times = [part.times for part in filled if part.times is not None]
    return Census(
        users,
        user_rows,
        _distinct(_concatenate([part.items for part in filled])),
        (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None,
        any(part.fractional for part in filled),
        add_time_counts(times) if times else None,
        sum(part.rows for part in parts),
        sum(part.bad for part in parts),
        sum(part.below_min_rating for part in parts),
        sum(part.not_wanted for part in parts),
        next((part.time_unit for part in filled if part.time_unit), None),
        frozenset().union(*(part.time_places for part in filled)),
        min(part.time_step for part in filled),
        _any_texts(filled),
    )


def _any_texts(parts: Iterable[Census]) -> dict[tuple[str, str], bool]:
    merged: dict[tuple[str, str], bool] = {}
    for part in parts:
        for key, texts in part.texts_in.items():
            merged[key] = merged.get(key, False) or texts
    return merged


def positions(ids: Ids, vocabulary: Ids) -> npt.NDArray[np.int32]:
    """The position of each id in a vocabulary.

    Example:
      `positions([30, 10, 30], vocabulary=[10, 20, 30])` is [2, 0, 2].

    Args:
      ids: raw ids, [n].
      vocabulary: distinct raw ids, ascending, among them all of `ids`; texts, where some batch has other ids than
        integers.

    Returns:
      int32 [n].
    """
    if isinstance(ids, np.ndarray) and not isinstance(vocabulary, np.ndarray):
        distinct, inverse = np.unique(ids, return_inverse=True)
        ids = pa.DictionaryArray.from_arrays(inverse.astype(np.int32), as_texts(distinct))
    if isinstance(ids, np.ndarray):
        if not len(ids):
            return np.empty(0, np.int32)
        low, high = int(vocabulary[0]), int(vocabulary[-1])
        if high - low > _dense_range(len(ids)):
            return np.searchsorted(vocabulary, ids).astype(np.int32)
        table = np.zeros(high - low + 1, np.int32)
        table[vocabulary - low] = np.arange(len(vocabulary), dtype=np.int32)
        return table[ids - ids.dtype.type(low)] if low else table[ids]
    of_dictionary = pc.index_in(ids.dictionary, value_set=vocabulary).to_numpy(zero_copy_only=False)
    places: npt.NDArray[np.int32] = of_dictionary.astype(np.int32)[ids.indices.to_numpy()]
    return places


def as_ids(column: pa.Array) -> Ids:
    """An Arrow column without nulls as raw ids: NumPy integers, or dictionary-encoded strings."""
    if pa.types.is_integer(column.type):
        return column.to_numpy(zero_copy_only=False)
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def as_column(ids: Ids) -> pa.Array:
    """Distinct raw ids as a column of a vocabulary: int64 or string."""
    return pa.array(ids, pa.int64()) if isinstance(ids, np.ndarray) else ids


def _count(ids: Ids) -> tuple[Ids, npt.NDArray[np.int64]]:
    if isinstance(ids, np.ndarray):
        # Most files are sorted by user: runs are far fewer than rows.
        starts = loops.runs(ids)
        return _add_counts([ids[starts]], [np.diff(starts, append=len(ids))])
    counts = np.bincount(ids.indices.to_numpy(), minlength=len(ids.dictionary))
    return _add_counts([ids.dictionary], [counts])


def _add_counts(ids: list[Ids], counts: list[npt.NDArray[np.int64]]) -> tuple[Ids, npt.NDArray[np.int64]]:
    """The distinct ids, ascending, and the sum of the counts of each."""
    values, added = _concatenate(ids), np.concatenate(counts)
    if isinstance(values, np.ndarray):
        distinct, inverse = np.unique(values, return_inverse=True)
        return distinct, np.bincount(inverse, weights=added, minlength=len(distinct)).astype(np.int64)
    distinct = _distinct(values)
    inverse = pc.index_in(values, value_set=distinct).to_numpy(zero_copy_only=False)
    return distinct, np.bincount(inverse, weights=added, minlength=len(distinct)).astype(np.int64)


def _distinct(ids: Ids) -> Ids:
    if isinstance(ids, np.ndarray):
        if not len(ids):
            return ids
        low, high = int(ids.min()), int(ids.max())
        if high - low > _dense_range(len(ids)):
            return np.unique(ids)
        return np.flatnonzero(loops.marks(ids, low, high - low + 1)) + low
    values = ids.dictionary if pa.types.is_dictionary(ids.type) else ids
    distinct = pc.unique(values)
    return distinct.take(pc.sort_indices(distinct))


def _dense_range(rows: int) -> int:
    """The widest range of ids for which a table over all of it is quicker than a search."""
    return 4 * rows + (1 << 20)


def _concatenate(ids: list[Ids]) -> Ids:
    """All ids: integers where all are; an integer that stands among texts is the text that it prints as."""
    if all(isinstance(part, np.ndarray) for part in ids):
        return np.concatenate(ids)
    return pa.concat_arrays([as_texts(part) for part in ids])
