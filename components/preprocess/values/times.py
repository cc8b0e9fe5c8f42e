"""Times: numbers, ISO 8601, a pattern of one's own, Arrow's types; and the unit that numbers are in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts.moments import NAMES, TICKS, UNITS, Unit
from components.preprocess.values import loops
from components.preprocess.values.numbers import Numbers, read_numbers
from components.preprocess.values.texts import Bad, flat, is_missing
from components.shared.errors import UserError, first_line

# Seconds of the years 1973 to 2286: what is less may count anything, and the next unit begins at tenfold the last.
_EARLIEST, _LATEST = 10.0**8, 10.0**10
_EDGES = np.array([edge * TICKS[unit] for unit in UNITS for edge in (_EARLIEST, _LATEST)])
_STEPS = (10**6, 10**3)
_IN_UNIT = (None, *(place for unit in UNITS for place in (unit, "between")))


@dataclass(frozen=True)
class TimeForm:
    """How the times of a data set are written.

    Attributes:
      kind: as numbers; in ISO 8601; after a pattern of `time.strptime`; or in a temporal type of Arrow's.
      unit: of what is read of them; None for numbers, whose unit the numbers themselves have to tell.
      pattern: where the kind is pattern.
    """

    kind: Literal["number", "iso", "pattern", "temporal"]
    unit: Unit | None = None
    pattern: str | None = None


NUMBER = TimeForm("number")
ISO = TimeForm("iso", "us")
_ISO_FINE = TimeForm("iso", "ns")


def form_of(sample: Sequence[str], time_format: str) -> TimeForm:
    """How a sample of texts writes times; numbers where that cannot be told.

    Example:
      Of "2001-09-13T23:43:19Z" and "2001-09-14" it is ISO 8601.

    Args:
      sample: some fields of the column.
      time_format: what the configuration says: `auto`, `number`, or a pattern.
    """
    if time_format == "number":
        return NUMBER
    if time_format != "auto":
        return TimeForm("pattern", "us", time_format)
    texts = pa.array([text for text in sample if not is_missing(text)], pa.string())
    numbers, isos = (int((~read_times(texts, form)[1]).sum()) for form in (NUMBER, ISO))
    if isos <= numbers:
        return NUMBER
    fine = pc.any(pc.match_substring_regex(texts, r"[.,][0-9]{7}"))
    return _ISO_FINE if fine.as_py() else ISO


def read_times(column: pa.Array, form: TimeForm) -> tuple[Numbers, Bad]:
    """Reads a column as times.

    Args:
      column: of any type.
      form: how they are written, the same in all files.

    Returns:
      The times in the unit of the form, since 1970 in UTC, integers where all are; and which rows have none.

    Raises:
      UserError: values of this type are no times, or are too far from 1970 for the unit.
    """
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if form.kind == "number":
        return read_numbers(column, "timestamp")
    if form.kind == "temporal":
        return _of_temporal(column, form)
    texts = pc.fill_null(column.cast(pa.string()), "")
    if form.kind == "pattern":
        return _of_pattern(texts, form)
    assert form.unit is not None
    times, good = np.empty(len(texts), np.int64), np.empty(len(texts), np.bool_)
    loops.read_times(*flat(texts), ticks(form), times, good)
    return times, ~good


def ticks(form: TimeForm) -> int:
    """How many units of a form are a second; 1 where it has none."""
    return TICKS[form.unit] if form.unit else 1


def in_seconds(time: float, unit: Unit) -> float:
    """A time since 1970 in seconds."""
    return time / TICKS[unit]


def time_fault(text: str, form: TimeForm) -> str:
    """What is wrong with a time that `read_times` has found bad, and the key that may mend it."""
    if is_missing(text):
        return "empty timestamp" if not text.strip() else f"no timestamp, but {text.strip()!r}"
    hint = "set dataset.time_format to how it is written, such as %d/%m/%Y"
    match form.kind:
        case "pattern":
            return f"timestamp {text!r} is not as dataset.time_format says ({form.pattern})"
        case "iso":
            return f"timestamp {text!r} is not a time in ISO 8601 as the others are: {hint}"
    return f"timestamp {text!r} is not a number: {hint}"


def common_unit(kinds: Iterable[pa.DataType]) -> Unit:
    """The finest unit of some temporal types, in which all of their times can be told.

    Raises:
      UserError: one of them is a time of day or a duration.
    """
    return max((_unit(kind) for kind in kinds), key=UNITS.index)


def places_of(times: npt.NDArray[Any]) -> frozenset[str]:
    """In which units' years from 1973 to 2286 there are times, and whether there are any between those.

    Example:
      [1_000_424_599, 1_000_424_599_000] has times in "s" and in "ms"; with 5e10, also "between".
    """
    if not len(times):
        return frozenset()
    places = _IN_UNIT
    low, high = (int(np.searchsorted(_EDGES, end, "right")) for end in (times.min(), times.max()))
    found = {low} if low == high else set(np.unique(np.searchsorted(_EDGES, times, "right")).tolist())
    return frozenset(place for number in found if (place := places[number]))


def step_of(times: npt.NDArray[Any]) -> int:
    """The largest of a million, a thousand and 1 of which all times are multiples, as times without fractions are."""
    if times.dtype.kind == "f":
        return 1
    return next((step for step in _STEPS if not (times[:1] % step).any() and not (times % step).any()), 1)


def unit_of(places: frozenset[str], name: str) -> Unit | None:
    """The unit of all times by their size; None where they may count anything.

    Args:
      places: where there are times, see `places_of`.
      name: how errors call the data set.

    Raises:
      UserError: some are in one unit, others in another, and none are between.
    """
    units = [unit for unit in UNITS if unit in places]
    if "between" in places or not units:
        return None
    if len(units) > 1:
        raise UserError(
            f"{name}: some times are in {NAMES[units[0]]}, others in {NAMES[units[1]]}, by their size; write them in "
            "one unit, or set dataset.time_format=number to compare them as they are"
        )
    return units[0]


def in_unit(text: str, unit: Unit | None) -> int | None:
    """A time in ISO 8601 as a number in a unit; None where it is none, or the unit is not known."""
    if unit is None:
        return None
    times, bad = read_times(pa.array([text]), TimeForm("iso", unit))
    return None if bad[0] else int(times[0])


def _of_temporal(column: pa.Array, form: TimeForm) -> tuple[npt.NDArray[np.int64], Bad]:
    bad: Bad = column.is_null().to_numpy(zero_copy_only=False)
    if not pa.types.is_null(column.type):
        _unit(column.type)
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    try:
        moments = column.cast(pa.timestamp(form.unit, zone)).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise UserError(f"a timestamp is too far from 1970 to be told in {NAMES[form.unit or 's']}") from error
    times: npt.NDArray[np.int64] = pc.fill_null(moments, 0).to_numpy(zero_copy_only=False)
    return times, bad


def _unit(kind: pa.DataType) -> Unit:
    if pa.types.is_timestamp(kind):
        unit: Unit = kind.unit
        return unit
    if pa.types.is_date32(kind):
        return "s"
    if pa.types.is_date64(kind):
        return "ms"
    raise UserError(f"the timestamp is of type {kind}, which does not say when it was")


def _of_pattern(texts: pa.Array, form: TimeForm) -> tuple[npt.NDArray[np.int64], Bad]:
    import pandas as pd

    distinct = texts.dictionary_encode()
    written = pd.Series(distinct.dictionary.to_pylist(), dtype=object).str.strip()
    try:
        moments = pd.to_datetime(written, format=form.pattern, errors="coerce", utc=True)
    except (ValueError, re.error) as error:
        raise UserError(f"dataset.time_format: {form.pattern!r} is no pattern of times ({first_line(error)})") from None
    bad = moments.isna().to_numpy()
    times = moments.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    places = distinct.indices.to_numpy()
    return times[places], bad[places]


def is_temporal(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds times."""
    return bool(pa.types.is_temporal(kind))
