"""How rows are spread, against plain Python."""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.artifacts.data_statistics import TOP, Gap, Largest
from components.preprocess.statistics import MOMENTS, calendar, count_moments, spread
from tests.components.preprocess.tables import random_table


def test_a_spread_has_shares_of_those_with_most_rows() -> None:
    found = spread(np.array([7, 8, 9]), np.array([6, 1, 3]))
    assert (found.mean, found.quantiles) == (10 / 3, (1, 1, 3, 3, 3, 6))
    assert (found.largest.id, found.largest.rows) == (7, 6)
    # Half of three users are the first, and half of the second.
    assert found.curve[TOP.index(0.5)] == pytest.approx((6 + 3 / 2) / 10)
    assert (found.curve[0], found.curve[-1]) == (0, 1)


def test_a_spread_of_many_agrees_with_sorting_them() -> None:
    counts = np.random.default_rng(3).zipf(1.6, 2_000)
    found = spread(np.arange(2_000), counts)
    falling = sorted(counts.tolist(), reverse=True)
    for top, share in zip(TOP, found.curve, strict=True):
        assert share == pytest.approx(sum(falling[: round(top * 2_000)]) / sum(falling), abs=1e-6)
    assert list(found.curve) == sorted(found.curve)


def test_the_first_of_equals_has_most_rows_whatever_its_type() -> None:
    assert spread(np.array(["b", "c"], object), np.array([2, 2])).largest.id == "b"
    assert spread(np.array([5]), np.array([0])).curve[-1] == 0


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_moments_are_equal_parts_of_the_period(kind: type) -> None:
    draw = random.Random(4)
    times = [0, 250, *(draw.randrange(250) for _ in range(500))]
    counts = count_moments(np.array(times, kind) + 10**9, 10**9, 10**9 + 250)
    expected = Counter(min(time * MOMENTS // 250, MOMENTS - 1) for time in times)
    assert counts.tolist() == [expected[part] for part in range(MOMENTS)]


def test_a_period_without_length_has_no_calendar() -> None:
    assert calendar(count_moments(np.array([5, 5]), 5, 5), (5, 5)) is None
    assert calendar(count_moments(np.array([5.0, np.inf]), 5.0, np.inf), (5.0, np.inf)) is None
    assert calendar(np.zeros(MOMENTS, np.int64), None) is None


def test_the_longest_gap_is_found_to_a_thousandth() -> None:
    times = np.array([*range(0, 300), *range(700, 1_001)])
    found = calendar(count_moments(times, 0, 1_000), (0, 1_000))
    assert found is not None
    assert found.gap == Gap(begin=300, end=700)
    assert found.rows == (*[20] * 15, *[0] * 20, *[20] * 14, 21)
    assert sum(found.rows) == len(times)
    without = calendar(np.ones(MOMENTS, np.int64), (0, 1_000))
    assert without is not None
    assert without.gap is None


@pytest.mark.parametrize("times", ["seconds", "fractions", "nanoseconds", "far apart"])
def test_preprocess_knows_when_the_rows_were(prepare: Callable[..., Any], tmp_path: Any, times: str) -> None:
    table = random_table()
    table["timestamp"] = {
        "seconds": table["timestamp"] + 1_000_000_000,
        "fractions": table["timestamp"] + 1_000_000_000.25,
        "nanoseconds": (table["timestamp"] + 1_000_000_000) * 10**9,
        "far apart": table["timestamp"] * 10**15,  # too many bits to be packed
    }[times]
    table.to_csv(tmp_path / "table.csv", index=False)
    found = prepare(tmp_path / "table.csv", min_interactions=10, rows_per_shard=1_000).summary
    rows = table["user"].value_counts().sort_index()
    assert found.statistics.busiest_user == Largest(id=int(rows.idxmax()), rows=int(rows.max()))
    assert len(found.shards) > 2
    low, high = table["timestamp"].min(), table["timestamp"].max()
    parts = ((table["timestamp"] - low) / (high - low) * 50).clip(upper=49.999).astype(int)
    assert list(found.statistics.calendar.rows) == [int((parts == part).sum()) for part in range(50)]


def test_the_number_of_shards_changes_nothing(prepare: Callable[..., Any], tmp_path: Any) -> None:
    random_table().to_csv(tmp_path / "table.csv", index=False)
    one, several = (prepare(tmp_path / "table.csv", rows_per_shard=rows).summary for rows in (10**6, 1_000))
    assert len(several.shards) > len(one.shards)
    assert several.statistics == one.statistics


def test_what_is_held_out_of_an_item_that_is_not_trained_on_is_counted(
    prepare: Callable[..., Any], tmp_path: Any
) -> None:
    # The latest two items of each of twenty users, one of them nobody else's.
    rows = [(user, item, item) for user, item in itertools.product(range(20), range(5))]
    rows += [(user, 100 + user, 100) for user in range(20)]
    rows += [(20, 1, 1), (20, 2, 2), (20, 0, 100)]
    pd.DataFrame(rows, columns=["user", "item", "timestamp"]).to_csv(tmp_path / "rows.csv", index=False)
    last = prepare(tmp_path / "rows.csv").summary
    assert last.statistics.cold == 20 + 20  # item 4 is everybody's validation item
    assert last.new_item_share == 40 / 42
    assert (last.statistics.users.mean, last.statistics.items.quantiles) == (81 / 21, (0, 0, 0, 0, 20, 21))
    by_time = prepare(tmp_path / "rows.csv", split="time", validation=False, split_time=4.0).summary
    assert (by_time.statistics.cold, by_time.held_out_of_new_items, by_time.new_item_share) == (0, 40, 40 / 41)
