"""Files of a table that come a part at a time, whole or not at all: Parquet, CSV, JSON lines."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from components.shared.errors import UserError
from components.shared.files.writing import write_atomically

Write = Callable[[pa.Table], None]


@contextlib.contextmanager
def _parquet(file: BinaryIO, schema: pa.Schema) -> Iterator[Write]:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        yield writer.write_table


@contextlib.contextmanager
def _csv(file: BinaryIO, schema: pa.Schema) -> Iterator[Write]:
    with pyarrow.csv.CSVWriter(file, schema) as writer:
        yield writer.write_table


@contextlib.contextmanager
def _json_lines(file: BinaryIO, schema: pa.Schema) -> Iterator[Write]:
    def write(table: pa.Table) -> None:
        lines = table.to_pandas().to_json(orient="records", lines=True, force_ascii=False, double_precision=15)
        file.write(str(lines).encode())

    yield write


FORMS: dict[str, Callable[[BinaryIO, pa.Schema], Any]] = {".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines}


def form_of(output: str) -> Callable[[BinaryIO, pa.Schema], Any]:
    """What writes a file of that name.

    Raises:
      UserError: nothing does.
    """
    for ending, form in FORMS.items():
        if output.lower().endswith(ending):
            return form
    raise UserError(f"--output {output}: a name that ends in {', '.join(FORMS)} is expected")


@contextlib.contextmanager
def written(output: str, schema: pa.Schema) -> Iterator[Write]:
    """Takes the parts of a table, for a file of this machine or of a storage.

    Raises:
      UserError: as `form_of` and `write_atomically`.
    """
    form = form_of(output)
    with write_atomically(output) as file, form(file, schema) as write:
        yield write
