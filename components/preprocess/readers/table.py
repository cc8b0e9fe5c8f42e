"""From the columns that count, as any format has them, to rows: which are bad, which are wanted, what they mean."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.preprocess.readers.base import Reading
from components.preprocess.rows import Rows
from components.preprocess.values.ids import Ids, id_fault, read_ids
from components.preprocess.values.numbers import read_numbers
from components.preprocess.values.texts import Bad, is_missing
from components.preprocess.values.times import TimeForm, read_times, time_fault


@dataclass(frozen=True)
class Table:
    """The columns that count of a batch of rows.

    Attributes:
      columns: those of user and item, and of timestamp and rating where they count, of any type.
      where: columns by whose values rows are wanted, and those values.
      bad: rows that are bad already, as they are not UTF-8.
      times: how times are written; None where there are none.
      is_declared: whether the file says that its texts are no numbers.
    """

    columns: dict[str, pa.Array]
    where: tuple[tuple[pa.Array, tuple[str, ...]], ...]
    bad: Bad
    times: TimeForm | None
    is_declared: bool


class Faulty(NamedTuple):
    """The first bad row of a batch: its number, and what is wrong with it."""

    row: int
    fault: str


def to_rows(table: Table, reading: Reading) -> tuple[Rows, Faulty | None]:
    """The rows that can be read and are wanted, and the first one that cannot be read.

    Raises:
      UserError: a column is of a type that cannot be what it should be.
    """
    columns = table.columns
    user, no_user = read_ids(columns["user"], reading.id_type, table.is_declared)
    item, no_item = read_ids(columns["item"], reading.id_type, table.is_declared)
    faults = {"user": no_user, "item": no_item}
    times = high = None
    if table.times is not None:
        times, faults["timestamp"] = read_times(columns["timestamp"], table.times)
    if "rating" in columns and reading.min_rating is not None:
        ratings, faults["rating"] = read_numbers(columns["rating"], "rating")
        high = ratings >= reading.min_rating
    good = ~np.any([table.bad, *faults.values()], axis=0)
    high = good if high is None else good & high
    keep = high & _wanted(table)
    rows = Rows(
        _kept(columns["user"], user, keep, table, reading),
        _kept(columns["item"], item, keep, table, reading),
        None if times is None else times[keep],
        bad=int((~good).sum()),
        below_min_rating=int((good & ~high).sum()),
        not_wanted=int((high & ~keep).sum()),
        time_unit=table.times.unit if table.times else None,
    )
    return rows, None if good.all() else _first(table, faults, int(good.argmin()), reading)


def _kept(column: pa.Array, ids: Ids, keep: Bad, table: Table, reading: Reading) -> Ids:
    """The ids of the rows that are kept; none of the others counts for what type they have."""
    if keep.all():
        return ids
    if isinstance(ids, np.ndarray):
        return ids[keep]
    return read_ids(column.filter(pa.array(keep)), reading.id_type, table.is_declared)[0]


def _wanted(table: Table) -> Bad:
    wanted = np.ones(len(table.bad), np.bool_)
    for column, values in table.where:
        wanted &= is_one_of(column, values)
    return wanted


def is_one_of(column: pa.Array, values: tuple[str, ...]) -> Bad:
    """Which rows have one of some values; numbers are compared as such, however they are written.

    Example:
      "4.0" and "buy " are among the values "4" and "buy".
    """
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    texts = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    among: Bad = pc.is_in(texts, value_set=pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
    wanted, no_numbers = read_numbers(pa.array(values, pa.string()), "value")
    if no_numbers.all():
        return among
    numbers, none = read_numbers(texts, "value")
    return among | (~none & np.isin(numbers, wanted[~no_numbers]))


def _first(table: Table, faults: dict[str, Bad], row: int, reading: Reading) -> Faulty:
    if table.bad[row]:
        return Faulty(row, "not UTF-8; say which encoding it is with dataset.encoding, such as latin-1")
    what = next(what for what, bad in faults.items() if bad[row])
    value = table.columns[what][row].as_py()
    text = "" if value is None else _shortened(str(value))
    if what in ("user", "item"):
        return Faulty(row, id_fault(f"{what} id", text, reading.id_type))
    if what == "timestamp" and table.times is not None:
        return Faulty(row, time_fault(text, table.times))
    return Faulty(row, f"empty {what}" if is_missing(text) else f"{what} {text!r} is not a number")


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
