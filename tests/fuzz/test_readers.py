"""Any bytes in a file of interactions are read, or told in one line."""

import bz2
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from components.preprocess import readers
from components.preprocess.readers.base import Columns, Reading, Source
from tests.fuzz.outcomes import one_line_at_most

WORDS = [
    *("user", "item", "timestamp", "abc", "é", "NULL", "nan", "'", "\\", "\x00", "\x0c"),
    *("1", "2", "17", "-3", "0", "007", "1.5", "2.0", "1e3", "1e400", "٣"),
    *("9223372036854775807", "9223372036854775808", "99999999999999999999", "1234567890", "1234567890123"),
    *("2001-09-13", "2001-09-13T00:00:01Z", "2001-13-45"),
]
MARKS = [b",", b"\t", b";", b"::", b"|", b" ", b'"', b'""', b"\n", b"\r\n", b"\r", b"\n\n", b"\xff", b"\xef\xbb\xbf"]
COLUMNS = some.sampled_from([0, 1, 2, 3, "user", "item", "timestamp", "other"])

texts = some.one_of(
    some.lists(some.sampled_from([*(word.encode() for word in WORDS), *MARKS]), max_size=60).map(b"".join),
    some.lists(some.lists(some.sampled_from(WORDS), min_size=2, max_size=4).map(",".join), max_size=20).map(
        lambda lines: "\n".join(lines).encode()
    ),
    some.binary(max_size=200),
)
json_lines = some.lists(
    some.one_of(
        some.sampled_from(
            [
                b'{"user": 1, "item": 2, "timestamp": 3}',
                b'{"user": "a", "item": 2.0, "timestamp": "2001-09-13"}',
                b'{"user": 1, "item": [2], "timestamp": {}}',
                b'{"user": 9223372036854775808, "item": 1e400, "timestamp": NaN}',
                b'{"user": "\\ud800", "item": true}',
                b"[" * 5_000,
                b'{"user":' * 3_000,
                b"null",
                b"",
            ]
        ),
        some.binary(max_size=40),
    ),
    max_size=12,
).map(b"\n".join)
readings = some.builds(
    Reading,
    some.sampled_from(["auto", "integer", "string"]),
    some.sampled_from(["error", "skip"]),
    some.sampled_from([None, 1.0]),
    some.sampled_from([1 << 24, 50, 7]),
    some.sampled_from([1 << 21, 40, 5]),
    some.sampled_from(["auto", "number", "%d/%m/%Y", "%Q", "%"]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def read(path: Path, content: bytes, reading: Reading, columns: Columns, **layout: object) -> None:
    path.write_bytes(content)
    form = readers.format_of(str(path))
    assert form is not None
    options = {"separator": None, "header": None, **layout}
    source = Source((str(path),), form, columns=columns, name=path.name, **options)  # type: ignore[arg-type]
    with one_line_at_most():
        for piece in readers.plan(source, reading):
            for rows in piece.read():
                assert len(rows.user) == len(rows.item)


@example(b"timestamp", Reading(), Columns(0, 0), None, None, "auto", "base64")
@example(b"1,2,x\n3,4,5", Reading(time_format="%Q"), Columns(0, 1, 2), None, None, "auto", None)
@given(
    texts,
    readings,
    some.builds(Columns, COLUMNS, COLUMNS, some.one_of(some.none(), COLUMNS), some.one_of(some.none(), COLUMNS)),
    some.sampled_from([None, ",", "\t", "::", " ", "é", "1", "-"]),
    some.sampled_from([None, True, False]),
    some.sampled_from(["auto", "off"]),
    some.sampled_from([None, "latin-1", "utf-16", "utf-8", "idna", "base64", "nonsense"]),
)
def test_any_text(
    folder: Path,
    content: bytes,
    reading: Reading,
    columns: Columns,
    separator: str | None,
    header: bool | None,
    quoting: str,
    encoding: str | None,
) -> None:
    read(
        folder / "a.csv", content, reading, columns, separator=separator, header=header, quoting=quoting,
        encoding=encoding,
    )  # fmt: skip


@example(b"[" * 5_000, Reading())
@example(b'{"user": "\\ud800", "item": 2, "timestamp": 3}', Reading())
@example(b'null\n{"user": 1, "item": 1e400, "timestamp": 3}', Reading())
@given(json_lines, readings)
def test_any_json_lines(folder: Path, content: bytes, reading: Reading) -> None:
    read(folder / "a.json", content, reading, Columns("user", "item", "timestamp"))


def parquet_of(kind: pa.DataType, compression: str) -> bytes:
    table = pa.table({"user": np.arange(300) % 17, "item": pa.array(range(300)).cast(kind), "timestamp": range(300)})
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=100, compression=compression)
    return file.getvalue()


PARQUET = [parquet_of(kind, how) for kind in (pa.int64(), pa.string(), pa.float64()) for how in ("none", "snappy")]


@given(
    some.sampled_from(PARQUET),
    some.lists(some.tuples(some.floats(0, 1), some.binary(min_size=1, max_size=8)), max_size=6),
    some.one_of(some.none(), some.floats(0, 1)),
)
def test_any_damage_to_parquet(
    folder: Path, content: bytes, changes: list[tuple[float, bytes]], end: float | None
) -> None:
    damaged = bytearray(content)
    for place, bytes_there in changes:
        at = int(place * len(damaged))
        damaged[at : at + len(bytes_there)] = bytes_there
    whole = bytes(damaged if end is None else damaged[: int(end * len(damaged))])
    read(folder / "a.parquet", whole, Reading(), Columns("user", "item", "timestamp"))


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return file.getvalue()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(content)
    return bytes(sink.getvalue())


ROWS = b"".join(b"%d,%d,%d\n" % (n % 7, n % 5, n) for n in range(200))
PACKED = {"gz": gzip.compress(ROWS), "bz2": bz2.compress(ROWS), "zip": zipped(ROWS), "zst": zstd(ROWS)}


@example("zip", [(0.9, b"\x00@")], None, False)  # encrypted
@example("zip", [(0.90234375, b"\x00\x01")], None, False)  # compressed in another way
@example("zip", [(0.896484375, b"\x00@")], None, False)  # of a later version
@given(
    some.sampled_from(list(PACKED)),
    some.lists(some.tuples(some.floats(0, 1), some.binary(min_size=1, max_size=4)), max_size=4),
    some.one_of(some.none(), some.floats(0, 1)),
    some.booleans(),
)
def test_any_damage_to_an_archive(
    folder: Path, ending: str, changes: list[tuple[float, bytes]], end: float | None, twice: bool
) -> None:
    damaged = bytearray(PACKED[ending] * (1 + twice))
    for place, bytes_there in changes:
        at = int(place * len(damaged))
        damaged[at : at + len(bytes_there)] = bytes_there
    whole = bytes(damaged if end is None else damaged[: int(end * len(damaged))])
    read(folder / f"a.csv.{ending}", whole, Reading(), Columns(0, 1, 2))
