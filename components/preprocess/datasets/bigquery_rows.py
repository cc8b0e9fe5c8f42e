"""Has BigQuery run a query, and reads its result in streams.

The result is a table of its own, which does not change for a day: both passes over the rows read the same. Which stream
has which rows, and in what order, is BigQuery's to say.
"""

import contextlib
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient
from google.cloud.bigquery_storage_v1.types import DataFormat, ReadSession

from components.preprocess.readers.base import Reading
from components.preprocess.readers.table import Table, to_rows
from components.preprocess.rows import Rows
from components.preprocess.values.texts import is_text
from components.preprocess.values.times import ISO, NUMBER, TimeForm, common_unit, is_temporal
from components.shared.errors import UserError, first_line

_BATCH_ROWS = 1 << 18


@dataclass(frozen=True)
class StreamPiece:
    """One stream of a result.

    Attributes:
      name: what messages call the data set.
      stream: the stream's name, by which any worker can read it for some hours.
      schema: of its rows, as Arrow serialises it.
      times: how times are written; None where there are none.
      reading: which rows count.
    """

    name: str
    stream: str
    schema: bytes
    times: TimeForm | None
    reading: Reading

    def read(self) -> Iterator[Rows]:
        """Reads the stream, some hundred thousand rows at a time.

        Raises:
          UserError: a row lacks a value or has a wrong one, where that is an error; or BigQuery refuses.
        """
        schema = pa.ipc.read_schema(pa.py_buffer(self.schema))
        for batch in _in_large_batches(self._batches(schema)):
            rows, faulty = to_rows(self._table(batch), self.reading)
            if faulty and self.reading.on_bad_row == "error":
                raise UserError(
                    f"{self.name}: {faulty.fault}; leave such rows out by a dataset.query, or skip them with "
                    "dataset.on_bad_row=skip"
                )
            yield replace(rows, file=self.name)

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with _told(self.name):
            for response in _reader().read_rows(self.stream):  # type: ignore[no-untyped-call]
                yield pa.ipc.read_record_batch(
                    pa.py_buffer(response.arrow_record_batch.serialized_record_batch), schema
                )

    def _table(self, batch: pa.RecordBatch) -> Table:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        return Table(columns, (), np.zeros(len(batch), np.bool_), self.times, is_declared=True)


def plan(sql: str, project: str | None, name: str, reading: Reading) -> list[StreamPiece]:
    """Runs the query, and lists the streams of its result.

    Args:
      sql: gives the columns user and item, and timestamp where there are times.
      project: pays for it; None: that of the credentials.
      name: what messages call the data set.
      reading: which rows count.

    Raises:
      UserError: BigQuery refuses, the query is wrong, gives no rows, or times of a type that is none.
    """
    with _told(name):
        client = _client(project)
        job = client.query(sql)
        job.result()
        session = _reader().create_read_session(
            parent=f"projects/{client.project}",
            read_session=ReadSession(table=job.destination.to_bqstorage(), data_format=DataFormat.ARROW),
        )
    if not session.streams:
        raise UserError(f"{name} is empty: there are no interactions to read")
    schema = session.arrow_schema.serialized_schema
    times = _form(pa.ipc.read_schema(pa.py_buffer(schema)), reading)
    return [StreamPiece(name, stream.name, schema, times, reading) for stream in session.streams]


def fingerprint(sql: str, project: str | None, name: str) -> str:
    """A digest of the query and of the states of the tables that it reads; nothing is paid for it.

    Raises:
      UserError: BigQuery refuses, or the query is wrong.
    """
    with _told(name):
        client = _client(project)
        asked = client.query(sql, job_config=bigquery.QueryJobConfig(dry_run=True, use_query_cache=False))
        tables = [client.get_table(table) for table in asked.referenced_tables]
    states = sorted(f"{table.full_table_id} {table.etag} {table.modified}" for table in tables)
    return hashlib.sha256("\n".join([sql, *states]).encode()).hexdigest()


def _form(schema: pa.Schema, reading: Reading) -> TimeForm | None:
    if "timestamp" not in schema.names:
        return None
    kind = schema.field("timestamp").type
    if is_temporal(kind):
        return TimeForm("temporal", common_unit([kind]))
    if not is_text(kind):
        return NUMBER
    if reading.time_format == "auto":
        return ISO
    return NUMBER if reading.time_format == "number" else TimeForm("pattern", "us", reading.time_format)


def _in_large_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of all batches in their order, in batches that arrays are worth while for."""
    held: list[pa.RecordBatch] = []
    for batch in itertools.chain(batches, [None]):
        held += [batch] if batch is not None else []
        if held and (batch is None or sum(map(len, held)) >= _BATCH_ROWS):
            yield from pa.Table.from_batches(held).combine_chunks().to_batches()
            held = []


def _client(project: str | None) -> bigquery.Client:
    return bigquery.Client(project)


def _reader() -> BigQueryReadClient:
    return BigQueryReadClient()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except GoogleAuthError as error:
        raise UserError(
            f"{name}: there are no credentials that BigQuery takes ({first_line(error)}); run `gcloud auth "
            "application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key"
        ) from error
    except OSError as error:  # no network, no project
        raise UserError(f"{name}: BigQuery cannot be asked: {first_line(error)}") from error
    except GoogleAPIError as error:
        raise UserError(f"{name}: BigQuery answers: {first_line(error)}") from error
