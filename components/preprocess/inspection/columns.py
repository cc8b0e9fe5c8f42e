"""Which columns of a sample are user, item, timestamp and rating."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts.moments import UNITS
from components.preprocess.inspection.time_formats import find_time_format, is_written_time
from components.preprocess.readers.text.sniffing import find_by_name
from components.preprocess.values.numbers import Numbers, read_numbers
from components.preprocess.values.texts import is_missing, is_text
from components.preprocess.values.times import in_seconds
from components.shared.errors import UserError

Name: TypeAlias = str | int
"""A column's name, or its 0-based position."""

Sampled: TypeAlias = Mapping[Name, pa.Array]
"""The columns of a sample."""

ROLES = ("user", "item", "timestamp", "rating")

_RATING_VALUES = 21
_RATINGS = (-10.0, 100.0)
_EVENTS = 10
_EVENT_LENGTH = 20
# Numbers whose size alone makes them times are so only of the years that there was a Web in.
_FIRST, _LAST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1990, 2040))


@dataclass(frozen=True)
class Choice:
    """What the columns of a sample are.

    Attributes:
      columns: by role, of those that there are.
      why: by role, how that was found.
      time_format: how times are written, as `dataset.time_format` has it.
      doubts: what somebody should look at, in sentences.
    """

    columns: dict[str, Name]
    why: dict[str, str]
    time_format: str
    doubts: tuple[str, ...]


def choose_columns(sample: Sampled, given: Mapping[str, Name | None], nested: Sequence[str] = ()) -> Choice:
    """Says which column is what: as given, else by usual names, else by what is in them.

    Example:
      Of columns with ["1", "1", "2"], ["2001-09-13", ...] and ["7", "8", "7"], the first is the user, the last the
      item.

    Args:
      sample: the columns.
      given: what is known already, by role; None for what no column is.
      nested: names of what holds lists or objects, which is no column.

    Raises:
      UserError: user or item cannot be told, or a column is not there.
    """
    found = {role: (_in_sample(role, name, sample), "as given") for role, name in given.items() if name is not None}
    for role, name in find_by_name(name for name in sample if isinstance(name, str)).items():
        if role not in given and name in _left(sample, found):
            found[role] = (name, "by its name")
    roles = [role for role in _BY_CONTENT if role not in given and role not in found]
    doubt = _find_by_content(sample, found, roles, nested)
    unread = _unread([name for role, name in find_by_name(nested).items() if role not in {*found, *given}])
    columns = {role: found[role][0] for role in ROLES if role in found}
    time_format, ambiguous = find_time_format(sample[columns["timestamp"]]) if "timestamp" in columns else ("auto", "")
    events = (_event_doubt(name, column) for name, column in _left(sample, found).items())
    return Choice(
        columns,
        {role: found[role][1] for role in columns},
        time_format,
        tuple(filter(None, [unread, doubt, ambiguous, *events])),
    )


def _unread(nested: Sequence[str]) -> str:
    """What to say of columns that hold lists or objects; empty where there are none."""
    return f"lists and objects are not read ({', '.join(map(described, nested))})" if nested else ""


def _in_sample(role: str, name: Name, sample: Sampled) -> Name:
    """A column as the sample calls it; columns that have names have positions, too."""
    if name in sample:
        return name
    if isinstance(name, int) and 0 <= name < len(sample):
        return list(sample)[name]
    raise UserError(f"dataset.{role}_column: there is no column {name!r}; there are {', '.join(map(str, sample))}")


def _find_by_content(
    sample: Sampled, found: dict[str, tuple[Name, str]], roles: Sequence[str], nested: Sequence[str]
) -> str:
    """Adds to what is found what the values of columns tell; returns a doubt, which is empty where there is none.

    Raises:
      UserError: user or item cannot be told.
    """
    guessed: list[str] = []
    possible: list[Name] = []
    for role in roles:
        candidates = list(_BY_CONTENT[role](_left(sample, found)))
        if candidates:
            found[role] = (candidates[0], "by its values")
        if role in ("timestamp", "rating"):
            continue
        if not candidates:
            names = ", ".join(map(str, sample)) or "(no column has numbers or texts)"
            fault = f"it cannot be told which column is the {role}: set dataset.{role}_column to one of {names}"
            raise UserError("; ".join(filter(None, [fault, _unread(nested)])))
        guessed.append(f"{described(candidates[0])} is taken for the {role}")
        possible = candidates[1:]
    others = f" ({' or '.join(map(described, possible))} may be it)" if possible else ""
    return f"{' and '.join(guessed)}, as no name tells it{others}" if guessed else ""


def described(name: Name) -> str:
    """A column as messages call it.

    Example:
      "column 2" for a position, "column 'rating'" for a name.
    """
    return f"column {name!r}"


def _left(sample: Sampled, found: Mapping[str, tuple[Name, str]]) -> Sampled:
    taken = [name for name, _ in found.values()]
    return {name: column for name, column in sample.items() if name not in taken}


def _times(columns: Sampled) -> Iterator[Name]:
    """Columns of times; those that are written as such come first, then numbers of the right size."""
    yield from (name for name, column in columns.items() if is_written_time(column))
    yield from (name for name, column in columns.items() if _are_counted_times(column))


def _are_counted_times(column: pa.Array) -> bool:
    numbers = _numbers(column)
    return numbers is not None and any(
        in_seconds(numbers.min(), unit) >= _FIRST and in_seconds(numbers.max(), unit) < _LAST for unit in UNITS
    )


def _ids(columns: Sampled) -> Iterator[Name]:
    """Columns with different values, none of them a fraction; those that look like ratings come last."""
    ids = [name for name, column in columns.items() if _may_be_ids(column)]
    ratings = set(_ratings(columns))
    yield from sorted(ids, key=lambda name: name in ratings)


def _may_be_ids(column: pa.Array) -> bool:
    if not (is_text(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return False
    numbers = _numbers(column)
    whole = numbers is None or not (numbers % 1).any()
    return whole and len(column.unique().drop_null()) > 1


def _ratings(columns: Sampled) -> Iterator[Name]:
    """Columns of a few small numbers that go up and down, as ids in their order do not."""
    yield from (name for name, column in columns.items() if _are_ratings(_numbers(column)))


def _are_ratings(numbers: Numbers | None) -> bool:
    if numbers is None or numbers.min() < _RATINGS[0] or numbers.max() > _RATINGS[1] or (np.diff(numbers) >= 0).all():
        return False
    return 1 < len(np.unique(numbers)) <= _RATING_VALUES


def _numbers(column: pa.Array) -> Numbers | None:
    """The numbers of a column; None where it has anything else, or nothing."""
    if is_text(column.type):
        column = column.filter(pa.array(~is_missing(column.cast(pa.string()))))
    column = column.drop_null()
    if not len(column):
        return None
    try:
        numbers, bad = read_numbers(column, "column")
    except UserError:
        return None
    return None if bad.any() else numbers


def _event_doubt(name: Name, column: pa.Array) -> str:
    """What to say of a column that tells kinds of events apart."""
    if not is_text(column.type) or _numbers(column) is not None:
        return ""
    values = pc.utf8_trim_whitespace(column.cast(pa.string())).unique().drop_null().to_pylist()
    are_words = all(len(value) <= _EVENT_LENGTH and value.isprintable() for value in values)
    if not 1 < len(values) <= _EVENTS or not are_words or is_written_time(column):
        return ""
    listed = ", ".join(sorted(values)[:4]) + (", ..." if len(values) > 4 else "")
    return f"{described(name)} has few values ({listed}): where only some count, keep those with dataset.where"


# Times first: as numbers, they could be ids.
_BY_CONTENT: dict[str, Callable[[Sampled], Iterator[Name]]] = {
    "timestamp": _times,
    "user": _ids,
    "item": _ids,
    "rating": _ratings,
}
