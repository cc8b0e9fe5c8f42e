from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.artifacts.interactions import read_by_user, read_split


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Two shards, of users 0 to 1 and 2 to 3, whose rows are in the order of time; there is no validation split."""
    rows = {
        "train": [([1, 0, 1], [5, 6, 7]), ([3, 3], [8, 5])],
        "test": [([1], [9]), ([2], [4])],
    }
    for split, shards in rows.items():
        for shard, (users, items) in enumerate(shards):
            path = tmp_path / f"Split-{split}" / f"shard-{shard:05d}-of-00002.parquet"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(pa.table({"user": pa.array(users, pa.int32()), "item": pa.array(items, pa.int32())}), path)
    return str(tmp_path)


def test_a_split_comes_in_the_order_of_its_files(uri: str) -> None:
    users, items = read_split(uri, "train")
    assert (users.tolist(), items.tolist()) == ([1, 0, 1, 3, 3], [5, 6, 7, 8, 5])
    assert users.dtype == items.dtype == np.int32


def test_a_split_that_is_not_there_is_empty(uri: str) -> None:
    users, items = read_split(uri, "validation")
    assert len(users) == len(items) == 0


def test_users_ascend_and_their_latest_items_come_last(uri: str) -> None:
    shards = [(users.tolist(), items.tolist()) for users, items in read_by_user(uri, ("train", "validation", "test"))]
    assert shards == [([0, 1, 1, 1], [6, 5, 7, 9]), ([2, 3, 3], [4, 8, 5])]
