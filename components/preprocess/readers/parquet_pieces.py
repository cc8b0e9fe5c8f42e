"""Reads Parquet files, a row group at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.preprocess.readers.base import Columns, Reading, Source
from components.preprocess.readers.text_layout import missing_column
from components.preprocess.rows import Rows, as_ids
from components.shared.errors import UserError
from components.shared.files.reading import open_file

_BATCH_ROWS = 1 << 20


@dataclass(frozen=True)
class ParquetPiece:
    """One row group of a file.

    Attributes:
      path: where the file is.
      group: number of the row group in the file.
      first_row: number of its first row in the file, 0-based.
      columns: names of the columns that count.
      types: Arrow type of the ids, by column name.
      reading: which rows count.
    """

    path: str
    group: int
    first_row: int
    columns: Columns
    types: dict[str, pa.DataType]
    reading: Reading

    def read(self) -> Iterator[Rows]:
        """Reads the row group, a million rows at a time.

        Raises:
          UserError: a row lacks a value or has a wrong one, where that is an error.
        """
        row = self.first_row
        for batch in _open(self.path).iter_batches(_BATCH_ROWS, row_groups=[self.group], columns=self._names()):
            yield _clean(self._table(batch), row, self)
            row += len(batch)

    def _names(self) -> list[str]:
        return [str(name) for name in vars(self.columns).values() if name is not None]

    def _table(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The columns that count, ids in the types they should have and numbers as int64 or float64."""
        columns = self.columns
        table = {
            str(name): _ids(batch.column(name), self.types[str(name)], self) for name in (columns.user, columns.item)
        }
        if columns.timestamp is not None:
            table[str(columns.timestamp)] = _numbers(batch.column(columns.timestamp), "timestamp", self)
        if columns.rating is not None and self.reading.min_rating is not None:
            table[str(columns.rating)] = _numbers(batch.column(columns.rating), "rating", self)
        return table


def plan_parquet(source: Source, reading: Reading) -> list[ParquetPiece]:
    """Lists the row groups of the files.

    Raises:
      UserError: a file is not Parquet, or lacks a column.
    """
    pieces = []
    for path in source.paths:
        file = _open(path)
        schema = file.schema_arrow
        names = {what: _name(what, column, path, schema) for what, column in vars(source.columns).items()}
        columns = replace(source.columns, **names)  # type: ignore[arg-type]
        row = 0
        for group in range(file.metadata.num_row_groups):
            pieces.append(ParquetPiece(path, group, row, columns, {}, reading))
            row += file.metadata.row_group(group).num_rows
    return [replace(piece, types=types) for piece, types in _with_types(pieces, reading)]


def _clean(table: dict[str, pa.Array], row: int, piece: ParquetPiece) -> Rows:
    columns, reading = piece.columns, piece.reading
    good = np.ones(len(table[str(columns.user)]), bool)
    for what, name in vars(columns).items():
        if name in table:
            missing = _missing(table[name])
            if missing.any() and reading.on_bad_row == "error":
                thing = f"{what} id" if what in ("user", "item") else what
                raise UserError(
                    f"{piece.path} row {row + int(missing.argmax()) + 1}: empty {thing}"
                    "; mend it, or skip such rows with dataset.on_bad_row=skip"
                )
            good &= ~missing
    bad = len(good) - int(good.sum())
    if columns.rating in table and reading.min_rating is not None:
        good &= pc.fill_null(pc.greater_equal(table[columns.rating], reading.min_rating), False).to_numpy(False)
    below = len(good) - int(good.sum()) - bad
    if not good.all():
        table = {name: column.filter(pa.array(good)) for name, column in table.items()}
    times = None if columns.timestamp is None else table[str(columns.timestamp)].to_numpy(zero_copy_only=False)
    return Rows(as_ids(table[str(columns.user)]), as_ids(table[str(columns.item)]), times, bad, below)


def _missing(column: pa.Array) -> npt.NDArray[np.bool_]:
    missing: npt.NDArray[np.bool_] = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    if pa.types.is_string(column.type):
        missing = missing | pc.fill_null(pc.equal(pc.binary_length(column), 0), True).to_numpy(zero_copy_only=False)
    if pa.types.is_floating(column.type):
        missing = missing | ~pc.fill_null(pc.is_finite(column), False).to_numpy(zero_copy_only=False)
    return missing


def _open(path: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(open_file(path))
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is not a whole Parquet file; set dataset.format if it is something else") from error


def _name(what: str, column: str | int | None, path: str, schema: pa.Schema) -> str | None:
    if column is None:
        return None
    if isinstance(column, int) and 0 <= column < len(schema.names):
        return str(schema.names[column])
    if column not in schema.names:
        raise UserError(missing_column(what, str(column), path, schema.names))
    return str(column)


def _with_types(pieces: list[ParquetPiece], reading: Reading) -> Iterator[tuple[ParquetPiece, dict[str, pa.DataType]]]:
    """Each piece with the types of its ids: strings in all files as soon as they are so in one."""
    schemas = {path: _open(path).schema_arrow for path in {piece.path for piece in pieces}}
    textual = {
        what: reading.id_type == "string"
        or any(_is_text(schemas[piece.path].field(getattr(piece.columns, what)).type) for piece in pieces)
        for what in ("user", "item")
    }
    for piece in pieces:
        yield (
            piece,
            {getattr(piece.columns, what): pa.string() if text else pa.int64() for what, text in textual.items()},
        )


def _is_text(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value))


def _ids(column: pa.Array, kind: pa.DataType, piece: ParquetPiece) -> pa.Array:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(f"{piece.path}: ids of type {column.type} cannot be read as {kind} ({error})") from error


def _numbers(column: pa.Array, what: str, piece: ParquetPiece) -> pa.Array:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return (column.cast(pa.int32()) if pa.types.is_date32(kind) else column).cast(pa.int64())
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    raise UserError(f"{piece.path}: the {what} is {kind}, not a number")
