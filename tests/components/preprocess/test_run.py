import gzip
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.artifacts.interactions_summary import Absent, Dropped, MixedIds, ShardSummary
from components.preprocess import outcome
from components.preprocess.datasets import base
from components.preprocess.readers.base import Reading
from components.shared.errors import UserError
from tests.components.preprocess.tables import expected_splits, random_table

TINY = """user,item,rating,timestamp
30,500,4,10
30,100,4,10
30,900,5,30
30,100,1,20
10,900,5,3
10,100,3,2
10,500,2,1
10,700,5,3
20,800,5,1
20,800,5,9
20,100,5,2
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.csv"
    path.write_text(TINY)
    return path


def test_exact_result_on_a_tiny_table(prepare, tiny):
    out = prepare(tiny, min_interactions=3)
    # User 20 has two distinct items; (30, 100) counts at its latest time; of ties, the later line is the later row.
    assert out.ids("users") == [10, 30]
    assert out.ids("items") == [100, 500, 700, 900]
    assert out.rows("train") == [(0, 1), (0, 0), (1, 1)]
    assert out.rows("validation") == [(0, 3), (1, 0)]
    assert out.rows("test") == [(0, 2), (1, 3)]
    assert out.counts("users") == [2, 1]
    assert out.counts("items") == [1, 2, 0, 0]
    summary = out.summary
    assert summary.rows_read == 11
    assert summary.dropped == Dropped(duplicates=2, below_min_interactions=2)
    assert summary.absent == Absent(users=1, items=1)
    assert summary.interactions == {"train": 3, "validation": 2, "test": 2}
    assert (summary.users, summary.items, summary.holdout, summary.timed) == (2, 4, "last", True)
    assert summary.tied_users == 1
    assert summary.density == pytest.approx(7 / 8)
    assert summary.shards == (ShardSummary(first_user=0, users=2, train=3, validation=2, test=2),)


def test_file_schema(prepare, tiny):
    out = prepare(tiny, min_interactions=3)
    shard = pq.read_schema(out.folder / "interactions/Split-train/shard-00000-of-00001.parquet")
    assert (shard.names, shard.types) == (["user", "item"], [pa.int32(), pa.int32()])
    users = pq.read_schema(out.folder / "vocabulary/users.parquet")
    assert (users.names, users.types) == (["id", "index", "count"], [pa.int64(), pa.int32(), pa.int64()])
    own = json.loads((out.folder / "vocabulary/summary.json").read_text())
    assert (own["users"], own["items"]) == (2, 4)


def test_without_validation(prepare, tiny):
    out = prepare(tiny, min_interactions=3, validation=False)
    assert out.rows("train") == [(0, 1), (0, 0), (0, 3), (1, 1), (1, 0)]
    assert "validation" not in out.summary.interactions
    assert not (out.folder / "interactions" / "Split-validation").exists()


def test_minimum_rating_comes_before_the_other_filters(prepare, tiny):
    out = prepare(tiny, min_rating=4, rating_column="rating", min_interactions=2)
    assert out.summary.dropped == Dropped(below_min_rating=3, duplicates=1)
    assert out.raw("test") == [(10, 700), (20, 800), (30, 900)]


@pytest.mark.parametrize("ties", ["file", "item"])
@pytest.mark.parametrize("order", ["shuffled", "by user"])
def test_agrees_with_pandas(prepare, tmp_path, order, ties):
    table = random_table()
    if order == "by user":
        table = table.sort_values(["user", "item"])
    table.to_csv(tmp_path / "table.csv", index=False)
    out = prepare(tmp_path / "table.csv", min_interactions=25, rows_per_shard=1_000, ties=ties)
    for split, rows in expected_splits(table, 25, ties=ties).items():
        assert out.raw(split) == rows
    assert out.summary.dropped.below_min_interactions > 0
    assert len(out.summary.shards) > 2


def test_shards_hold_whole_users_and_equal_ranges_in_every_split(prepare, tmp_path):
    random_table().to_csv(tmp_path / "table.csv", index=False)
    out = prepare(tmp_path / "table.csv", min_interactions=25, rows_per_shard=1_000)
    shards = out.summary.shards
    assert [b.first_user - a.first_user for a, b in pairwise(shards)] == [s.users for s in shards[:-1]]
    for split in ("train", "validation", "test"):
        for number, shard in enumerate(shards):
            name = f"interactions/Split-{split}/shard-{number:05d}-of-{len(shards):05d}.parquet"
            users = pq.read_table(out.folder / name)["user"].to_numpy()
            assert len(users) == shard.rows[split]
            assert users.min() >= shard.first_user
            assert users.max() < shard.first_user + shard.users


def test_a_shard_without_users_is_a_file(prepare, tmp_path):
    # All of user 2's rows are one pair.
    rows = [(1, item) for item in range(1000)] + [(2, 7)] * 1000
    (tmp_path / "rows.csv").write_text("user,item\n" + "".join(f"{u},{i}\n" for u, i in rows))
    out = prepare(tmp_path / "rows.csv", timestamp_column=None, min_interactions=20, rows_per_shard=1_000)
    assert [shard.users for shard in out.summary.shards] == [1, 0]
    assert pq.read_table(out.folder / "interactions/Split-train/shard-00001-of-00002.parquet").num_rows == 0


def test_string_ids_are_ordered_as_text(prepare, tmp_path):
    table = random_table()
    table["user"] = "u" + table["user"].astype(str)
    table["item"] = ["é" * (item % 3) + f'"{item}"' for item in table["item"]]
    table.to_csv(tmp_path / "table.csv", index=False)
    out = prepare(tmp_path / "table.csv", min_interactions=25, rows_per_shard=1_000)
    assert out.ids("users") == sorted(out.ids("users"))
    assert out.ids("items") == sorted(out.ids("items"))
    for split, rows in expected_splits(table, 25).items():
        assert sorted(out.raw(split)) == sorted(rows)
    assert pq.read_schema(out.folder / "vocabulary/items.parquet").field("id").type == pa.string()


def test_id_type_string_keeps_leading_zeros(prepare, tmp_path):
    (tmp_path / "rows.csv").write_text("user,item,timestamp\n007,1,1\n007,2,2\n007,3,3\n7,1,1\n")
    assert prepare(tmp_path / "rows.csv", id_type="string").ids("users") == ["007", "7"]


@pytest.mark.parametrize("scale", [1, 1_000_000_000_000, 0.25, -0.5])
def test_timestamps_of_any_size(prepare, tmp_path, scale):
    table = random_table()
    table["timestamp"] = (table["timestamp"] - 1_000_000) * scale
    table.to_csv(tmp_path / "table.csv", index=False)
    out = prepare(tmp_path / "table.csv", min_interactions=25)
    assert out.raw("train") == expected_splits(table, 25)["train"]


def test_ids_of_any_size(prepare, tmp_path):
    table = random_table()
    table["user"] = table["user"] * 10**15
    table["item"] = table["item"] - 2**60
    table.to_csv(tmp_path / "table.csv", index=False)
    out = prepare(tmp_path / "table.csv", min_interactions=25)
    assert out.raw("train") == expected_splits(table, 25)["train"]


def test_without_timestamps_the_held_out_items_are_drawn(prepare, tmp_path):
    table = random_table().drop_duplicates(["user", "item"])
    table.to_csv(tmp_path / "table.csv", index=False)
    table.sample(frac=1, random_state=1).to_csv(tmp_path / "shuffled.csv", index=False)
    out = prepare(tmp_path / "table.csv", timestamp_column=None)
    assert (out.summary.holdout, out.summary.timed, out.summary.tied_users) == ("random", False, 0)
    assert out.rows("train") == sorted(out.rows("train"))
    everything = [pair for split in ("train", "validation", "test") for pair in out.raw(split)]
    assert sorted(everything) == sorted(zip(table["user"], table["item"], strict=True))
    assert len(out.rows("test")) == len(out.rows("validation")) == out.summary.users

    # Neither the order of the rows nor the cut into shards changes the draw; the seed does.
    other = prepare(tmp_path / "shuffled.csv", timestamp_column=None, rows_per_shard=1_000)
    assert other.rows("test") == out.rows("test")
    assert prepare(tmp_path / "table.csv", timestamp_column=None, seed=2).rows("test") != out.rows("test")

    # Places of the drawn items among each user's are uniform: their mean is a half, with deviation 1/sqrt(12 n).
    places = []
    for user, rows in table.groupby("user"):
        items = sorted(rows["item"])
        places += [items.index(dict(out.raw(split))[user]) / (len(items) - 1) for split in ("test", "validation")]
    assert np.mean(places) == pytest.approx(0.5, abs=4 / np.sqrt(12 * len(places)))


@pytest.mark.parametrize("layout", ["csv.gz", "tsv", "parquet", "glob", "positions", "dat", "crlf", "marked"])
def test_every_layout_gives_the_same(prepare, tmp_path, layout):
    table = random_table()
    table.to_csv(tmp_path / "table.csv", index=False)
    options, path = {}, tmp_path / f"other.{layout}"
    if layout == "csv.gz":
        path.write_bytes(gzip.compress((tmp_path / "table.csv").read_bytes()))
    elif layout == "tsv":
        table.to_csv(path, index=False, sep="\t")
    elif layout == "parquet":
        pq.write_table(pa.Table.from_pandas(table), path, row_group_size=1_000)
    elif layout == "glob":
        table[:2_000].to_csv(tmp_path / "part-1.csv", index=False)
        table[2_000:].iloc[:, ::-1].to_csv(tmp_path / "part-2.csv", index=False)
        path = tmp_path / "part-*.csv"
    elif layout == "crlf":
        table.to_csv(path, index=False, lineterminator="\r\n")
        options = {"format": "csv"}
    elif layout == "marked":
        table.to_csv(path, index=False, encoding="utf-8-sig")
        options = {"format": "csv"}
    else:
        separator = "::" if layout == "dat" else ","
        path.write_text("\n".join(separator.join(map(str, row)) for row in table.itertuples(index=False)))
        options = {"user_column": 0, "item_column": 1, "timestamp_column": 3, "separator": separator}
    expected = prepare(tmp_path / "table.csv", min_interactions=25, rows_per_shard=1_000).summary
    summary = prepare(path, min_interactions=25, rows_per_shard=1_000, **options).summary
    assert replace(summary, dataset="") == replace(expected, dataset="")


@pytest.mark.parametrize(
    "flags",
    [(), ("--direct_running_mode=multi_processing", "--direct_num_workers=2")],
    ids=["in_memory", "multi_processing"],
)
def test_same_bytes_for_every_runner_and_block_size(prepare, tmp_path, monkeypatch, flags):
    random_table().to_csv(tmp_path / "table.csv", index=False)
    expected = prepare(tmp_path / "table.csv", min_interactions=25, rows_per_shard=1_000).files()
    small = Reading(piece_bytes=7_001, block_bytes=1_003)
    monkeypatch.setattr(base, "Reading", lambda *arguments, **options: small)
    assert prepare(tmp_path / "table.csv", min_interactions=25, rows_per_shard=1_000, flags=flags).files() == expected


def test_a_minimum_rating_needs_its_column(prepare, tiny):
    with pytest.raises(UserError, match=r"dataset\.rating_column"):
        prepare(tiny, min_rating=4)


def test_synthetic(prepare):
    options = {"synthetic_users": 200, "synthetic_items": 100, "synthetic_interactions": 5_000}
    out = prepare(kind="synthetic", min_interactions=20, **options)
    assert out.summary.rows_read == 5_000
    assert 0.1 < out.summary.best_possible_hr["99"] <= 1
    assert prepare(kind="synthetic", min_interactions=20, rows_per_shard=1_000, **options).raw("test") == out.raw(
        "test"
    )


def test_ncf_layout(prepare, shared_data):
    out = prepare(kind="ncf", path=str(shared_data / "ml-1m-ncf"))
    summary = out.summary
    assert (summary.users, summary.items, summary.holdout) == (6_040, 3_706, "given")
    assert summary.interactions == {"train": 994_169 - 6_040, "validation": 6_040, "test": 6_040}
    given = pq.read_table(out.folder / "interactions" / "given_negatives.parquet")
    assert given.schema.types == [pa.int32(), pa.list_(pa.int32())]
    assert given.num_rows == 6_040


def test_ids_of_another_type_in_another_file_are_told(prepare, tmp_path):
    rows = [f"{user},{item},{item}" for user in range(5) for item in range(5)]
    (tmp_path / "a.csv").write_text("\n".join(["user,item,timestamp", *rows]))
    (tmp_path / "b.csv").write_text("user,item,timestamp\nu7,1,9\n3,9,9\n")
    (tmp_path / "c.csv").write_text("user,item,timestamp\n3,10,9\n")
    found = prepare(tmp_path / "*.csv")
    first, second = str(tmp_path / "a.csv"), str(tmp_path / "b.csv")
    mixed = MixedIds(number_files=2, number_file=first, text_files=1, text_file=second)
    assert found.summary.mixed_ids == {"user": mixed}
    assert found.ids("users") == ["0", "1", "2", "3", "4", "u7"]
    assert prepare(tmp_path / "[ac].csv").summary.mixed_ids is None
    assert outcome.describe_mixed_ids("user", mixed) == (
        f"user ids are whole numbers in 2 files ({first}, ...) and texts in 1 ({second}): all are taken as texts, and "
        "are one where they are written the same"
    )
