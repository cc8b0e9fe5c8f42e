"""Raw ids and their indexes."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.service.scoring.refusals import RefusalError

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")
_INT64 = np.iinfo(np.int64)


def raw_id(kind: str, text: str, texts: bool) -> str | int:
    """An id as a model takes it.

    Args:
      kind: user or item.
      text: as somebody wrote it.
      texts: whether the ids of the model are texts.

    Raises:
      RefusalError: it cannot be one.
    """
    if texts:
        return text
    if not _WHOLE_NUMBER.fullmatch(text) or not _INT64.min <= int(text) <= _INT64.max:
        raise RefusalError(400, f"{kind} {text[:100]}: the {kind} ids of this model are whole numbers of 64 bits")
    return int(text)


class Ids:
    """The raw ids of one side, by index, and back."""

    def __init__(self, kind: str, values: npt.NDArray[Any]):
        """Takes them.

        Args:
          kind: user or item.
          values: int64, or objects that are bytes, in the order of their indexes.
        """
        self._kind = kind
        self.are_texts = values.dtype.kind not in "iu"
        self._values = np.array([value.decode() for value in values], object) if self.are_texts else values
        self._order = np.argsort(self._values, kind="stable")
        self._sorted = self._values[self._order]

    def __len__(self) -> int:
        return len(self._values)

    def unknown(self) -> str | int:
        """An id that is none of them."""
        if self.are_texts:
            return max(map(str, self._values), default="") + "0"
        return next(value for value in range(_INT64.min, _INT64.max) if self.find(str(value)) is None)

    def text(self, index: int) -> str:
        """The id of an index."""
        return str(self._values[index])

    def find(self, text: str) -> int | None:
        """The index of an id; None where it is unknown.

        Raises:
          RefusalError: it cannot be one.
        """
        value = raw_id(self._kind, text, self.are_texts)
        place = int(np.searchsorted(self._sorted, value))
        return int(self._order[place]) if place < len(self) and self._sorted[place] == value else None
