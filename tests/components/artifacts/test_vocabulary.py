import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.artifacts.vocabulary import (
    ItemTitles,
    TitlesSummary,
    Vocabulary,
    VocabularySummary,
    remove_vocabulary,
    write_vocabulary,
)
from components.shared.errors import UserError

IDS = pytest.mark.parametrize(
    ("users", "items"), [([10, 2**40], [7, 8, 9]), (["a", "é"], ["x", "y", "z"])], ids=["integers", "texts"]
)


def write(uri: Path, users: list[int] | list[str], items: list[int] | list[str]) -> str:
    write_vocabulary(str(uri), pa.array(users), pa.array(items), np.array([4, 1], np.int32), np.array([2, 0, 3]))
    return str(uri)


@IDS
def test_what_is_written_is_read(tmp_path: Path, users: list[int] | list[str], items: list[int] | list[str]) -> None:
    vocabulary = Vocabulary.open(write(tmp_path, users, items))
    assert vocabulary.user_ids.tolist() == users
    assert vocabulary.item_ids.tolist() == items
    assert vocabulary.user_counts.tolist() == [4, 1]
    assert vocabulary.item_counts.tolist() == [2, 0, 3]
    assert vocabulary.user_counts.dtype == vocabulary.item_counts.dtype == np.int64
    assert vocabulary.user_ids.dtype == vocabulary.item_ids.dtype == (object if isinstance(users[0], str) else np.int64)
    assert [vocabulary.user(index) for index in range(2)] == users


@IDS
def test_the_index_is_the_place(tmp_path: Path, users: list[int] | list[str], items: list[int] | list[str]) -> None:
    uri = write(tmp_path, users, items)
    found = pq.read_table(f"{uri}/items.parquet").to_pydict()
    assert found == {"id": items, "index": [0, 1, 2], "count": [2, 0, 3]}


def test_a_summary_survives_its_file(tmp_path: Path) -> None:
    uri = write(tmp_path, [1, 2], [3, 4, 5])
    summary = VocabularySummary.read(uri)
    assert VocabularySummary.from_json(summary.to_json()) == summary
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content == {"users": 2, "items": 3, "fingerprint": summary.fingerprint}


def test_other_ids_or_counts_have_another_fingerprint(tmp_path: Path) -> None:
    contents = ([1, 2], [3, 4, 5]), ([1, 3], [3, 4, 5]), (["1", "2"], ["3", "4", "5"]), (["12", ""], ["3", "4", "5"])
    uris = [write(tmp_path / str(number), *ids) for number, ids in enumerate(contents)]
    assert len({VocabularySummary.read(uri).fingerprint for uri in uris}) == len(uris)


def test_what_will_not_be_whole_is_taken_away(tmp_path: Path) -> None:
    uri = write(tmp_path, [1, 2], [3, 4, 5])
    remove_vocabulary(uri)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match=r"not a whole artifact: it has no summary\.json; run Preprocess again"):
        Vocabulary.open(uri)


def test_titles_stand_beside_the_ids_and_change_no_fingerprint_of_the_data(tmp_path: Path) -> None:
    parts = pa.array([1]), pa.array([3, 4]), np.array([2]), np.array([1, 1])
    without = write_vocabulary(str(tmp_path / "without"), *parts)
    found = ItemTitles(pa.array([None, "Heat"]), TitlesSummary(items=1, several=1))
    assert write_vocabulary(str(tmp_path / "with"), *parts, found) == without
    vocabulary = Vocabulary.open(str(tmp_path / "with"))
    assert [vocabulary.title(item) for item in range(2)] == [None, "Heat"]
    summaries = [VocabularySummary.read(str(tmp_path / name)) for name in ("with", "without")]
    assert summaries[0].titles == found.summary
    assert summaries[1].titles is None
    assert summaries[0].fingerprint != summaries[1].fingerprint
    assert Vocabulary.open(str(tmp_path / "without")).title(1) is None
