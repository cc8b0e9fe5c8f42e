"""Looking at files finds how they are read, and what is in them."""

import gzip

import pandas as pd
import pytest

from components.preprocess.inspection.looking import _format_by_content, look
from components.shared.errors import UserError

ROWS = [(user, item, 1_000_424_599 + 60 * (7 * user + item)) for user in range(8) for item in range(user % 3 + 5)]


def written(path, rows=ROWS, header="user,item,timestamp", separator=","):
    lines = [header] * bool(header) + [separator.join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def found_in(path, preprocess=None, **dataset):
    return look({"kind": "files", "path": path, **dataset}, preprocess or {"min_item_interactions": 1})


def test_text_is_found_with_its_separator_and_header(tmp_path):
    found = found_in(written(tmp_path / "a.csv", separator=";", header="user;item;timestamp"))
    assert found.dataset == {
        "kind": "files",
        "path": str(tmp_path / "a.csv"),
        "separator": ";",
        "header": True,
        "user_column": "user",
        "item_column": "item",
        "timestamp_column": "timestamp",
    }
    assert (found.counted.summary.rows_read, found.counted.user_ids) == (len(ROWS), "integers")


def test_a_header_over_texts_is_found_by_its_names(tmp_path):
    rows = [(f"u{user}", f"i{item}") for user, item, _ in ROWS]
    found = found_in(written(tmp_path / "a.csv", rows, header="customer,product"))
    assert found.dataset["header"]
    assert (found.counted.summary.users, found.counted.user_ids, found.counted.item_ids) == (8, "texts", "texts")


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "parquet_without_ending", "json_without_ending", "a.csv.gz"])
def test_every_form_is_looked_at(tmp_path, name):
    path, table = tmp_path / name, pd.DataFrame(ROWS, columns=["user_id", "item_id", "ts"])
    if "parquet" in name:
        table.to_parquet(path)
    elif "json" in name:
        table.to_json(path, orient="records", lines=True)
    else:
        path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    found = found_in(str(path))
    assert found.choice.columns == {"user": "user_id", "item": "item_id", "timestamp": "ts"}
    assert found.counted.summary.rows_read == len(ROWS)


@pytest.mark.parametrize("content", ["csv", "json", "parquet"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.parquet"])
def test_what_is_in_a_file_counts_more_than_its_name(tmp_path, content, name):
    path, table = tmp_path / name, pd.DataFrame(ROWS, columns=["user_id", "item_id", "ts"])
    write = {
        "csv": lambda: table.to_csv(path, index=False),
        "json": lambda: table.to_json(path, orient="records", lines=True),
        "parquet": lambda: table.to_parquet(path),
    }
    write[content]()
    assert _format_by_content(str(path)) == (None if name == f"a.{content}" else content)


def test_columns_of_objects_are_told(tmp_path):
    rows = pd.DataFrame([{"user": u, "item": i, "timestamp": {"$date": t}, "tags": []} for u, i, t in ROWS])
    rows.to_json(tmp_path / "a.json", orient="records", lines=True)
    found = found_in(str(tmp_path / "a.json"))
    assert "timestamp" not in found.choice.columns
    assert found.choice.doubts == ("lists and objects are not read (column 'timestamp')",)


REFUSED = {
    "one column": ("# exported\nuser,item\n1,2\n", r"has one column, .* dataset\.separator .* above the header"),
    "no row that can be read": (
        'user,item,timestamp\n1,2,"1,000,000,000"\n',
        r"no row can be read; the first: .*a\.csv line 2: timestamp '1,000,000,000' is not a number: set dataset\.time",
    ),
    "objects as ids": (
        '{"user": {"id": 1}, "item": 5}\n{"user": {"id": 2}, "item": 6}\n',
        r"which column is the user: set dataset\.user_column to one of item; .*not read \(column 'user'\)",
    ),
    "a filter that keeps nothing": ("user,item,timestamp\n1,2,3\n1,x,\n", "no user has 3 interactions"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_found_out_is_one_line_that_says_what_to_do(tmp_path, case):
    content, message = REFUSED[case]
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(UserError, match=message):
        found_in(str(tmp_path / "a.csv"), preprocess={"min_interactions": 3, "min_item_interactions": 1})


def test_quotes_that_do_not_end_are_characters(tmp_path):
    rows = [(f'"u{user}', item, time) for user, item, time in ROWS]
    found = found_in(written(tmp_path / "a.csv", rows))
    assert found.dataset["quoting"] == "off"
    assert found.counted.bad_rows == 0


def test_few_rows_that_cannot_be_read_are_left_out_and_told(tmp_path):
    rows = [(user, item, time) for time in range(20) for user, item, _ in ROWS]
    path = written(tmp_path / "a.csv", [*rows[:400], ("x",), *rows[400:]])
    found = found_in(path)
    assert found.dataset["on_bad_row"] == "skip"
    assert found.fault == f"{path} line 402: 1 column where 3 are expected"


def test_many_rows_that_cannot_be_read_are_left_to_their_owner(tmp_path):
    found = found_in(written(tmp_path / "a.csv", [*ROWS, ("x",), ("y",)]))
    assert "on_bad_row" not in found.dataset
    assert found.counted.bad_rows == 2


def test_text_that_is_not_utf_8_is_read_as_latin_1(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(("user,item,title\n" + "\n".join(f"{u},{i},café" for u, i, _ in ROWS)).encode("latin-1"))
    assert found_in(str(path)).dataset["encoding"] == "latin-1"


def test_filters_that_leave_nothing_are_lowered(tmp_path):
    rows = [row for row in ROWS if row[1] < 4]
    assert found_in(written(tmp_path / "a.csv", rows), preprocess={}).preprocess == {
        "min_interactions": 3,
        "min_item_interactions": 1,
    }


def test_an_empty_file_is_one_line(tmp_path):
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(UserError, match="is empty: there are no interactions to read"):
        found_in(str(tmp_path / "a.csv"))
