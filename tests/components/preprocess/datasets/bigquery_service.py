"""BigQuery on loopback: its REST API and its storage read API, with Google's own messages. SQLite runs the queries."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pandas as pd
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types

from tests import loopback
from tests.loopback import QuietHandler

PROJECT, TABLE = "shop", "shop.events.clicks"
_METHODS = "google.cloud.bigquery.storage.v1.BigQueryRead"


class BigQueryService:
    """Tables, the queries that were asked of them, and their results.

    Attributes:
      rows: the table `TABLE`; times are integers of microseconds.
      etag: of the table, which changes with it.
      streams: in how many streams a result is read.
      rows_per_message: of a stream.
      asked: the queries that were run.
    """

    def __init__(self, rows: pd.DataFrame):
        self.rows, self.etag, self.streams, self.rows_per_message = rows, "1", 3, 7
        self.asked: list[str] = []
        self.result = pa.table({})

    def run(self, sql: str) -> pa.Table:
        with contextlib.closing(sqlite3.connect(":memory:")) as store:
            self.rows.to_sql(TABLE, store, index=False)
            found = pa.Table.from_pandas(pd.read_sql_query(sql, store), preserve_index=False)
        if "timestamp" not in found.schema.names:
            return found
        place = found.schema.get_field_index("timestamp")
        return found.set_column(place, "timestamp", found["timestamp"].cast(pa.timestamp("us", "UTC")))

    def insert_job(self, job: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        query = job["configuration"]["query"]["query"]
        dry = job["configuration"].get("dryRun", False)
        try:
            result = self.run(query)
        except Exception as error:
            return 400, {
                "error": {"code": 400, "message": f"Syntax error: {error}", "errors": [{"reason": "invalidQuery"}]}
            }
        if not dry:
            self.asked.append(query)
            self.result = result
        project, dataset, table = TABLE.split(".")
        referenced = {"projectId": project, "datasetId": dataset, "tableId": table}
        destination = {"projectId": project, "datasetId": "_anonymous", "tableId": "result"}
        job["configuration"]["query"]["destinationTable"] = destination
        statistics = {"query": {"referencedTables": [referenced], "statementType": "SELECT"}}
        return 200, {**job, "status": {"state": "DONE"}, "statistics": statistics}

    def table(self) -> dict[str, Any]:
        project, dataset, table = TABLE.split(".")
        reference = {"projectId": project, "datasetId": dataset, "tableId": table}
        return {"id": f"{project}:{dataset}.{table}", "tableReference": reference, "etag": self.etag}

    def create_read_session(
        self, request: types.CreateReadSessionRequest, context: grpc.ServicerContext
    ) -> types.ReadSession:
        assert request.read_session.table == f"projects/{PROJECT}/datasets/_anonymous/tables/result"
        assert request.read_session.data_format == types.DataFormat.ARROW
        schema = types.ArrowSchema(serialized_schema=self.result.schema.serialize().to_pybytes())
        count = self.streams if len(self.result) else 0
        return types.ReadSession(
            arrow_schema=schema, streams=[types.ReadStream(name=f"streams/{number}") for number in range(count)]
        )

    def read_rows(
        self, request: types.ReadRowsRequest, context: grpc.ServicerContext
    ) -> Iterator[types.ReadRowsResponse]:
        number = int(request.read_stream.rpartition("/")[2])
        mine = self.result.take(list(range(number, len(self.result), self.streams))).combine_chunks()
        for batch in mine.to_batches(max_chunksize=self.rows_per_message):
            message = types.ArrowRecordBatch(serialized_record_batch=batch.serialize().to_pybytes())
            yield types.ReadRowsResponse(arrow_record_batch=message, row_count=len(batch))


@contextlib.contextmanager
def serving(service: BigQueryService) -> Iterator[tuple[str, str]]:
    """The addresses of the REST API and of the storage read API."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(*service.insert_job(body))

        def do_GET(self) -> None:  # noqa: N802
            if "/queries/" in self.path:
                self._answer(200, {"jobComplete": True, "totalRows": "0", "schema": {"fields": []}})
            else:
                self._answer(200, service.table())

        def _answer(self, status: int, found: dict[str, Any]) -> None:
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    rpc = grpc.server(futures.ThreadPoolExecutor(4))
    handlers = {
        "CreateReadSession": grpc.unary_unary_rpc_method_handler(
            service.create_read_session, types.CreateReadSessionRequest.deserialize, types.ReadSession.serialize
        ),
        "ReadRows": grpc.unary_stream_rpc_method_handler(
            service.read_rows, types.ReadRowsRequest.deserialize, types.ReadRowsResponse.serialize
        ),
    }
    rpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_METHODS, handlers),))
    port = rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
    try:
        with loopback.serving(Handler) as address:
            yield address, f"127.0.0.1:{port}"
    finally:
        rpc.stop(None).wait()
