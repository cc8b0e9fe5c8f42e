"""What is read and how, whatever the format of the files."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Columns:
    """The columns that count, each by its name or its 0-based position; None where there is none."""

    user: str | int
    item: str | int
    timestamp: str | int | None = None
    rating: str | int | None = None


@dataclass(frozen=True)
class Source:
    """Files of interactions in one layout.

    Attributes:
      paths: the files, in order; those that end in .gz are gzip.
      format: "csv" is any text with a separator.
      separator: between the columns, one or more characters; None for Parquet.
      header: whether the first line of each file names the columns.
      columns: which columns count.
      name: how messages and the summary call it.
    """

    paths: tuple[str, ...]
    format: Literal["csv", "parquet"]
    separator: str | None
    header: bool
    columns: Columns
    name: str


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
