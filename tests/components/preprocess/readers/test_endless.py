"""Lines and archives without an end: bounded memory, and one line that says what is wrong."""

import bz2
import gzip
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from components.preprocess import readers
from components.preprocess.readers import opening
from components.preprocess.readers.base import Columns, Reading, Source
from components.shared.errors import UserError

MIB = 1 << 20
COLUMNS = {"csv": Columns(0, 1), "json": Columns("user", "item")}
LINES = {"csv": b"1,2\n", "json": b'{"user": 1, "item": 2}\n'}


def read(path: Path, form: str = "csv", **options: str) -> int:
    source = Source((str(path),), form, None, None, COLUMNS[form], path.name)
    return sum(len(rows.user) for piece in readers.plan(source, Reading(**options)) for rows in piece.read())


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("before", [0, 5, 5 * MIB])
@pytest.mark.parametrize("packed", [False, True])
def test_a_line_without_an_end_is_told_with_its_number(tmp_path: Path, form: str, before: int, packed: bool) -> None:
    lines = before // len(LINES[form])
    content = LINES[form] * lines + LINES[form][:-1] + b"1" * (100 * MIB)
    path = tmp_path / (f"clicks.{form}.gz" if packed else f"clicks.{form}")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    del content
    tracemalloc.start()

    with pytest.raises(UserError, match=rf"clicks.* line {lines + 1}: more than 4 MiB without an end of line"):
        read(path, form, on_bad_row="skip")

    assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    tracemalloc.stop()


def test_a_line_that_begins_in_the_piece_before_is_told_there(tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_bytes(b"1,2\n" * (4 * MIB) + b"7" * (20 * MIB))
    source = Source((str(path),), "csv", ",", False, COLUMNS["csv"], path.name)
    first, *others = readers.plan(source, Reading())

    assert sum(len(rows.user) for rows in first.read()) == 4 * MIB
    for piece in others:
        with pytest.raises(UserError, match=rf"line {4 * MIB + 1}: more than 4 MiB"):
            list(piece.read())


def test_a_long_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_bytes(b"1,2,short\n3,4," + b"x" * (3 * MIB) + b"\n5,6,short\n")
    assert read(path) == 3


def test_two_million_columns_are_no_row(tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_bytes(b"1," * (3 * MIB) + b"1\n")
    with pytest.raises(UserError, match=r"line 1: more than 4 MiB without an end of line"):
        read(path)


def zipped(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clicks.csv", content)


def zstd(path: Path, content: bytes) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(content)


PACKERS: dict[str, Callable[[Path, bytes], object]] = {
    "gz": lambda path, content: path.write_bytes(gzip.compress(content)),
    "bz2": lambda path, content: path.write_bytes(bz2.compress(content)),
    "zst": zstd,
    "zip": zipped,
}


@pytest.mark.parametrize("ending", PACKERS)
def test_what_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    path = tmp_path / f"clicks.csv.{ending}"
    PACKERS[ending](path, b"1,2\n" * MIB)
    assert path.stat().st_size < 4 * MIB / 300
    assert read(path) == MIB  # so little may be anything

    monkeypatch.setattr(opening, "_FREE_BYTES", MIB)
    with pytest.raises(UserError, match=rf"clicks.csv.{ending} unpacks to more than 300 times its size"):
        read(path)
