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
