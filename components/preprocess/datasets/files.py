"""Files of your own."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from components.preprocess.datasets.base import FilesOfRows
from components.preprocess.readers import READERS, format_of
from components.preprocess.readers.base import Columns, Source
from components.shared.errors import UserError
from components.shared.files import reading
from components.shared.files.secrets import without_secrets

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal["auto", *READERS]


class Files(FilesOfRows):
    """Files of interactions in one format and one layout."""

    what: ClassVar[str] = "your own files, in a format of dataset.format"

    path: str = Field(description="a file or a glob, plain or gzip: a path, gs://, s3://, http(s):// or file://.")
    format: Format = Field("auto", description="Of the files; auto goes by the name.")
    separator: str | None = Field(
        None,
        min_length=1,
        pattern=r'^[^"\r\n]*$',
        description="Between columns, without quotes and ends of lines; by default from the format.",
    )
    header: bool | None = Field(
        None, description="Whether the first line names the columns; by default, yes when columns are given by name."
    )
    user_column: str | int = Field("user", description="Name, or 0-based position, of the column of user ids.")
    item_column: str | int = Field("item", description="Name, or 0-based position, of the column of item ids.")
    timestamp_column: str | int | None = Field(
        "timestamp", description="None: no timestamp, so the held-out items are drawn at random."
    )
    rating_column: str | int | None = Field(None, description="Only needed for preprocess.min_rating.")

    def source(self) -> Source:
        paths = self._paths()
        name, separator = self._format(paths[0])
        columns = Columns(self.user_column, self.item_column, self.timestamp_column, self.rating_column)
        header = separator is None or self._has_header(columns)
        return Source(tuple(paths), name, separator, header, columns, without_secrets(self.path))

    def files_read(self) -> list[str]:
        return [self.path]

    def _paths(self) -> list[str]:
        if paths := reading.match(self.path):
            return paths
        raise UserError(f"dataset.path: {without_secrets(self.path)}: {reading.described_absence(self.path)}")

    def _format(self, path: str) -> tuple[str, str | None]:
        """The format, and the separator where it is delimited text."""
        name = format_of(path) if self.format == "auto" else self.format
        if name is None and self.separator is None:
            *most, last = (reader.endings[0] for reader in READERS.values())
            raise UserError(
                f"dataset.format: {path} does not end in {', '.join(most)} or {last}; say which it is, or its separator"
            )
        name = name or "csv"
        usual = READERS[name].separator
        return name, usual and (self.separator or usual)

    def _has_header(self, columns: Columns) -> bool:
        named = any(isinstance(column, str) for column in vars(columns).values())
        header = named if self.header is None else self.header
        if named and not header:
            raise UserError(
                "dataset.header: without a header, give the columns by 0-based position (dataset.user_column=0)"
            )
        return header
