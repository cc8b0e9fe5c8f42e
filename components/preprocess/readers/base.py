"""What is read and how, whatever the format of the files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from components.shared.files.places import plain_path

if TYPE_CHECKING:
    import pyarrow as pa

    from components.preprocess.rows import Rows

IdType = Literal["auto", "integer", "string"]
OnBadRow = Literal["error", "skip"]
Quoting = Literal["auto", "off"]

COMPRESSED = (".gz", ".zst", ".bz2", ".zip")
"""How the names of compressed files end."""


class Piece(Protocol):
    """A part of the input that any worker can read by itself.

    It travels to the worker by pickle: a frozen dataclass of plain values is one.
    """

    def read(self) -> Iterator[Rows]:
        """Reads the rows of this part, in their order and in batches of 10^5 to 10^6.

        It may be called twice, and yields the same both times.

        Raises:
          UserError: a row cannot be read, and is not to be skipped.
        """


class Reader(ABC):
    """One input format."""

    endings: tuple[str, ...]
    """What the names of its files end in, lower case, the usual one first."""

    separator: str | None = None
    """What stands between the columns where a sample does not tell; None for a format that is no delimited text."""

    @abstractmethod
    def plan(self, source: Source, reading: Reading) -> Sequence[Piece]:
        """Cuts the files of a source into pieces, in the order of the files.

        Raises:
          UserError: a file is not of this format, or lacks a column.
        """

    @abstractmethod
    def sample(self, source: Source) -> Sample:
        """Reads some rows of the first file, with all of their columns; those of the source do not count.

        Raises:
          UserError: the file is not of this format, or empty.
        """


@dataclass(frozen=True)
class Columns:
    """The columns that count, each by its name or its 0-based position; None where there is none."""

    user: str | int
    item: str | int
    timestamp: str | int | None = None
    rating: str | int | None = None


@dataclass(frozen=True)
class Condition:
    """Which rows are wanted by a column's values.

    Attributes:
      column: its name or its 0-based position.
      values: the texts of which a row has one.
    """

    column: str | int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Files of interactions in one layout.

    Attributes:
      paths: the files, in order, compressed where their names say so.
      format: what they are, a key of `READERS`.
      separator: between the columns of delimited text, one or more characters; None: found from a sample, or another
        format.
      header: whether the first line of each file of delimited text names the columns; None: found from a sample.
      columns: the columns that count.
      name: what messages and the summary call it.
      quoting: whether quotes have a meaning in delimited text.
      encoding: of text, as Python names it; None is UTF-8, or UTF-16 where a file begins with its mark.
      where: rows that do not meet all of these are dropped.
      keys: what messages call the keys of the section `dataset` that name the columns of user and item.
    """

    paths: tuple[str, ...]
    format: str
    separator: str | None
    header: bool | None
    columns: Columns
    name: str
    quoting: Quoting = "auto"
    encoding: str | None = None
    where: tuple[Condition, ...] = ()
    keys: tuple[str, str] = ("user_column", "item_column")


@dataclass(frozen=True)
class Sample:
    """Some rows of a file.

    Attributes:
      columns: by the name of each, or by its 0-based position where it has none; of any type, texts where the format
        has only those.
      separator: between the columns of delimited text; None for another format.
      header: whether a first line names the columns of delimited text.
      nested: names of what holds lists or objects, none of which can be what is looked for.
    """

    columns: dict[str | int, pa.Array]
    separator: str | None = None
    header: bool | None = None
    nested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Attributes:
      id_type: the type of the ids of users and items; auto goes by a sample.
      on_bad_row: whether a row that cannot be read is an error.
      min_rating: rows rated below are dropped; None keeps all.
      piece_bytes: bytes of text that one worker takes.
      block_bytes: bytes of text that are parsed at once.
      time_format: how times are written: `auto` for numbers or ISO 8601, `number`, or a pattern of `time.strptime`.
    """

    id_type: IdType = "auto"
    on_bad_row: OnBadRow = "error"
    min_rating: float | None = None
    piece_bytes: int = 1 << 24
    block_bytes: int = 1 << 21
    time_format: str = "auto"


def is_compressed(path: str) -> bool:
    """Whether a file is compressed, by its name."""
    return plain_path(path).lower().endswith(COMPRESSED)


def plain_name(path: str) -> str:
    """A file's name as it is once decompressed; of a web address, without what follows the name.

    Example:
      `plain_name("clicks.csv.GZ")` is "clicks.csv", and so is `plain_name("https://host/clicks.csv?token=abc")` behind
      its folder.
    """
    name = plain_path(path)
    return next((name[: -len(ending)] for ending in COMPRESSED if name.lower().endswith(ending)), name)
