"""Finds the files of titles and how they are laid out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.preprocess import readers
from components.preprocess.readers.base import Columns, IdType, Piece, Reading, Source
from components.preprocess.readers.opening import is_unicode
from components.preprocess.titles.config import TitlesConfig
from components.shared.errors import UserError
from components.shared.files import reading
from components.shared.files.secrets import without_secrets

_NOT_UTF8 = "latin-1"


@dataclass(frozen=True)
class Titles:
    """Files of titles, read as any file of rows: what is a user there is a title here.

    Attributes:
      pieces: the parts of the files, in their order.
      id_type: of the ids of the interactions, which the items' are compared with.
      encoding: that they are read in because they are not UTF-8; None where that was no guess.
    """

    pieces: Sequence[Piece]
    id_type: IdType
    encoding: str | None = None


def find_titles(config: TitlesConfig, id_type: IdType, encoding: str | None) -> Titles:
    """Finds the files that a configuration names.

    Args:
      config: the files and their columns.
      id_type: of the ids of the interactions.
      encoding: of the interactions, which is that of the titles too; None: UTF-8, or UTF-16 where it is marked so, or
        else latin-1.

    Raises:
      UserError: they are not there, or lack a column.
    """
    name = f"dataset.titles.path: {without_secrets(config.path)}"
    paths = reading.match(config.path)
    if not paths:
        raise UserError(f"{name}: {reading.described_absence(config.path)}")
    named = any(isinstance(column, str) for column in (config.id, config.title))
    source = Source(
        tuple(paths),
        readers.format_of(paths[0]) or "csv",
        separator=None,
        header=True if named else None,
        columns=Columns(user=config.title, item=config.id),
        name=name,
        encoding=encoding,
        keys=("titles.title", "titles.id"),
    )
    return titles_in(source, id_type)


def titles_in(source: Source, id_type: IdType) -> Titles:
    """Titles in files of a known layout.

    Raises:
      UserError: a file cannot be read, or lacks a column.
    """
    guessed = None
    if source.encoding is None and source.format != "parquet" and not all(map(is_unicode, source.paths)):
        guessed = _NOT_UTF8
        source = replace(source, encoding=guessed)
    # Ids as they are written: how they compare with those of the interactions is known when these are read.
    return Titles(readers.plan(source, Reading("string", on_bad_row="skip")), id_type, guessed)
