"""Files that are no whole Parquet, or no table that can be read, are told in one line."""

import io
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.preprocess.readers import READERS
from components.preprocess.readers.base import Columns, Reading, Source
from components.preprocess.values.numbers import read_numbers
from components.shared.errors import UserError

_ROWS = 3_000


def _whole() -> bytes:
    numbers = np.arange(_ROWS)
    texts = pa.array([f"item {number % 70}" for number in numbers])
    file = io.BytesIO()
    pq.write_table(pa.table({"user": numbers % 50, "item": texts, "time": numbers}), file)
    return file.getvalue()


def _read(path: Path) -> int:
    source = Source((str(path),), "parquet", None, None, Columns("user", "item", None, "time"), path.name)
    reader = READERS["parquet"]
    assert reader.sample(source)
    return sum(len(rows.user) for piece in reader.plan(source, Reading()) for rows in piece.read())


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "clicks.parquet").write_bytes(_whole())
    assert _read(tmp_path / "clicks.parquet") == _ROWS


def test_whatever_is_damaged_is_read_or_told_in_one_line(tmp_path: Path) -> None:
    path, whole, chance, told = tmp_path / "clicks.parquet", _whole(), random.Random(0), 0
    for _ in range(200):
        begin = chance.randrange(len(whole))
        end = min(len(whole), begin + chance.choice([1, 8, 200, 2_000]))
        path.write_bytes(
            whole[:begin] + chance.choice([bytes(end - begin), chance.randbytes(end - begin)]) + whole[end:]
        )
        try:
            _read(path)
        except UserError as error:
            assert "\n" not in str(error)
            assert str(path) in str(error)
            told += 1
    assert told > 50


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    path, numbers = tmp_path / "clicks.parquet", pa.array(range(9))
    pq.write_table(pa.Table.from_arrays([numbers] * 4, names=["user", "user", "item", "time"]), path)
    with pytest.raises(UserError, match=r"^.*clicks\.parquet has several columns called 'user'; give them names of"):
        _read(path)


def test_numbers_beyond_int64_are_rounded() -> None:
    numbers, bad = read_numbers(pa.array([2**63 + 5, 7, None], pa.uint64()), "time")
    assert not bad[:2].any()
    assert bad[2]
    assert numbers[:2].tolist() == [float(2**63), 7.0]


def test_rows_that_take_no_bytes_are_told_before_they_are_read(tmp_path: Path) -> None:
    path, same = tmp_path / "clicks.parquet", pa.array(np.zeros(1 << 24, np.int64))
    pq.write_table(pa.table({"user": same, "item": same, "time": same}), path, compression="zstd")
    assert path.stat().st_size < 20_000
    message = "says that it has 16,777,216 rows, [0-9,]+ bytes, in a file of [0-9,]+, as no file of interactions has"
    with pytest.raises(UserError, match=message):
        _read(path)


def test_a_long_text_that_many_rows_have_is_not_written_out(tmp_path: Path) -> None:
    path, rows = tmp_path / "clicks.parquet", 1 << 16
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * (1 << 17)]))
    columns = {"user": text, "item": np.arange(rows), "time": np.arange(rows)}
    pq.write_table(pa.table(columns), path, dictionary_pagesize_limit=1 << 20, store_schema=False)
    with pytest.raises(UserError, match="has texts of more than 16,384 bytes a row in column 'user'"):
        _read(path)


def test_columns_of_lists_and_structures_beside_the_ids_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "clicks.parquet"
    columns = {
        "user": pa.array(["a", None, "b"]),
        "item": pa.array(["x", "y", "x"], pa.large_string()),
        "time": pa.array([1, 2, 3]),
        "tags": pa.array([["x"], [], None]),
        "page": pa.array([{"url": "u"}, None, {"url": None}]),
    }
    pq.write_table(pa.table(columns), path)
    with pytest.raises(UserError, match="row 2: empty user id"):
        _read(path)
    pq.write_table(pa.table({**columns, "user": pa.array(["a", "c", "b"])}), path)
    assert _read(path) == 3
