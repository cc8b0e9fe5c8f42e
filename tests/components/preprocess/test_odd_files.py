"""Files of the kinds that people have, against pandas; what is expected of each is told beside them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from components.preprocess.inspection.looking import look
from tests.components.preprocess.tables import expected_splits


def read(path: Path, names: list[str] | None = None, **options: Any) -> pd.DataFrame:
    """A file in pandas: ids as texts, unless the options say otherwise."""
    header = {"names": names, "header": None} if names else {}
    return pd.read_csv(path, keep_default_na=False, **{"dtype": {"user": str, "item": str}, **header, **options})


def iso(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(timestamp=pd.to_datetime(table["timestamp"], format="ISO8601", utc=True))


def stripped(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{name: table[name].astype(str).str.strip() for name in ("user", "item")})


def float_ids(folder: Path) -> pd.DataFrame:
    parts = [pd.read_csv(path) for path in sorted(folder.glob("float_ids-*.csv"))]
    return pd.concat([part.astype("int64") for part in parts], ignore_index=True)


def plays(name: str, folder: Path) -> pd.DataFrame:
    table = read(folder / name, ["user", "item", "name", "timestamp"], sep="\t", quoting=3)
    return table.assign(timestamp=pd.to_numeric(table["timestamp"], errors="coerce")).dropna()


INTEGERS = {"dtype": {"user": "int64", "item": "int64"}}
TSV = {"user_column": 0, "item_column": 1, "timestamp_column": 3, "quoting": "off"}
ODD = {
    "iso_times.tsv": (
        {"user_column": 0, "timestamp_column": 1, "item_column": 4},
        lambda folder: iso(
            read(folder / "iso_times.tsv", ["user", "timestamp", "a", "b", "item"], sep="\t", **INTEGERS)
        ),
    ),
    "iso_millis.dat": (
        {"user_column": 0, "timestamp_column": 1, "item_column": 2},
        lambda folder: iso(read(folder / "iso_millis.dat", ["user", "timestamp", "item", "category"], **INTEGERS)),
    ),
    "review_lines.json": (
        {"user_column": "user_id", "item_column": "business_id", "timestamp_column": "date"},
        lambda folder: iso(
            pd.read_json(folder / "review_lines.json", lines=True, convert_dates=False).rename(
                columns={"user_id": "user", "business_id": "item", "date": "timestamp"}
            )
        ),
    ),
    "leading_zeros_dates.csv": (
        {"user_column": "customer_id", "item_column": "article_id", "timestamp_column": "t_dat"},
        lambda folder: iso(
            read(folder / "leading_zeros_dates.csv", dtype=str).rename(
                columns={"customer_id": "user", "article_id": "item", "t_dat": "timestamp"}
            )
        ),
    ),
    "leading_zeros_codes.csv": ({}, lambda folder: read(folder / "leading_zeros_codes.csv", dtype={"item": str})),
    "float_ids-*.csv": ({}, float_ids),
    "text_spaces.csv": ({}, lambda folder: stripped(read(folder / "text_spaces.csv"))),
    "plays_startquoted_onebad.tsv": (
        {**TSV, "quoting": "auto", "on_bad_row": "skip"},
        lambda folder: plays("plays_startquoted_onebad.tsv", folder),
    ),
    "plays_unbalanced.tsv": (TSV, lambda folder: plays("plays_unbalanced.tsv", folder)),
    "time_units-*.parquet": (
        {},
        lambda folder: pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("time_units-*.parquet"))]),
    ),
    "ties.csv": ({}, lambda folder: read(folder / "ties.csv", **INTEGERS)),
    "ratings[2020].csv": ({}, lambda folder: read(folder / "ratings[2020].csv", **INTEGERS)),
    "multiline.csv": ({}, lambda folder: read(folder / "multiline.csv", **INTEGERS)),
}


@pytest.mark.parametrize("name", ODD)
def test_a_file_of_an_odd_form_is_split_as_pandas_splits_it(prepare, shared_data, name):
    options, expected = ODD[name]
    out = prepare(shared_data / "odd" / name, **options)
    for split, rows in expected_splits(expected(shared_data / "odd"), 1).items():
        assert sorted(out.raw(split)) == sorted(rows)


@pytest.mark.parametrize("name", [name for name in ODD if not name.startswith("plays")])  # what they count is no time
def test_what_is_found_by_looking_is_split_as_pandas_splits_it(prepare, shared_data, name):
    path = str(shared_data / "odd" / name)
    found = look({"kind": "files", "path": path}, {"min_interactions": 1, "min_item_interactions": 1})
    out = prepare(**found.dataset)
    for split, rows in expected_splits(ODD[name][1](shared_data / "odd"), 1).items():
        assert sorted(out.raw(split)) == sorted(rows)


def test_plays_are_found_without_times_and_with_the_one_bad_row_left_out(shared_data):
    startquoted, unbalanced = (
        look({"kind": "files", "path": str(shared_data / "odd" / name)}, {}) for name in ODD if name.startswith("plays")
    )
    assert startquoted.dataset["on_bad_row"] == "skip"
    assert startquoted.counted.bad_rows == 1
    assert unbalanced.dataset["quoting"] == "off"
    assert unbalanced.counted.bad_rows == 0
    assert {startquoted.dataset["timestamp_column"], unbalanced.dataset["timestamp_column"]} == {None}
