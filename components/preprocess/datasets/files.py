"""Files of your own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from pydantic import Field, field_validator

from components.preprocess.datasets.base import FilesOfRows, Request, Unsplit
from components.preprocess.readers import READERS, format_of
from components.preprocess.readers.base import Columns, Condition, Quoting, Source
from components.preprocess.titles.config import TitlesConfig
from components.shared.errors import UserError
from components.shared.files import reading
from components.shared.files.secrets import without_secrets

if TYPE_CHECKING:
    from components.preprocess.titles.files import Titles

    Format = str
else:
    Format = Literal["auto", *READERS]

_Value: TypeAlias = bool | int | float | str


class Files(FilesOfRows):
    """Files of interactions in one format and one layout."""

    what: ClassVar[str] = "your own files, in a format of dataset.format"

    path: str = Field(
        description="a file or a glob, plain or compressed (.gz, .zst, .bz2, .zip): a path, gs://, s3://, http(s):// "
        "or file://.",
    )
    format: Format = Field("auto", description="Of the files; auto goes by the name.")
    separator: str | None = Field(
        None,
        min_length=1,
        pattern=r'^[^"\r\n]*$',
        description="Between columns of text, without quotes and ends of lines; by default found from a sample.",
    )
    header: bool | None = Field(
        None,
        description="Whether the first line names the columns; by default, yes when columns are given by name, else "
        "where a sample tells so.",
    )
    quoting: Quoting = Field(
        "auto",
        description="Of text. auto: a field may stand in quotes, with separators and line breaks in it; off: a quote "
        "is a character as any other.",
    )
    encoding: str | None = Field(
        None,
        min_length=1,
        description="Of text, such as latin-1; by default UTF-8, or UTF-16 where a file is marked so.",
    )
    user_column: str | int = Field("user", description="Name, or 0-based position, of the column of user ids.")
    item_column: str | int = Field("item", description="Name, or 0-based position, of the column of item ids.")
    timestamp_column: str | int | None = Field(
        "timestamp", description="None: no timestamp, so the held-out items are drawn at random."
    )
    rating_column: str | int | None = Field(None, description="For preprocess.min_rating, and nothing else.")
    where: dict[str, _Value | tuple[_Value, ...]] = Field(
        {},
        description="Rows are kept by the values of columns, such as {event: [purchase, cart]}: a name, or a 0-based "
        "position, and a value or a list of them. Other rows are dropped.",
    )
    weight_column: str | int | None = Field(
        None,
        description="Refused: every interaction that is kept counts once. Choose rows by preprocess.min_rating or "
        "dataset.where.",
    )

    titles: TitlesConfig | None = Field(
        None,
        description="Titles of the items, for the report and recommend, in a file of their own: {path, id, title}, its "
        "place and its columns of ids and titles. Kind movielens knows its own.",
    )

    @field_validator("weight_column")
    @classmethod
    def _refuse_weights(cls, column: str | int | None) -> None:
        if column is not None:
            raise ValueError(
                "weights are not used, as every interaction that is kept counts once in loss and metrics: choose rows "
                "by preprocess.min_rating or dataset.where"
            )

    def source(self) -> Source:
        paths = self._paths()
        columns = Columns(self.user_column, self.item_column, self.timestamp_column, self.rating_column)
        return Source(
            tuple(paths),
            self._format(paths),
            self.separator,
            self._header(columns),
            columns,
            without_secrets(self.path),
            self.quoting,
            self.encoding,
            tuple(_condition(column, values) for column, values in self.where.items()),
        )

    def interactions(self, request: Request) -> Unsplit:
        if self.rating_column is not None and request.min_rating is None:
            raise UserError(
                "dataset.rating_column is given, but nothing uses it: set preprocess.min_rating, or leave it out"
            )
        return super().interactions(request)

    def titles_of(self, source: Source) -> "Titles | None":
        from components.preprocess.titles.files import find_titles

        return find_titles(self.titles, self.id_type, self.encoding) if self.titles else None

    def files_read(self) -> list[str]:
        return [self.path, *([self.titles.path] if self.titles else [])]

    def _paths(self) -> list[str]:
        if paths := reading.match(self.path):
            return paths
        raise UserError(f"dataset.path: {without_secrets(self.path)}: {reading.described_absence(self.path)}")

    def _format(self, paths: Sequence[str]) -> str:
        if self.format != "auto":
            return self.format
        formats = {path: format_of(path) for path in paths}
        for path, found in formats.items():
            if found is None and self.separator is None:
                *endings, last = (reader.endings[0] for reader in READERS.values())
                raise UserError(
                    f"dataset.format: {path} does not end in {', '.join(endings)} or {last}; say which it is"
                )
        first, *others = dict.fromkeys(found or "csv" for found in formats.values())
        if others:
            raise UserError(
                f"dataset.path: {without_secrets(self.path)} has files of several formats "
                f"({', '.join([first, *others])}); give those of one, or set dataset.format"
            )
        return first

    def _header(self, columns: Columns) -> bool | None:
        named = any(isinstance(column, str) for column in vars(columns).values())
        if named and self.header is False:
            raise UserError(
                "dataset.header: without a header, give the columns by 0-based position (dataset.user_column=0)"
            )
        return True if named else self.header


def _condition(column: str, values: _Value | tuple[_Value, ...]) -> Condition:
    """A column that is written as digits is a position."""
    listed = values if isinstance(values, tuple) else (values,)
    return Condition(int(column) if column.isdigit() else column, tuple(map(_text, listed)))


def _text(value: _Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
