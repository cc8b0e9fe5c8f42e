import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from components.shared.errors import UserError

HEADER = b"user,item,rating,timestamp\n"
GOOD = b"".join(b"%d,%d,4,%d\n" % (user, item, item) for user in range(40) for item in range(100, 125))


def written(tmp_path: Path, content: bytes, name: str = "ratings.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


BAD_LINES = {
    "columns": (b"1,2,3\n", "3 columns where 4 are expected"),
    "user": (b"x1,2,3,4\n", "user id 'x1' is not an integer"),
    "item": (b"1,2.5,3,4\n", "item id '2.5' is not an integer"),
    "timestamp": (b"1,2,3,yesterday\n", "timestamp 'yesterday' is not a number"),
    "nan": (b"1,2,3,NaN\n", "no timestamp, but 'NaN'"),
    "no user id": (b"NULL,2,3,4\n", "no user id, but 'NULL'"),
    "infinite": (b"1,2,3,1e999\n", "timestamp '1e999' is not a number"),
    "no timestamp": (b"1,2,3,\n", "empty timestamp"),
    "no user": (b",2,3,4\n", "empty user id"),
    "no item": (b"1,,3,4\n", "empty item id"),
    "not UTF-8": (b"1,\xff\xfe,3,4\n", "not UTF-8"),
    "quote": (b'1,2,"3,4\n', "cannot be read"),
    "quote in the last column": (b'1,2,3,"4\n', "cannot be read"),
    "carriage return": (b"1,2,3\r,4\n", "cannot be read"),
    "hexadecimal": (b"1,0x2,3,4\n", "item id '0x2' is not an integer"),
    "other blanks": (b"1,2,3,\x0c4\n", r"timestamp '\x0c4' is not a number"),
    "other digits": ("1,2,3,٣\n".encode(), "timestamp '٣' is not a number"),
}
PADDING = GOOD * 20


@pytest.mark.parametrize(("case", "compressed"), [*((case, False) for case in BAD_LINES), ("columns", True)])
def test_a_bad_line_is_named(prepare, tmp_path, case, compressed):
    line, reason = BAD_LINES[case]
    content = HEADER + PADDING + line + GOOD
    name = "ratings.csv.gz" if compressed else "ratings.csv"
    path = written(tmp_path, gzip.compress(content) if compressed else content, name)
    with pytest.raises(UserError) as caught:
        prepare(path, id_type="integer")
    message = str(caught.value)
    line_number = PADDING.count(b"\n") + 2
    assert f"{name} line {line_number}: {reason}" in message
    assert "\n" not in message
    assert not list(tmp_path.glob("out-*/*/*"))


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_lines_are_skipped_and_counted(prepare, tmp_path, case):
    line, _ = BAD_LINES[case]
    clean = prepare(written(tmp_path, HEADER + GOOD))
    path = written(tmp_path, HEADER + line + GOOD + line + b"\n", "bad.csv")
    out = prepare(path, on_bad_row="skip", id_type="integer")
    assert out.summary.dropped.bad_rows == 2
    assert out.summary.rows_read == 1_002
    assert out.summary.fingerprint == clean.summary.fingerprint


def test_an_empty_text_id(prepare, tmp_path):
    path = written(tmp_path, HEADER + b"anna,2,3,4\n,3,3,5\n")
    with pytest.raises(UserError, match=r"line 3: empty user id"):
        prepare(path)


REFUSED = {
    "missing file": (None, {}, "is not there"),
    "empty file": (b"", {}, "is empty"),
    "header only": (HEADER, {}, "has no rows"),
    "wrong column": (
        HEADER + GOOD,
        {"item_column": "movie"},
        r"no column 'movie'.*user \(0\), item \(1\), rating \(2\)",
    ),
    "wrong position": (HEADER + GOOD, {"item_column": 4}, "has 4 columns"),
    "names without a header": (HEADER + GOOD, {"header": False}, r"dataset\.header"),
    "header not UTF-8": ("üser,item\n".encode("latin-1"), {}, "line 1: not UTF-8; say which encoding"),
    "no user is left": (HEADER + GOOD, {"min_interactions": 26}, "lower preprocess.min_interactions"),
    "no rating is left": (HEADER + GOOD, {"min_rating": 5, "rating_column": "rating"}, r"preprocess\.min_rating"),
    "a rating that nothing uses": (HEADER + GOOD, {"rating_column": "rating"}, r"dataset\.rating_column.*min_rating"),
    "no such encoding": (HEADER + GOOD, {"encoding": "utf-9"}, r"dataset\.encoding: there is no encoding 'utf-9'"),
    "nothing wanted": (HEADER + GOOD, {"where": {"rating": 5}}, r"no row that dataset\.where wants"),
    "times in two units": (HEADER + b"1,2,3,1000000000\n1,3,3,1000000000000\n", {}, "in seconds, others in millisec"),
    "all rows bad": (HEADER + b"1\n2\n", {"on_bad_row": "skip"}, "all 2 were skipped"),
    "not Parquet": (HEADER + GOOD, {"format": "parquet"}, "is not a whole Parquet file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(prepare, tmp_path, case):
    content, options, message = REFUSED[case]
    path = tmp_path / "ratings.csv" if content is None else written(tmp_path, content)
    with pytest.raises(UserError, match=message) as caught:
        prepare(path, **options)
    assert "\n" not in str(caught.value)
    assert "ratings.csv" in str(caught.value) or "dataset." in str(caught.value)
    assert not list(tmp_path.glob("out-*/*/*"))


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_truncated_gzip_file(prepare, tmp_path, kept):
    content = gzip.compress(HEADER + PADDING * 10)
    path = written(tmp_path, content[: int(len(content) * kept)], "ratings.csv.gz")
    with pytest.raises(UserError, match=r"ratings.csv.gz is not a whole gzip file"):
        prepare(path)


def test_a_folder_and_an_unknown_format(prepare, tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        prepare(tmp_path)
    with pytest.raises(UserError, match=r"dataset\.format"):
        prepare(written(tmp_path, GOOD, "ratings.xlsx"))


_FILL_DISK = """
import resource, signal, sys
import apache_beam as beam
from components.shared.errors import UserError
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.run import write_artifacts

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_artifacts(
        DatasetConfig(kind="files", path=sys.argv[1]), PreprocessConfig(rows_per_shard=5_000), 1,
        sys.argv[2] + "/interactions", sys.argv[2] + "/vocabulary", lambda: beam.Pipeline(runner="FnApiRunner"))
except UserError as error:
    print("refused:", error)
"""


def test_a_full_disk(tmp_path):
    rows = b"".join(b"%d,%d,4,%d\n" % (user, item, item) for user in range(400) for item in range(50))
    path = written(tmp_path, HEADER + rows)
    out = tmp_path / "out"
    command = [sys.executable, "-c", _FILL_DISK, str(path), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert "refused: cannot write" in done.stdout, done.stderr[-2000:]
    assert done.stdout.count("\n") == 1
    assert not [file for file in out.rglob("*") if file.is_file()]
