"""How rows are read, whatever the format of the files."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Attributes:
      id_type: of users and items; auto goes by a sample.
      on_bad_row: whether a row that cannot be read is an error.
      min_rating: rows rated below are dropped.
      piece_bytes: bytes of text that one worker takes.
      block_bytes: bytes of text that are parsed at once.
    """

    id_type: Literal["auto", "integer", "string"] = "auto"
    on_bad_row: Literal["error", "skip"] = "error"
    min_rating: float | None = None
    piece_bytes: int = 1 << 24
    block_bytes: int = 1 << 21
