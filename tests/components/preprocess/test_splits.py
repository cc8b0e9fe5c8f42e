"""Filters, splits and ties of whole runs, against pandas."""

import numpy as np
import pandas as pd
import pytest

from components.preprocess.config import PreprocessConfig
from components.preprocess.datasets import base
from components.preprocess.readers.base import Reading
from components.shared.errors import UserError
from tests.components.preprocess.tables import arranged, expected_splits, random_table, raw_rows


def core(table: pd.DataFrame, users: int, items: int) -> pd.DataFrame:
    """Rows of users and items of whom enough are left, found by dropping items first."""
    while True:
        left = table[table.groupby("item")["user"].transform("nunique") >= items]
        left = left[left.groupby("user")["item"].transform("nunique") >= users]
        if len(left) == len(table):
            return left
        table = left


def sparse_table(seed: int = 0) -> pd.DataFrame:
    """Users and items of very different activity, so that filters of both set each other off."""
    random = np.random.default_rng(seed)
    rows = 4_000
    return pd.DataFrame(
        {
            "user": random.geometric(0.01, rows) * 7,
            "item": random.geometric(0.02, rows) * 11 - 5,
            "timestamp": random.integers(1_000_000, 1_000_300, rows),
        }
    )


def by_time(table: pd.DataFrame, validation: int | None, test: int) -> dict[str, list[tuple[int, int]]]:
    """A split by time of arranged rows: each known user's first row of a known item in each part; others aside."""
    begin = test if validation is None else validation
    train = table[table["timestamp"] < begin]
    later = table[(table["timestamp"] >= begin)]
    known = later[later["user"].isin(train["user"]) & later["item"].isin(train["item"])]
    splits = {"train": train}
    aside = []
    for name, low, high in (("validation", begin, test), ("test", test, np.inf)):
        part = known[(known["timestamp"] >= low) & (known["timestamp"] < high)]
        splits[name] = part.groupby("user").head(1)
        aside.append(part[part.groupby("user").cumcount() > 0])
    splits["aside"] = pd.concat(aside).sort_values(["user", "timestamp"], kind="stable")
    return {name: raw_rows(rows) for name, rows in splits.items() if name != "validation" or validation is not None}


def written(path, table: pd.DataFrame):
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shards", [{}, {"rows_per_shard": 1_000}], ids=["one shard", "several"])
def test_users_and_items_are_filtered_until_both_minima_hold(prepare, tmp_path, seed, shards):
    table = sparse_table(seed)
    out = prepare(written(tmp_path / "t.csv", table), min_interactions=8, min_item_interactions=10, **shards)
    left = core(arranged(table), 8, 10)
    assert left.groupby("user").size().min() >= 8
    for split, rows in expected_splits(left, 1).items():
        assert out.raw(split) == rows
    summary = out.summary
    assert summary.dropped.rows == len(table) - len(left)
    assert summary.dropped.below_min_item_interactions > 0
    assert summary.absent.users == table["user"].nunique() - left["user"].nunique()
    assert summary.absent.items == table["item"].nunique() - left["item"].nunique()
    assert sum(summary.interactions.values()) == len(left)


def test_filters_once_may_leave_users_below_their_minimum(prepare, tmp_path):
    table = sparse_table()
    path = written(tmp_path / "t.csv", table)
    out = prepare(path, min_interactions=8, min_item_interactions=10, until="once")
    left = arranged(table)
    left = left[left.groupby("user")["item"].transform("size") >= 8]
    left = left[left.groupby("item")["user"].transform("size") >= 10]
    assert left.groupby("user").size().min() < 8
    for split, rows in expected_splits(left, 1).items():
        assert out.raw(split) == rows


def test_nothing_left_is_told_in_one_line(prepare, tmp_path):
    path = written(tmp_path / "t.csv", sparse_table())
    with pytest.raises(UserError) as caught:
        prepare(path, min_interactions=60, min_item_interactions=60)
    message = str(caught.value)
    assert "no user has 60 interactions with distinct items among items with 60 users" in message
    assert "lower preprocess.min_interactions or preprocess.min_item_interactions" in message
    assert "\n" not in message
    assert not list(tmp_path.glob("out-*/*/*"))


SPLITS = {
    "last": {},
    "time": {"split": "time", "split_share": 0.15},
    "random": {"split": "random"},
    "a random share": {"split": "random", "split_share": 0.2},
    "last, new users": {"new_users": 0.3},
}


@pytest.mark.parametrize("split", SPLITS)
def test_same_bytes_for_every_runner_and_block_size(prepare, tmp_path, monkeypatch, split):
    options = {**SPLITS[split], "min_interactions": 8, "min_item_interactions": 10, "rows_per_shard": 1_000}
    table = sparse_table()
    table[:1_500].to_csv(tmp_path / "part-1.csv", index=False)
    table[1_500:].to_csv(tmp_path / "part-2.csv", index=False)
    expected = prepare(tmp_path / "part-*.csv", **options).files()
    small = Reading(piece_bytes=7_001, block_bytes=1_003)
    monkeypatch.setattr(base, "Reading", lambda *arguments, **options: small)
    flags = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert prepare(tmp_path / "part-*.csv", flags=flags, **options).files() == expected


def test_the_order_of_the_files_decides_ties(prepare, tmp_path):
    table = random_table()
    table["timestamp"] //= 40
    table[:2_000].to_csv(tmp_path / "part-1.csv", index=False)
    table[2_000:].to_csv(tmp_path / "part-2.csv", index=False)
    out = prepare(tmp_path / "part-*.csv", rows_per_shard=1_000)
    for split, rows in expected_splits(table, 1).items():
        assert out.raw(split) == rows
    (tmp_path / "part-2.csv").rename(tmp_path / "part-0.csv")
    turned = prepare(tmp_path / "part-*.csv", rows_per_shard=1_000)
    assert turned.raw("test") == expected_splits(pd.concat([table[2_000:], table[:2_000]]), 1)["test"]
    assert turned.raw("test") != out.raw("test")


def test_with_ties_by_item_the_order_of_the_rows_is_nothing(prepare, tmp_path):
    table = random_table()
    out = prepare(written(tmp_path / "a.csv", table), ties="item")
    shuffled = prepare(written(tmp_path / "b.csv", table.sample(frac=1, random_state=1)), ties="item")
    assert [shuffled.rows(split) for split in ("train", "validation", "test")] == [
        out.rows(split) for split in ("train", "validation", "test")
    ]
    assert shuffled.summary.fingerprint == out.summary.fingerprint


@pytest.mark.parametrize("validation", [True, False])
def test_users_are_counted_whose_held_out_items_a_tie_decides(prepare, tmp_path, validation):
    table = random_table()
    table["timestamp"] //= 4
    out = prepare(written(tmp_path / "t.csv", table), validation=validation, min_interactions=10)
    rows = arranged(table)
    rows = rows[rows.groupby("user")["item"].transform("size") >= 10]
    times = rows.groupby("user")["timestamp"].apply(list)
    held_out = 1 + validation
    tied = sum(any(own[-place] == own[-place - 1] for place in range(1, held_out + 1)) for own in times)
    assert 0 < tied < out.summary.users
    assert out.summary.tied_users == tied


def test_a_split_by_time_has_one_cutoff_for_all_users(prepare, tmp_path):
    table = sparse_table()
    path = written(tmp_path / "t.csv", table)
    out = prepare(path, split="time", split_time=1_000_250, split_share=0.1, rows_per_shard=1_000)
    rows = arranged(table)
    validation = out.summary.held_out_from["validation"]
    assert out.summary.held_out_from["test"] == 1_000_250
    share = ((table["timestamp"] >= validation) & (table["timestamp"] < 1_000_250)).mean()
    assert share == pytest.approx(0.1, abs=0.01)
    for split, expected in by_time(rows, validation, 1_000_250).items():
        assert out.raw(split) == expected
    assert (out.summary.holdout, out.summary.timed) == ("time", True)


@pytest.mark.parametrize("scale", [1, 0.25, 1e12])
@pytest.mark.parametrize("validation", [True, False])
def test_a_share_of_the_newest_rows_is_held_out(prepare, tmp_path, scale, validation):
    table = sparse_table()
    table["timestamp"] = table["timestamp"] * scale
    if scale > 1:
        table["timestamp"] = table["timestamp"].astype("int64")
    out = prepare(written(tmp_path / "t.csv", table), split="time", validation=validation)
    cutoffs = out.summary.held_out_from
    assert (table["timestamp"] >= cutoffs["test"]).mean() == pytest.approx(0.1, abs=0.01)
    assert ("validation" in cutoffs) == validation
    for split, expected in by_time(arranged(table), cutoffs.get("validation"), cutoffs["test"]).items():
        assert out.raw(split) == expected


def test_new_users_and_items_are_counted_and_no_model_is_asked_for_them(prepare, tmp_path):
    table = pd.DataFrame(
        [(1, 10, 0), (1, 20, 1), (2, 10, 2), (1, 30, 5), (1, 10, 6), (2, 20, 6), (3, 10, 7), (3, 40, 8), (2, 50, 9)],
        columns=["user", "item", "timestamp"],
    )
    out = prepare(written(tmp_path / "t.csv", table), split="time", split_time=5, validation=False)
    # (1, 10) comes again at 6, so only (1, 20) and (2, 10) are left before 5; 3 is new, and 30, 40, 50 are.
    assert (out.ids("users"), out.ids("items")) == ([1, 2], [10, 20])
    assert (out.raw("train"), out.raw("test"), out.raw("aside")) == ([(1, 20), (2, 10)], [(1, 10), (2, 20)], [])
    dropped, absent = out.summary.dropped, out.summary.absent
    assert (dropped.duplicates, dropped.of_new_users, dropped.of_new_items) == (1, 1, 3)
    assert (absent.users, absent.items, absent.new_users, absent.new_items) == (1, 3, 1, 3)


def test_a_random_split_holds_out_one_drawn_item_of_each_user(prepare, tmp_path):
    table = random_table()
    path = written(tmp_path / "t.csv", table)
    out = prepare(path, split="random", rows_per_shard=1_000)
    rows = arranged(table)
    everything = [pair for split in ("train", "validation", "test") for pair in out.raw(split)]
    assert sorted(everything) == sorted(raw_rows(rows))
    assert len(out.rows("test")) == len(out.rows("validation")) == out.summary.users
    held_out = {*out.raw("test"), *out.raw("validation")}
    assert out.raw("train") == [pair for pair in raw_rows(rows) if pair not in held_out]
    assert out.raw("test") != expected_splits(table, 1)["test"]
    assert (out.summary.holdout, out.summary.timed) == ("random", True)
    assert prepare(path, split="random", seed=2).raw("test") != out.raw("test")
    assert prepare(path, split="random").raw("test") == out.raw("test")


def test_a_random_share_of_the_rows_is_not_trained_on(prepare, tmp_path):
    table = random_table()
    path = written(tmp_path / "t.csv", table)
    out = prepare(path, split="random", split_share=0.2)
    rows = raw_rows(arranged(table))
    found = {split: out.raw(split) for split in ("train", "validation", "test", "aside")}
    assert sorted(pair for part in found.values() for pair in part) == sorted(rows)
    assert len(found["train"]) / len(rows) == pytest.approx(0.6, abs=0.03)
    for split in ("validation", "test"):
        users = [user for user, _ in found[split]]
        assert len(users) == len(set(users))
    held_out = {*found["test"], *found["validation"], *found["aside"]}
    assert found["train"] == [pair for pair in rows if pair not in held_out]
    assert prepare(path, split="random", split_share=0.2, rows_per_shard=1_000).raw("test") == found["test"]
    assert prepare(path, split="random", split_share=0.2, seed=2).raw("test") != found["test"]


REFUSED = {
    "time without timestamps": ({"split": "time", "timestamp_column": None}, "time needs timestamps"),
    "cutoff before all": (
        {"split": "time", "split_time": 1_000_000},
        r"leaves no row before or after it; .*1000000 to",
    ),
    "cutoff after all": ({"split": "time", "split_time": 2_000_000}, "leaves no row before or after it"),
    "few rows before": ({"split": "time", "split_time": 1_000_001}, "too few different times"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_split_that_cannot_be_made_is_refused_in_one_line(prepare, tmp_path, case):
    options, message = REFUSED[case]
    path = written(tmp_path / "t.csv", sparse_table())
    with pytest.raises(UserError, match=message) as caught:
        prepare(path, **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("out-*/*/*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split_time": 5}, r"split_time needs preprocess\.split to be time"),
        ({"split": "random", "split_time": 5}, r"split_time needs preprocess\.split to be time"),
        ({"split_share": 0.1}, r"split_share needs preprocess\.split to be time or random"),
    ],
)
def test_keys_of_another_split_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PreprocessConfig(**options)


def test_rows_that_no_known_user_has_after_the_cutoff_are_told(prepare, tmp_path):
    rows = [(user, item, user) for user in range(4) for item in range(5)]
    path = written(tmp_path / "t.csv", pd.DataFrame(rows, columns=["user", "item", "timestamp"]))
    with pytest.raises(UserError, match="no row is left for test whose user and item have training rows"):
        prepare(path, split="time", split_time=3, validation=False)


@pytest.mark.parametrize("ties", ["file", "item"])
def test_ml_100k(prepare, shared_data, ties):
    out = prepare(kind="movielens", name="ml-100k", mirror=str(shared_data), min_interactions=20, ties=ties)
    summary = out.summary
    assert (summary.rows_read, summary.users, summary.items) == (100_000, 943, 1_682)
    assert summary.interactions == {"train": 98_114, "validation": 943, "test": 943}
    names = ["user", "item", "rating", "timestamp"]
    table = pd.read_csv(shared_data / "ml-100k" / "u.data", sep="\t", names=names)
    for split, rows in expected_splits(table, 20, ties=ties).items():
        assert out.raw(split) == rows
    if ties == "file":
        stable = table.sort_values(["user", "timestamp"], kind="stable")
        assert out.raw("test") == raw_rows(stable.groupby("user").tail(1))


def test_rows_of_one_time_keep_the_order_of_their_file(prepare, shared_data):
    path = shared_data / "odd" / "ties.csv"
    out = prepare(path)
    table = pd.read_csv(path).drop_duplicates(["user", "item"], keep="last")
    table = table.sort_values("user", kind="stable")
    last = table.groupby("user").tail(2)
    assert out.raw("test") == raw_rows(last.groupby("user").tail(1))
    assert out.raw("validation") == raw_rows(last.groupby("user").head(1))
    assert out.raw("train") == raw_rows(table.drop(last.index))
    assert out.summary.tied_users == out.summary.users == 140
    with pytest.raises(UserError, match="too few different times to be split by time; set it to random"):
        prepare(path, split="time")


def test_a_cutoff_may_be_a_date_whatever_the_unit_of_the_times(prepare, tmp_path):
    days = pd.date_range("2001-09-01", periods=20, freq="D")
    seconds = days.as_unit("s").astype("int64")
    for name, times in {"iso": days.strftime("%Y-%m-%dT%H:%M:%SZ"), "ms": seconds * 1_000}.items():
        table = pd.DataFrame({"user": 1, "item": range(20), "timestamp": times})
        # Somebody else had all of the items before, so that none is new.
        table = pd.concat([table, table.assign(user=2, timestamp=times[0])])
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        out = prepare(tmp_path / f"{name}.csv", split="time", split_time="2001-09-15", validation=False)
        assert len(out.raw("train")) == 14 + 20
        assert out.raw("test") == [(1, 14)]
        assert out.summary.time_unit == {"iso": "us", "ms": "ms"}[name]
    with pytest.raises(UserError, match=r"split_time: 'soon' is neither a number nor a time"):
        prepare(tmp_path / "iso.csv", split="time", split_time="soon")
