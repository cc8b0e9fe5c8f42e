"""What a kind of data set declares: its keys of the configuration, and what it gives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from components.preprocess import readers
from components.preprocess.readers.base import IdType, OnBadRow, Piece, Reading, Source
from components.shared.errors import UserError
from components.shared.parameters import Section

if TYPE_CHECKING:
    from components.preprocess.given_split import GivenSplit
    from components.preprocess.titles.files import Titles


@dataclass(frozen=True)
class Request:
    """What Preprocess asks of a data set.

    Attributes:
      min_rating: rows rated below are not wanted; None wants all.
      validation: whether a given split shall have a validation part.
      seed: the run's seed, for a data set that is drawn.
    """

    min_rating: float | None
    validation: bool
    seed: int


@dataclass(frozen=True)
class Unsplit:
    """Interactions that are still to be filtered, indexed and split.

    Attributes:
      name: what messages and the summary call the data set.
      pieces: the parts that workers read, in the order of the input, which may decide among rows of one time.
      timed: whether the rows have timestamps; without, the held-out rows are drawn at random.
      find_unit: whether the size of numeric timestamps tells their unit.
      best_possible_hr: HR@10 of the best ranking there is, by the number of negatives, where that is known.
      titles: of the items, where it has any.
      ordered: whether the rows have an order of their own; without, the larger item id decides among those of one time.
    """

    name: str
    pieces: Sequence[Piece]
    timed: bool
    find_unit: bool = True
    best_possible_hr: dict[str, float] | None = None
    titles: Titles | None = None
    ordered: bool = True


class Dataset(Section):
    """A kind of data set; its fields are its keys in the section `dataset` of the configuration.

    A key that it cannot do without has no default here. In the configuration, where another kind may be chosen, that
    key is null until it is set. Kinds may share a key, if they agree on its values.
    """

    what: ClassVar[str]
    """What it is, in a few words, for the description of `dataset.kind`."""

    means: ClassVar[tuple[str, ...]] = ()
    """Keys that have no default and yet are no must: whoever gives one means this kind."""

    @abstractmethod
    def interactions(self, request: Request) -> Unsplit | GivenSplit:
        """Finds the interactions: to be split, or with a split of their own.

        Raises:
          UserError: they are not there, or not what they should be.
        """

    def files_read(self) -> list[str]:
        """The files that the data set is read from, wherever they lie, as names, folders and globs.

        A change in one of them makes a run read the data set again.
        """
        return []

    def fingerprint(self) -> str:
        """A digest of the state of what is read; where it is another one, a run reads the data set again.

        Raises:
          UserError: what holds it cannot be reached, or refuses.
        """
        from components.shared.files.reading import fingerprint_of

        return fingerprint_of(self.files_read())


class RawRows(Dataset):
    """A data set of rows as somebody wrote them: ids of any type, times of any kind, bad ones among them."""

    id_type: IdType = Field(
        "auto",
        description="Of users and items; auto: integers where every id of all files prints back as it is written.",
    )
    on_bad_row: OnBadRow = Field(
        "error", description="Stop at a row that cannot be read, or count it. Kind ncf always stops."
    )

    time_format: str = Field(
        "auto",
        min_length=1,
        description="How times are written. auto: numbers, whose unit is told by their size, or ISO 8601; number: "
        "numbers of any kind, compared as they are; else a pattern such as %d/%m/%Y %H:%M.",
    )


class FilesOfRows(RawRows):
    """A data set that is read from files of rows, in any format of `READERS`."""

    @abstractmethod
    def source(self) -> Source:
        """Finds the files and how their rows are laid out.

        Raises:
          UserError: there are no such files, or their layout cannot be told.
        """

    def interactions(self, request: Request) -> Unsplit:
        source = _with_rating_if_needed(self.source(), request.min_rating)
        reading = Reading(self.id_type, self.on_bad_row, request.min_rating, time_format=self.time_format)
        timed, find_unit = source.columns.timestamp is not None, self.time_format != "number"
        return Unsplit(source.name, readers.plan(source, reading), timed, find_unit, titles=self.titles_of(source))

    def titles_of(self, source: Source) -> Titles | None:
        """Finds the titles of the items; None where there are none.

        Raises:
          UserError: they are not where they should be.
        """
        return None


def _with_rating_if_needed(source: Source, min_rating: float | None) -> Source:
    if min_rating is None:
        return replace(source, columns=replace(source.columns, rating=None))
    if source.columns.rating is None:
        raise UserError("preprocess.min_rating needs the column of the ratings: set dataset.rating_column")
    return source
