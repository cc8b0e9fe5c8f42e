"""Reads Parquet files, a row group at a time."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.preprocess.readers.base import Columns, Reading, Sample, Source, is_compressed
from components.preprocess.readers.opening import most_bytes, open_bytes
from components.preprocess.readers.table import Faulty, Table, to_rows
from components.preprocess.readers.text.layout import find_places
from components.preprocess.rows import Rows
from components.preprocess.values.texts import is_text
from components.preprocess.values.times import NUMBER, TimeForm, common_unit, form_of, is_temporal
from components.shared.errors import UserError, first_line
from components.shared.files.reading import open_file, size_of

_BATCH_ROWS = 1 << 20
_BATCH_TEXT_BYTES = 1 << 30
"""What the texts of a batch may have; a thousand bytes for each of a million ids are more than any have."""
_SAMPLE_ROWS = 1_000
_SAMPLE_GROUPS = 8


@dataclass(frozen=True)
class ParquetPiece:
    """One row group of a file.

    Attributes:
      path: where the file is.
      group: number of the row group in the file.
      first_row: number of its first row in the file, 0-based.
      columns: names of the columns that count.
      where: names of the columns by whose values rows are wanted, and those values.
      times: how times are written, the same in all files.
      reading: which rows count.
    """

    path: str
    group: int
    first_row: int
    columns: Columns
    where: tuple[tuple[str, tuple[str, ...]], ...]
    times: TimeForm
    reading: Reading

    def read(self) -> Iterator[Rows]:
        """Reads the row group, a million rows at a time.

        Raises:
          UserError: a row lacks a value or has a wrong one, where that is an error; or the file is damaged.
        """
        row = self.first_row
        for batch in _batches(self.path, _open(self.path), _BATCH_ROWS, [self.group], self._names()):
            rows, faulty = self._rows(batch)
            if faulty and self.reading.on_bad_row == "error":
                raise UserError(
                    f"{self.path} row {row + faulty.row + 1}: {faulty.fault}; mend it, or skip such rows with "
                    "dataset.on_bad_row=skip"
                )
            yield replace(rows, file=self.path)
            row += len(batch)

    def _names(self) -> list[str]:
        return list(dict.fromkeys([*self._wanted().values(), *(name for name, _ in self.where)]))

    def _wanted(self) -> dict[str, str]:
        wanted = {what: str(name) for what, name in vars(self.columns).items() if name is not None}
        if self.reading.min_rating is None:
            wanted.pop("rating", None)
        return wanted

    def _rows(self, batch: pa.RecordBatch) -> tuple[Rows, Faulty | None]:
        table = Table(
            {what: batch.column(name) for what, name in self._wanted().items()},
            tuple((batch.column(name), values) for name, values in self.where),
            bad=np.zeros(len(batch), np.bool_),
            times=None if self.columns.timestamp is None else self.times,
            is_declared=True,
        )
        try:
            return to_rows(table, self.reading)
        except UserError as error:
            raise UserError(f"{self.path}: {error}") from None


def plan_parquet(source: Source, reading: Reading) -> list[ParquetPiece]:
    """Lists the row groups of the files.

    Raises:
      UserError: a file is not Parquet, says that it has more than any of its size, lacks a column, or has other times
        than the files before it.
    """
    found = []
    for path in source.paths:
        file = _open(path)
        _refuse_endless(path, file.metadata)
        names = _names_of(path, file)
        places, where = find_places(source, path, names)
        user, item = names[int(places.user)], names[int(places.item)]
        timestamp, rating = (None if at is None else names[int(at)] for at in (places.timestamp, places.rating))
        columns = Columns(user, item, timestamp, rating)
        found.append((path, file, columns, tuple((names[place], values) for place, values in where)))
    times = _common_form([(path, file, columns) for path, file, columns, _ in found], reading)
    pieces = []
    for path, file, columns, conditions in found:
        row = 0
        for group in range(file.metadata.num_row_groups):
            pieces.append(ParquetPiece(path, group, row, columns, conditions, times, reading))
            row += file.metadata.row_group(group).num_rows
    return pieces


def sample_parquet(source: Source) -> Sample:
    """The first rows of each row group of the first file; columns of lists and structures are left out.

    Raises:
      UserError: the file is not Parquet, says that it has more than any of its size, or has no rows.
    """
    file = _open(source.paths[0])
    _refuse_endless(source.paths[0], file.metadata)
    schema = file.schema_arrow
    nested = [name for name in _names_of(source.paths[0], file) if pa.types.is_nested(schema.field(name).type)]
    names = [name for name in schema.names if name not in nested]
    groups = range(min(file.metadata.num_row_groups, _SAMPLE_GROUPS))
    batches = [
        batch
        for group in groups
        for batch in itertools.islice(_batches(source.paths[0], file, _SAMPLE_ROWS, [group], names), 1)
    ]
    if not batches:
        raise UserError(f"{source.name} is empty: there are no interactions to read")
    table = pa.Table.from_batches(batches)
    return Sample({name: table.column(name).combine_chunks() for name in names}, nested=tuple(nested))


def _common_form(files: Sequence[tuple[str, pq.ParquetFile, Columns]], reading: Reading) -> TimeForm:
    """How all files write times: in the finest unit of any, where these are of a temporal type."""
    timed = [(path, file, str(columns.timestamp)) for path, file, columns in files if columns.timestamp is not None]
    if not timed:
        return NUMBER
    kinds = {path: _value_type(file.schema_arrow.field(name).type) for path, file, name in timed}
    temporal = {path: is_temporal(kind) for path, kind in kinds.items()}
    texts = {path: is_text(kind) for path, kind in kinds.items()}
    for marks in (temporal, texts):
        if any(marks.values()) and not all(marks.values()):
            one, other = (next(path for path in marks if marks[path] == mark) for mark in (True, False))
            raise UserError(f"the times of {one} are {kinds[one]}, those of {other} {kinds[other]}: write them alike")
    if any(temporal.values()):
        try:
            return TimeForm("temporal", common_unit(kinds.values()))
        except UserError as error:
            raise UserError(f"{timed[0][0]}: {error}") from None
    if any(texts.values()):
        sample = [str(value) for path, file, name in timed for value in _sample(path, file, name)]
        return form_of(sample, reading.time_format)
    return NUMBER


def _sample(path: str, file: pq.ParquetFile, name: str) -> list[str]:
    batch = next(_batches(path, file, _SAMPLE_ROWS, list(range(file.metadata.num_row_groups)), [name]), None)
    return [] if batch is None else [value for value in batch.column(0).to_pylist() if value is not None]


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _names_of(path: str, file: pq.ParquetFile) -> list[str]:
    names: list[str] = file.schema_arrow.names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path} has several columns called {twice!r}; give them names of their own")
    return names


def _batches(
    path: str, file: pq.ParquetFile, rows: int, groups: Sequence[int], names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    batches = file.iter_batches(rows, row_groups=groups, columns=names)
    while True:
        with _damage_told(path):
            batch = next(batches, None)
            if batch is not None:
                batch.validate(full=True)  # texts that are no UTF-8 among them
        if batch is None:
            return
        yield _written_out(path, batch)


def _written_out(path: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with all texts as such, where it had each one once.

    Raises:
      UserError: they would take more memory than any ids and times do.
    """
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            if is_text(column.type.value_type) and _text_bytes(column) > _BATCH_TEXT_BYTES:
                each = _BATCH_TEXT_BYTES // len(column)
                raise UserError(
                    f"{path} has texts of more than {each:,} bytes a row in column {name!r}, as no file of "
                    "interactions has"
                )
            column = column.dictionary_decode()
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _text_bytes(column: pa.DictionaryArray) -> int:
    lengths = pc.binary_length(column.dictionary)
    return pc.sum(lengths.cast(pa.int64()).take(column.indices)).as_py() or 0


def _refuse_endless(path: str, metadata: pq.FileMetaData) -> None:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    # Rows that are all alike take no bytes; an id takes eight of memory.
    unpacked = sum(max(group.total_byte_size, 8 * group.num_rows) for group in groups)
    if unpacked > most_bytes(path):
        raise UserError(
            f"{path} says that it has {metadata.num_rows:,} rows, {unpacked:,} bytes, in a file of "
            f"{size_of(path):,}, as no file of interactions has; where it is one all the same, write it as CSV"
        )


@contextlib.contextmanager
def _damage_told(path: str) -> Iterator[None]:
    """Says in one line what Arrow makes of damaged pages, which depends on where the damage is."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError, OverflowError) as error:
        raise UserError(f"{path} is damaged ({first_line(error)}); write it again") from error


def _open(path: str) -> pq.ParquetFile:
    """Opens a file, with each distinct text read once: a file may have a long one for millions of rows.

    Raises:
      UserError: it is not Parquet.
    """
    try:
        with _damage_told(path):
            if is_compressed(path):
                with open_bytes(path) as file:
                    source = pa.BufferReader(file.read())
            else:
                source = open_file(path)
            metadata = pq.read_metadata(source)
            texts = [field.name for field in metadata.schema.to_arrow_schema() if is_text(field.type)]
            return pq.ParquetFile(source, metadata=metadata, read_dictionary=texts)
    except UserError as error:
        if not isinstance(error.__cause__, pa.ArrowInvalid):
            raise
        raise UserError(f"{path} is not a whole Parquet file; set dataset.format if it is something else") from error
