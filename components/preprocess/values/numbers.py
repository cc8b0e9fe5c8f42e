"""Numbers, as ratings are and many times."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.preprocess.values.ids import whole_numbers
from components.preprocess.values.texts import Bad, is_text
from components.shared.errors import UserError

Numbers: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.float64]

_NUMBER = r"^[ \t]*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?[ \t]*$"


def read_numbers(column: pa.Array, what: str) -> tuple[Numbers, Bad]:
    """Reads a column of numbers or of texts that write them.

    Args:
      column: of any type.
      what: how errors call the column.

    Returns:
      The numbers, integers where all are, and which rows have none.

    Raises:
      UserError: values of this type are no numbers.
    """
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    kind = column.type
    if is_text(kind) or pa.types.is_null(kind):
        return _of_texts(pc.fill_null(column.cast(pa.string()), ""))
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise UserError(f"the {what} is of type {kind}, not a number")
    bad: Bad = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_integer(kind):
        whole = _filled(column, pa.int64())
        if whole is not None:
            return whole, bad
    # Numbers past 2^53 are rounded, as those of uint64 beyond int64 must be.
    numbers = pc.fill_null(column.cast(pa.float64(), safe=False), 0).to_numpy(zero_copy_only=False)
    return numbers, bad | ~np.isfinite(numbers)


def _filled(column: pa.Array, kind: pa.DataType) -> npt.NDArray[Any] | None:
    try:
        filled: npt.NDArray[Any] = pc.fill_null(column.cast(kind), 0).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return filled


def _of_texts(texts: pa.Array) -> tuple[Numbers, Bad]:
    numbers, good = whole_numbers(texts)
    if good.all():
        return numbers, ~good
    others = pc.if_else(pa.array(~good), texts, "0")
    fits = pc.match_substring_regex(others, _NUMBER)
    written = pc.if_else(fits, pc.utf8_ltrim(pc.utf8_trim(others, " \t"), "+"), "0")
    floats = written.cast(pa.float64()).to_numpy(zero_copy_only=False)
    bad = ~good & (~fits.to_numpy(zero_copy_only=False) | ~np.isfinite(floats))
    if (good | bad).all():
        return numbers, bad
    return np.where(good, numbers.astype(np.float64), floats), bad
