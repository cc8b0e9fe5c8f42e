"""Raw ids: what is one, and which ids are the same.

Ids are whole numbers where every one of them prints back as it is written, else texts: `0124` and `124` are two. As a
whole number that prints back is the same as its text, each batch decides for itself, and the batches are put together
as texts as soon as one of them has any (see `rows`). Blanks around an id do not count, and 12.0 is 12.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.preprocess.readers.base import IdType
from components.preprocess.values import loops
from components.preprocess.values.texts import Bad, flat, is_missing, is_text
from components.shared.errors import UserError

Ids: TypeAlias = "npt.NDArray[np.integer[Any]] | pa.Array"
"""Raw ids: an integer array, or an Arrow string array, dictionary-encoded in a batch."""

_WITH_ZEROS = r"^(0|-?[1-9][0-9]*)\.0+$"
_EXACT = 2.0**53


def read_ids(column: pa.Array, id_type: IdType, is_declared: bool = False) -> tuple[Ids, Bad]:
    """Reads a column as ids.

    Example:
      The texts "7 ", "12.0" and "NULL" are the ids 7, 12 and none; "7", "012" and "a" are texts.

    Args:
      column: texts, or numbers of any type.
      id_type: what they have to be.
      is_declared: whether the file says that its texts are no numbers, as Parquet does.

    Returns:
      The ids, and which of them are missing or of the wrong type.

    Raises:
      UserError: values of this type cannot be ids.
    """
    # A dictionary may have values that no row has, which are nobody.
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    kind = column.type
    if is_text(kind) or pa.types.is_null(kind):
        return _of_texts(column.cast(pa.string()).dictionary_encode(), id_type, is_declared)
    missing: Bad = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    numbers = _whole_numbers(column)
    if numbers is not None and id_type != "string":
        return numbers, missing
    return _of_texts(_as_written(column).dictionary_encode(), id_type, is_declared=True)


def id_fault(what: str, text: str, id_type: IdType) -> str:
    """What is wrong with an id that `read_ids` has found bad."""
    if is_missing(text):
        return f"empty {what}" if not text.strip() else f"no {what}, but {text.strip()!r}"
    return f"{what} {text!r} is not an integer of 64 bits (if it is right, set dataset.id_type=string)"


def as_texts(ids: Ids) -> pa.Array:
    """Ids as an Arrow string array."""
    return pa.array(ids).cast(pa.string()) if isinstance(ids, np.ndarray) else ids


def find_ids(texts: pa.Array, vocabulary: pa.Array, id_type: IdType) -> npt.NDArray[np.int32]:
    """The place of each id, as another file writes it, in a vocabulary; -1 where it is none of its ids.

    Example:
      The texts "7", "12.0" and "012" have the places 0, 1 and none in [7, 12]; in ["012", "12"] none, 1 and 0.

    Args:
      texts: ids, blanks trimmed.
      vocabulary: distinct raw ids, int64 or string.
      id_type: what decided on the vocabulary's type.
    """
    printed = pc.replace_substring_regex(texts, _WITH_ZEROS, r"\1")
    if pa.types.is_integer(vocabulary.type):
        numbers, whole = whole_numbers(printed, as_printed=id_type == "auto")
        found = pc.if_else(pa.array(whole), pc.index_in(pa.array(numbers), value_set=vocabulary), None)
    else:
        found = pc.index_in(texts, value_set=vocabulary)
        if id_type == "auto":
            found = pc.coalesce(found, pc.index_in(printed, value_set=vocabulary))
    places: npt.NDArray[np.int32] = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
    return places


def _of_texts(column: pa.DictionaryArray, id_type: IdType, is_declared: bool) -> tuple[Ids, Bad]:
    """Judges each distinct text once."""
    indices = pc.fill_null(column.indices, len(column.dictionary)).to_numpy(zero_copy_only=False)
    values = pc.utf8_trim_whitespace(column.dictionary)
    if column.null_count:
        values = pa.concat_arrays([values, pa.array([""])])
    bad = is_missing(values)
    if id_type != "string" and not is_declared:
        values = pc.replace_substring_regex(values, _WITH_ZEROS, r"\1")
    if id_type == "integer" or (id_type == "auto" and not is_declared):
        numbers, whole = whole_numbers(values, as_printed=id_type == "auto")
        if id_type == "integer" or whole[~bad].all():
            return numbers[indices], (bad | ~whole)[indices]
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32)), values), bad[indices]


def whole_numbers(texts: pa.Array, as_printed: bool = False) -> tuple[npt.NDArray[np.int64], Bad]:
    """Texts as 64-bit integers, and which of them are such; see `loops.read_integers`."""
    numbers, good = np.empty(len(texts), np.int64), np.empty(len(texts), np.bool_)
    loops.read_integers(*flat(texts), as_printed, numbers, good)
    return numbers, good


def _whole_numbers(column: pa.Array) -> npt.NDArray[np.int64] | None:
    """A column of numbers as 64-bit integers, 0 where there is none; None where that would lose something."""
    kind = column.type
    try:
        if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            whole = column.cast(pa.int64())
        elif pa.types.is_floating(kind):
            filled = pc.if_else(pc.is_nan(column), None, column).cast(pa.float64())
            if pc.any(pc.greater_equal(pc.abs(filled), _EXACT)).as_py():
                return None
            whole = filled.cast(pa.int64())
        else:
            raise UserError(f"ids of type {kind} are neither numbers nor texts")
    except pa.ArrowInvalid:
        return None
    numbers: npt.NDArray[np.int64] = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False)
    return numbers


def _as_written(column: pa.Array) -> pa.Array:
    """Numbers as texts; whole ones without a fraction."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return pc.replace_substring_regex(column.cast(pa.string()), _WITH_ZEROS, r"\1")
