"""The same rows in every form that files have, one bad row in each."""

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from components.preprocess.config import DatasetConfig
from components.preprocess.datasets.base import Request, Unsplit
from components.preprocess.readers.base import Columns
from components.preprocess.readers.text.sniffing import find_columns, find_separator, has_header, split_records
from components.shared.errors import UserError
from tests.damaged_zips import DAMAGE, damaged_zip

ROWS = [(f"u{n % 7}é", n % 5, ["buy", "view"][n % 2], 1_000_000_000 + n) for n in range(100)]


def read(path: Path, **options: Any) -> list[tuple[Any, Any, Any]]:
    found = DatasetConfig.model_validate({"kind": "files", "path": str(path), **options}).chosen.interactions(
        Request(None, True, 0)
    )
    assert isinstance(found, Unsplit)
    batches = [rows for piece in found.pieces for rows in piece.read()]
    return [
        row
        for rows in batches
        for row in zip(rows.user.tolist(), rows.item.tolist(), rows.timestamp.tolist(), strict=True)
    ]


def text(separator: str, header: bool = True) -> str:
    names = [separator.join(("user", "item", "event", "timestamp"))] if header else []
    return "\n".join([*names, *(separator.join(map(str, row)) for row in ROWS)])


def json_lines() -> str:
    return "\n".join(
        json.dumps({"timestamp": t, "user": u, "more": {"a": [1]}, "item": i, "event": e}) for u, i, e, t in ROWS
    )


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__MACOSX/._rows.csv", b"x")
        archive.writestr("rows.csv", content)
    return file.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".GZ": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".zip": zipped,
}
EXPECTED = [(user, item, time) for user, item, _, time in ROWS]


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_file_is_read_however_it_is_compressed(tmp_path: Path, name: str, packed: str) -> None:
    path = tmp_path / (name + packed)
    path.write_bytes(PACK[packed]((text(",") if name == "rows.csv" else json_lines()).encode()))
    assert read(path) == EXPECTED


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".zst", ".zip"])
def test_a_file_that_is_cut_short_is_told(tmp_path: Path, packed: str) -> None:
    path = tmp_path / f"rows.csv{packed}"
    content = PACK[packed](random.Random(1).randbytes(50_000).hex().encode())
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"rows\.csv\S+ is not a whole"):
        read(path)


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::", " "])
@pytest.mark.parametrize("header", [True, False])
def test_separator_and_header_are_found(tmp_path: Path, separator: str, header: bool) -> None:
    (tmp_path / "rows.txt").write_text(text(separator, header))
    places = {"user_column": 0, "item_column": 1, "timestamp_column": 3}
    assert read(tmp_path / "rows.txt", **places) == EXPECTED
    if header:
        assert read(tmp_path / "rows.txt") == EXPECTED


@pytest.mark.parametrize(("encoding", "said"), [("latin-1", "latin-1"), ("utf-16", None), ("cp1252", "windows-1252")])
def test_a_file_in_another_encoding(tmp_path: Path, encoding: str, said: str | None) -> None:
    (tmp_path / "rows.csv").write_bytes(text(",").encode(encoding))
    assert read(tmp_path / "rows.csv", encoding=said) == EXPECTED


@pytest.mark.parametrize("name", ["rows.csv", "rows.json"])
def test_where_keeps_rows_by_their_values(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(text(",") if name == "rows.csv" else json_lines())
    kept = [(user, item, time) for user, item, event, time in ROWS if event == "buy" and item in (1, 3)]
    assert read(tmp_path / name, where={"event": "buy", "item": ["1.0", 3, 99]}) == kept


JSON_LINES = {
    "malformed": '{"user": "u1"',
    "no object": "[1]",
    "a missing user": '{"item": 1, "timestamp": 5}',
    "null": '{"user": null, "item": 1, "timestamp": 5}',
    "no time": '{"user": "u", "item": 1, "timestamp": "soon"}',
    "an object as an id": '{"user": {"a": 1}, "item": 1, "timestamp": 5}',
}


@pytest.mark.parametrize("case", JSON_LINES)
def test_a_bad_line_of_json_is_dropped_alone_or_named(tmp_path: Path, case: str) -> None:
    lines = json_lines().split("\n")
    (tmp_path / "rows.json").write_text("\n".join([*lines[:60], "", JSON_LINES[case], *lines[60:], ""]))
    assert read(tmp_path / "rows.json", on_bad_row="skip") == EXPECTED
    with pytest.raises(UserError, match=r"rows\.json line 62: "):
        read(tmp_path / "rows.json")


@pytest.mark.parametrize("first", ["null", "  null", "null null", "", "[1]", "1"])
def test_a_first_line_of_a_block_that_is_no_object_is_dropped_or_named(tmp_path: Path, first: str) -> None:
    lines = json_lines().split("\n")
    (tmp_path / "rows.json").write_text("\n".join(["null", first, *lines[:3], first, *lines[3:], ""]))
    assert read(tmp_path / "rows.json", on_bad_row="skip") == EXPECTED
    with pytest.raises(UserError, match=r"rows\.json line 1: is not one JSON object"):
        read(tmp_path / "rows.json")


def test_numbers_of_json_lose_no_digit(tmp_path: Path) -> None:
    lines = [{"user": "a", "item": item, "timestamp": 5} for item in (2**63 - 1, 2**63 - 2, 7.0)]
    (tmp_path / "rows.json").write_text("\n".join(map(json.dumps, lines)))
    assert [item for _, item, _ in read(tmp_path / "rows.json")] == [2**63 - 1, 2**63 - 2, 7]


OTHER_FORMS = {
    "gzip": (gzip.compress(text(",").encode()), "compressed with gzip: let its name end in .gz"),
    "bzip2": (bz2.compress(text(",").encode()), "compressed with bzip2"),
    "zstd": (zstandard.compress(text(",").encode()), "compressed with zstd"),
    "xz": (lzma.compress(text(",").encode()), "compressed with what is not read here"),
    "zip": (zipped(text(",").encode()), "a zip archive or an Excel workbook"),
    "Parquet": (b"PAR1" + bytes(20), "Parquet: set dataset.format=parquet"),
    "a page": (b"<!DOCTYPE html><html>Please log in</html>", "a web page, not the data"),
    "UTF-16 without a mark": (text(",").encode("utf-16-le"), "line 1 has NUL bytes: .* such as utf-16-le"),
    "returns": (text(",").replace("\n", "\r").encode(), "has carriage returns where its lines should end"),
}


@pytest.mark.parametrize("case", OTHER_FORMS)
@pytest.mark.parametrize("name", ["rows.csv", "rows.json"])
def test_a_file_that_is_something_else_is_told(tmp_path: Path, name: str, case: str) -> None:
    content, message = OTHER_FORMS[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(tmp_path / name)


def test_an_archive_of_files_is_told_behind_its_compression(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(text(","))
    with tarfile.open(tmp_path / "rows.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "rows.csv", "rows.csv")
    with pytest.raises(UserError, match="is a tar archive: unpack it"):
        read(tmp_path / "rows.tar.gz", format="csv")


def test_a_zip_archive_that_asks_for_a_password_is_told(tmp_path: Path) -> None:
    content = bytearray(zipped(b"user,item,timestamp\n1,2,3\n"))
    for place in (content.rfind(b"PK\3\4") + 6, content.rfind(b"PK\1\2") + 8):  # the flag in both headers of the file
        content[place] |= 1
    (tmp_path / "rows.csv.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be unpacked here .*password"):
        read(tmp_path / "rows.csv.zip")


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_list_of_files_of_a_zip_archive_is_told(tmp_path: Path, damage: str) -> None:
    (tmp_path / "rows.csv.zip").write_bytes(damaged_zip(zipped(b"user,item,timestamp\n1,2,3\n"), damage))
    with pytest.raises(UserError, match=r"cannot be unpacked here|is not a whole zip file"):
        read(tmp_path / "rows.csv.zip")


@pytest.mark.parametrize("name", ["rows.csv", "rows.json"])
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "\ufeff\n"])
def test_a_file_with_nothing_but_a_mark_is_empty(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="is empty: there are no interactions to read"):
        read(tmp_path / name)


def test_rows_that_do_not_count_say_nothing_of_the_type_of_ids(tmp_path: Path) -> None:
    rows = ["user,item,timestamp,event", "7,1,5,buy", "8,2,6,buy", "Total,,,buy", "x,3,7,view", "9,y,no,buy"]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    assert read(tmp_path / "rows.csv", on_bad_row="skip", where={"event": "buy"}) == [(7, 1, 5), (8, 2, 6)]


def test_a_name_that_two_columns_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,item,item,timestamp\n1,2,3,4\n")
    message = r"has 2 columns 'item'; set dataset\.item_column to the position of the right one: user \(0\), item \(1\)"
    with pytest.raises(UserError, match=message):
        read(tmp_path / "rows.csv")
    assert read(tmp_path / "rows.csv", user_column=0, item_column=2, timestamp_column=3, header=True) == [(1, 3, 4)]


def test_an_array_of_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text("[" + json_lines().replace("\n", ",") + "]")
    with pytest.raises(UserError, match="is one JSON array"):
        read(tmp_path / "rows.json")


def test_weights_are_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="weights are not used"):
        DatasetConfig(kind="files", path="x.csv", weight_column="n")


def test_a_separator_is_the_one_that_makes_most_columns_everywhere() -> None:
    assert find_separator(["7;2,5;2001-09-13", "8;3,0;2001-09-14"], ",", "auto") == ";"
    assert find_separator(["a,b c", "d,e f"], "\t", "auto") == ","
    assert find_separator(["one", "two"], "\t", "auto") == "\t"
    assert find_separator(['"a;b",1', '"c;d",2'], ",", "auto") == ","


def test_records_headers_and_columns_of_a_sample() -> None:
    assert split_records(['1,"a', 'b"', "2,c"], ",", "auto") == [["1", "a\nb"], ["2", "c"]]
    assert has_header([["user", "score"], ["anna", "3"], ["bob", "4"]])
    assert not has_header([["anna", "3"], ["bob", "4"]])
    assert find_columns(["t_dat", "customer_id", "article_id"]) == Columns("customer_id", "article_id", "t_dat")
    assert find_columns(["a", "b"]) is None
