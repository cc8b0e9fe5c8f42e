"""Users who are held out entirely, against pandas."""

import pandas as pd
import pytest

from components.artifacts.interactions import Interactions
from components.preprocess.outcome import describe
from components.shared.errors import UserError
from tests.components.preprocess.tables import arranged, expected_splits, raw_rows
from tests.components.preprocess.test_splits import by_time, core, sparse_table, written

FILTERS = {"min_interactions": 8, "min_item_interactions": 10}


def held_out(out) -> pd.DataFrame:
    """The files of the users who are held out."""
    files = sorted((out.folder / "interactions" / "held_out_users").glob("*.parquet"))
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def of(users: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
    return table[table["user"].isin(users)]


@pytest.mark.parametrize("shards", [{}, {"rows_per_shard": 1_000}], ids=["one shard", "several"])
def test_a_share_of_the_users_that_the_filters_leave_is_held_out(prepare, tmp_path, shards):
    path = written(tmp_path / "t.csv", sparse_table())
    out = prepare(path, new_users=0.3, **FILTERS, **shards)
    new, left = held_out(out), core(arranged(sparse_table()), 8, 10)

    assert len(out.summary.shards) == len(list((out.folder / "interactions" / "held_out_users").iterdir()))
    assert 0.15 < new["user"].nunique() / left["user"].nunique() < 0.45
    assert raw_rows(new) == raw_rows(of(new["user"], left)), "all their rows, in the order of time"
    from_end = new.groupby("user").cumcount(ascending=False)
    assert new["judged"].tolist() == (from_end == 0).tolist()

    others = left[~left["user"].isin(new["user"])]
    for split, rows in expected_splits(others, 1).items():
        assert out.raw(split) == rows
    assert out.ids("users") == sorted(set(others["user"]))
    assert out.ids("items") == sorted(set(others["item"]))


def test_the_summary_counts_them(prepare, tmp_path):
    table = sparse_table()
    path = written(tmp_path / "t.csv", table)
    out, whole = prepare(path, new_users=0.3, **FILTERS), prepare(path, **FILTERS)
    new, summary = held_out(out), out.summary
    users = new["user"].nunique()

    assert (summary.held_out_users.users, summary.held_out_users.judged) == (users, users)
    assert summary.held_out_users.interactions == len(new)
    assert summary.rows_read == summary.dropped.rows + sum(summary.interactions.values()) + len(new)
    assert summary.users + users == whole.summary.users
    assert summary.absent.users == whole.summary.absent.users
    told = f"; {users} of {whole.summary.users} users ({users / whole.summary.users:.1%}) with {len(new):,} rows are"
    assert describe(summary).endswith(f"{told} held out entirely")
    assert whole.summary.held_out_users is None
    assert not (whole.folder / "interactions" / "held_out_users").exists()
    assert summary.fingerprint != whole.summary.fingerprint


def test_they_are_read_as_histories_with_the_item_to_judge_by(prepare, tmp_path):
    table = sparse_table().assign(
        user=lambda rows: "u" + rows["user"].astype(str), item=lambda rows: "é" + rows["item"].astype(str)
    )
    out = prepare(written(tmp_path / "t.csv", table), new_users=0.3, rows_per_shard=1_000, **FILTERS)
    found = list(Interactions(str(out.folder / "interactions")).held_out_users())
    expected = [
        (rows["item"][~rows["judged"]].tolist(), rows["item"][rows["judged"]].item())
        for _, rows in held_out(out).groupby("user", sort=False)
    ]
    assert [(history.items.tolist(), history.judged) for history in found] == expected
    nobody = prepare(written(tmp_path / "t.csv", table), **FILTERS)
    assert not list(Interactions(str(nobody.folder / "interactions")).held_out_users())


def test_who_is_held_out_depends_on_the_seed_and_not_on_the_shards(prepare, tmp_path):
    path = written(tmp_path / "t.csv", sparse_table())
    one, same, other = (
        set(held_out(prepare(path, new_users=0.3, seed=seed, **FILTERS, **shards))["user"])
        for seed, shards in ((1, {}), (1, {"rows_per_shard": 1_000}), (2, {}))
    )
    assert one == same != other


def test_by_time_they_are_judged_as_the_others_are(prepare, tmp_path):
    path = written(tmp_path / "t.csv", sparse_table())
    out = prepare(path, new_users=0.3, split="time", split_share=0.15, rows_per_shard=1_000, **FILTERS)
    new = held_out(out)
    cutoffs = out.summary.held_out_from
    left = core(arranged(sparse_table()), 8, 10)
    others = left[left["user"].isin(set(out.ids("users")))]
    assert not set(new["user"]) & set(others["user"])
    for split, rows in by_time(others, cutoffs["validation"], cutoffs["test"]).items():
        assert out.raw(split) == rows

    trained = others[others["timestamp"] < cutoffs["validation"]]
    known = left[left["item"].isin(trained["item"])]
    for user, rows in new.groupby("user"):
        mine = known[known["user"] == user]
        before = mine[mine["timestamp"] < cutoffs["validation"]]["item"].tolist()
        between = mine[(mine["timestamp"] >= cutoffs["validation"]) & (mine["timestamp"] < cutoffs["test"])]
        after = mine[mine["timestamp"] >= cutoffs["test"]]["item"].tolist()
        assert rows["item"][~rows["judged"]].tolist() == before + between["item"].tolist()[:1]
        assert rows["item"][rows["judged"]].tolist() == after[:1]
    summary = out.summary.held_out_users
    assert summary.judged == new["user"].nunique() < summary.users
    assert f"held out entirely, {summary.judged} of them to be judged" in describe(out.summary)


def test_without_times_the_item_to_judge_by_is_drawn(prepare, tmp_path):
    table = sparse_table().drop(columns="timestamp").drop_duplicates()
    path = written(tmp_path / "t.csv", table)
    options = {"new_users": 0.3, "timestamp_column": None, **FILTERS}
    new = held_out(prepare(path, **options))
    places = new.groupby("user")["judged"].apply(lambda judged: judged.argmax() / (len(judged) - 1))
    assert (new.groupby("user")["judged"].sum() == 1).all()
    assert 0.3 < places.mean() < 0.7
    assert new.equals(held_out(prepare(path, **options)))


def test_a_user_with_one_interaction_cannot_be_judged(prepare, tmp_path):
    trained = pd.DataFrame(
        {"user": 400, "item": [1, 2, 3], "timestamp": [5, 6, 7]}
    )  # or there is nothing to learn from
    table = pd.concat([pd.DataFrame({"user": range(400), "item": 1, "timestamp": 5}), trained])
    summary = prepare(written(tmp_path / "t.csv", table), new_users=0.25).summary
    assert summary.held_out_users.judged == 0
    assert 50 < summary.held_out_users.users < 150


def test_a_data_set_with_a_split_of_its_own_has_nobody_to_hold_out(prepare, tmp_path):
    for ending, lines in {"train.rating": "0\t1\t5\t1\n", "test.rating": "0\t2\t5\t2\n"}.items():
        (tmp_path / f"ml.{ending}").write_text(lines)
    (tmp_path / "ml.test.negative").write_text("(0,2)\t3\n")
    with pytest.raises(UserError, match=r"^evaluator\.new_users: this data set says itself what is held out of whom"):
        prepare(tmp_path, kind="ncf", new_users=0.1)
    assert not list(tmp_path.glob("out-*/*/*"))
