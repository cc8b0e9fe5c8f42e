import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.artifacts.interactions import Interactions, remove_interactions, write_given_negatives
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.splits import Split
from components.shared.errors import UserError
from tests.components.artifacts.handmade import write_interactions

ROWS: dict[Split, list[tuple[int, int]]] = {
    "train": [(1, 5), (0, 6), (1, 7), (3, 8), (3, 5)],
    "test": [(1, 9), (2, 4)],
}


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Two shards, of users 0 to 1 and 2 to 3; there is no validation split."""
    write_interactions(str(tmp_path), ROWS, users=4, items=10)
    return str(tmp_path)


def test_a_split_comes_in_the_order_of_its_files(uri: str) -> None:
    users, items = Interactions(uri).split("train")
    assert (users.tolist(), items.tolist()) == ([1, 0, 1, 3, 3], [5, 6, 7, 8, 5])
    assert users.dtype == items.dtype == np.int32


def test_a_split_that_is_not_there_is_empty(uri: str) -> None:
    users, items = Interactions(uri).split("validation")
    assert len(users) == len(items) == 0


def test_users_ascend_and_their_latest_items_come_last(uri: str) -> None:
    parts = Interactions(uri).by_user(("train", "validation", "test"))
    assert [(users.tolist(), items.tolist()) for users, items in parts] == [
        ([0, 1, 1, 1], [6, 5, 7, 9]),
        ([2, 3, 3], [4, 8, 5]),
    ]


def test_a_shard_holds_its_own_users(uri: str) -> None:
    interactions = Interactions(uri)
    assert [interactions.shard("test", number).users.tolist() for number in range(interactions.shards)] == [[1], [2]]


def test_the_files_are_parquet_of_int32(uri: str) -> None:
    table = pq.read_table(f"{uri}/Split-train/shard-00000-of-00002.parquet")
    assert table.schema.names == ["user", "item"]
    assert table.schema.types == [pa.int32(), pa.int32()]
    assert table.to_pydict() == {"user": [1, 0, 1], "item": [5, 6, 7]}


def test_given_negatives_come_by_user(uri: str) -> None:
    assert Interactions(uri).given_negatives() is None
    write_given_negatives(uri, np.array([2, 1], np.int32), np.array([[3, 3], [7, 8]], np.int32))
    given = Interactions(uri).given_negatives()
    assert given is not None
    assert {user: items.tolist() for user, items in given.items()} == {2: [3, 3], 1: [7, 8]}


@pytest.mark.parametrize("best", [None, {"99": 0.75, "999": 0.5}])
def test_a_summary_survives_its_file(uri: str, best: dict[str, float] | None) -> None:
    summary = replace(Interactions(uri).summary, best_possible_hr=best)
    summary.write(uri)
    assert InteractionsSummary.read(uri) == summary
    assert InteractionsSummary.from_json(summary.to_json()) == summary


def test_a_summary_has_the_keys_that_readers_of_the_file_know(uri: str) -> None:
    assert json.loads(Path(uri, "summary.json").read_text()) == {
        "dataset": "made by hand",
        "rows_read": 7,
        "dropped": {
            "bad_rows": 0,
            "below_min_rating": 0,
            "not_wanted": 0,
            "duplicates": 0,
            "below_min_interactions": 0,
            "below_min_item_interactions": 0,
            "of_new_users": 0,
            "of_new_items": 0,
        },
        "absent": {"users": 0, "items": 0, "new_users": 0, "new_items": 0},
        "users": 4,
        "items": 10,
        "interactions": {"train": 5, "test": 2},
        "density": 7 / 40,
        "holdout": "last",
        "timed": True,
        "tied_users": 0,
        "shards": [
            {"first_user": 0, "users": 2, "train": 3, "test": 1},
            {"first_user": 2, "users": 2, "train": 2, "test": 1},
        ],
        "fingerprint": "0123456789abcdef",
    }


def test_what_will_not_be_whole_is_taken_away(uri: str) -> None:
    remove_interactions(uri)
    assert list(Path(uri).iterdir()) == []
    with pytest.raises(UserError, match=r"not a whole artifact: it has no summary\.json; run Preprocess again"):
        Interactions(uri)
