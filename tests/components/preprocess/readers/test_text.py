"""The text reader against Python's csv module."""

import csv
from pathlib import Path

import numpy as np
import pytest

from components.preprocess.readers.base import Columns, Reading, Source
from components.preprocess.readers.text import plan_text, read_text
from components.preprocess.readers.text_loops import most_lines, parse_integers

READING = Reading()
TIMED = Columns("user", "item", "timestamp")


def source(path: Path, separator: str = ",", columns: Columns = TIMED, header: bool = True) -> Source:
    return Source((str(path),), "csv", separator, header, columns, path.name)


def read(path: Path, reading: Reading = READING, **options) -> list[tuple]:
    """The rows that the reader hands on."""
    batches = [rows for piece in plan_text(source(path, **options), reading) for rows in read_text(piece)]
    columns = ((rows.user.tolist(), rows.item.tolist(), rows.timestamp.tolist()) for rows in batches)
    return [row for parts in columns for row in zip(*parts, strict=True)]


def expected(path: Path) -> list[tuple[int, int, int]]:
    """The same, from the standard library."""
    with path.open(newline="") as file:
        return [(int(row["user"]), int(row["item"]), int(row["timestamp"])) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("rows", "empty", "first"), [(6_001, 9, 1_000), (6_001, 9, 1), (200_001, 20, 1)], ids=["long", "short", "many"]
)
def test_columns_that_do_not_count_may_be_empty(tmp_path, rows, empty, first):
    path = tmp_path / "wide.csv"
    header = ",".join(["user", "item", "timestamp", *(f"c{number}" for number in range(empty))])
    lines = (f"{k % 90 + first},{k * 7 % 80 + 100},{k % 900 + first}{',' * empty}" for k in range(rows))
    path.write_text("\n".join([header, *lines, ""]))
    assert read(path) == expected(path)


@pytest.mark.parametrize("places", [[0, 1], [2, 0], [1, 3, 2]], ids=str)
@pytest.mark.parametrize("repeats", [1, 2, 3])
@pytest.mark.parametrize("begun", [b"", b"7", b"7:"], ids=["whole", "begun", "cut"])
def test_the_shortest_lines_fill_the_arrays_and_leave_them_nowhere(places, repeats, begun):
    """One digit in each column that counts and nothing in the others, between guards that must stay as they are."""
    width = 5
    row_of = np.full(width, -1, np.int64)
    row_of[places] = np.arange(len(places))
    line = (b":" * repeats).join(b"7" if place in places else b"" for place in range(width)) + b"\n"
    text = np.frombuffer(line * 50 + (begun + b"\n" if begun else b""), np.uint8)
    most = most_lines(len(text), width, len(places), repeats)
    guarded = np.full((len(places) + 2, most), -1, np.int64)
    read = parse_integers(text, np.uint8(ord(":")), repeats, row_of, guarded[1:-1])
    assert read == (-1 if begun else 50)
    assert (guarded[1:-1, :50] == 7).all()
    assert (guarded[0] == -1).all()
    assert (guarded[-1] == -1).all()
