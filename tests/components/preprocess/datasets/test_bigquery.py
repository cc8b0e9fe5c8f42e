from collections.abc import Iterator

import grpc
import numpy as np
import pandas as pd
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

from components.preprocess.config import DatasetConfig
from components.preprocess.datasets import bigquery_rows
from components.shared.errors import UserError
from tests.components.preprocess.datasets.bigquery_service import PROJECT, TABLE, BigQueryService, serving
from tests.components.preprocess.tables import expected_splits

COLUMNS = {"user_column": "customer", "item_column": "sku", "timestamp_column": "clicked at"}


def clicks(users: int = 40, rows: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(3)
    count = users * rows
    return pd.DataFrame(
        {
            "customer": np.repeat(np.arange(users) * 11 + 5, rows),
            "sku": [f"sku-{item:03}" for item in random.integers(30, size=count)],
            "clicked at": 1_600_000_000_000_000 + random.permutation(count) * 1_000_000,
            "event": np.where(random.random(count) < 0.7, "purchase", "view"),
        }
    ).sample(frac=1, random_state=1)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQueryService]:
    found = BigQueryService(clicks())
    with serving(found) as (rest, rpc), grpc.insecure_channel(rpc) as channel:
        monkeypatch.setattr(
            bigquery_rows,
            "_client",
            lambda project: bigquery.Client(
                project or PROJECT, AnonymousCredentials(), client_options={"api_endpoint": rest}
            ),
        )
        transport = BigQueryReadGrpcTransport(channel=channel)
        monkeypatch.setattr(bigquery_rows, "_reader", lambda: BigQueryReadClient(transport=transport))
        yield found


def test_a_table_is_split_as_pandas_splits_it(prepare, service):
    out = prepare(kind="bigquery", table=TABLE, **COLUMNS)
    table = service.rows.rename(columns={"customer": "user", "sku": "item", "clicked at": "timestamp"})
    for split, rows in expected_splits(table, 1).items():
        assert sorted(out.raw(split)) == sorted(rows)
    assert service.asked == [
        f"SELECT `customer` AS `user`, `sku` AS `item`, `clicked at` AS `timestamp` FROM `{TABLE}`"
    ]
    assert out.summary.dataset == TABLE


def test_a_query_chooses_rows(prepare, service):
    out = prepare(kind="bigquery", query=f"SELECT * FROM `{TABLE}` WHERE event = 'purchase' -- bought", **COLUMNS)
    bought = service.rows[service.rows["event"] == "purchase"]
    table = bought.rename(columns={"customer": "user", "sku": "item", "clicked at": "timestamp"})
    for split, rows in expected_splits(table, 1).items():
        assert sorted(out.raw(split)) == sorted(rows)


def test_the_same_rows_in_other_streams_give_the_same_bytes(prepare, service):
    service.rows = service.rows.assign(**{"clicked at": service.rows["clicked at"] // 10**8 * 10**8})  # ties
    one = prepare(kind="bigquery", table=TABLE, **COLUMNS).files()
    service.streams, service.rows_per_message = 5, 100
    service.rows = service.rows.sample(frac=1, random_state=9)
    other = prepare(kind="bigquery", table=TABLE, **COLUMNS).files()
    assert one == other


def test_a_table_without_times_has_drawn_holdouts(prepare, service):
    out = prepare(kind="bigquery", table=TABLE, **{**COLUMNS, "timestamp_column": None})
    assert len(out.rows("test")) == 40
    assert "timestamp" not in service.asked[0]


def test_a_changed_table_is_read_again(service):
    config = DatasetConfig(kind="bigquery", table=TABLE, **COLUMNS)
    before = config.chosen.fingerprint()
    assert config.chosen.fingerprint() == before
    service.etag = "2"
    assert config.chosen.fingerprint() != before
    assert service.asked == []  # nothing is paid for looking


def test_bad_rows_are_told_or_skipped(prepare, service):
    service.rows = pd.concat([service.rows, pd.DataFrame({"customer": [5], "sku": [None], "clicked at": [1]})])
    with pytest.raises(UserError, match=rf"^{TABLE}: empty item id; leave such rows out by a dataset\.query"):
        prepare(kind="bigquery", table=TABLE, **COLUMNS)
    assert prepare(kind="bigquery", table=TABLE, on_bad_row="skip", **COLUMNS).summary.dropped.bad_rows == 1


def test_what_bigquery_refuses_is_one_line(prepare, service):
    with pytest.raises(UserError, match=rf"^{TABLE}: BigQuery answers: 400 .*no such column: colour"):
        prepare(kind="bigquery", table=TABLE, **{**COLUMNS, "item_column": "colour"})
    with pytest.raises(UserError, match=r"^a query of BigQuery is empty"):
        prepare(kind="bigquery", query=f"SELECT * FROM `{TABLE}` WHERE event = 'none'", **COLUMNS)


def test_without_credentials_there_is_one_line(prepare, monkeypatch):
    def default(*arguments: object, **options: object) -> None:
        raise DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.setattr("google.auth.default", default)
    with pytest.raises(UserError, match=r"there are no credentials that BigQuery takes .*gcloud auth"):
        prepare(kind="bigquery", table=TABLE)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"kind": "bigquery"}, "needs dataset.table or dataset.query"),
        ({"kind": "bigquery", "table": TABLE, "query": "SELECT 1"}, "needs dataset.table or dataset.query"),
        ({"kind": "files", "path": "a.csv", "table": TABLE}, "dataset.table is given, and dataset.kind is files"),
        ({"kind": "bigquery", "table": "clicks"}, "should match pattern"),
    ],
)
def test_what_belongs_together_is_refused_apart(keys, fault):
    with pytest.raises(ValueError, match=fault):
        DatasetConfig(**keys)


def test_columns_have_names(prepare, service):
    with pytest.raises(UserError, match=r"^dataset\.user_column: 0 is no name of a column of BigQuery$"):
        prepare(kind="bigquery", table=TABLE, user_column=0)
