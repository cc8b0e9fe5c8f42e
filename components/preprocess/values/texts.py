"""Texts: where their bytes are, and which of them say that there is no value."""

from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bad: TypeAlias = npt.NDArray[np.bool_]
"""Which rows cannot be taken, [n]."""

MISSING = ("", "NULL", "null", "Null", "NaN", "nan", "None", "<NA>", r"\N")
"""What people and programs write where there is no value: pandas, Python, SQL, MySQL's and Hive's dumps."""

_BLANKS = " \t"


@overload
def is_missing(text: str) -> bool: ...
@overload
def is_missing(text: pa.Array) -> Bad: ...
def is_missing(text: str | pa.Array) -> bool | Bad:
    """Whether a text, or each of an array of texts, stands for no value."""
    if isinstance(text, str):
        return text.strip() in MISSING
    missing: Bad = pc.is_in(pc.utf8_trim_whitespace(text), value_set=pa.array(MISSING)).to_numpy(zero_copy_only=False)
    return missing


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds texts."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def flat(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The bytes of all texts, and where each begins and ends."""
    offsets: npt.NDArray[Any] = np.frombuffer(texts.buffers()[1], np.int32)
    offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    return np.frombuffer(data if data is not None else b"", np.uint8), offsets[:-1], offsets[1:]
