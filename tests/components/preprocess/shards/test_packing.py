"""Rows on their way to a sorted shard, against pandas' stable sort."""

import numpy as np
import pandas as pd
import pytest

from components.preprocess.config import PreprocessConfig
from components.preprocess.rows import Rows, merge_censuses, take_census
from components.preprocess.shards import packing
from components.preprocess.shards.plan import Plan, make_plan

SCALES = {
    "a few bits": lambda times: times,
    "too many bits for a place beside them": lambda times: times * 2**44,
    "too many bits to be packed": lambda times: times * 2**53,
    "fractional": lambda times: times / 4 - 0.5,
}


def batches(seed: int, scale: str) -> list[Rows]:
    random = np.random.default_rng(seed)
    users, items = random.integers(0, 50, 2_000) * 3, random.integers(0, 30, 2_000)
    times = SCALES[scale](random.integers(0, 9, 2_000))
    order = np.argsort(users, kind="stable") if seed % 2 else np.arange(2_000)
    return [Rows(users[part], items[part], times[part]) for part in np.array_split(order, 7)]


def sorted_rows(parts: list[Rows], plan: Plan, turned: bool) -> list[tuple[int, int]]:
    """Users and items of all shards, read by workers that end in one order or the other."""
    dealt: dict[int, list[tuple[packing.Place, packing.Packed]]] = {}
    for number, rows in enumerate(parts):
        for shard, packed in packing.distribute(rows, plan):
            dealt.setdefault(shard, []).append(((number // 3, number % 3), packed))
    found = []
    for shard in sorted(dealt):
        rows = packing.sort(dealt[shard][::-1] if turned else dealt[shard], plan)
        assert (rows.users.dtype, rows.times.dtype, rows.items.dtype) == (np.int32, np.int64, np.int32)
        found += zip((rows.users + plan.bounds[shard]).tolist(), rows.items.tolist(), strict=True)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("ties", ["file", "item"])
@pytest.mark.parametrize("rows_per_shard", [1_000, 1_000_000])
def test_rows_of_one_time_are_in_the_order_asked_for(seed: int, scale: str, ties: str, rows_per_shard: int) -> None:
    parts = batches(seed, scale)
    preprocess = PreprocessConfig(ties=ties, rows_per_shard=rows_per_shard, min_interactions=1)
    plan = make_plan(merge_censuses(map(take_census, parts)), preprocess, "rows")
    assert plan.packed == (scale in ("a few bits", "too many bits for a place beside them"))
    table = pd.concat(pd.DataFrame({"user": p.user, "item": p.item, "time": p.timestamp}) for p in parts)
    by = ["user", "time", "item"] if ties == "item" else ["user", "time"]
    table = table.sort_values(by, kind="stable")
    positions = np.searchsorted(plan.users, table["user"])
    expected = list(zip(positions.tolist(), table["item"].tolist(), strict=True))
    assert sorted_rows(parts, plan, turned=False) == expected
    assert sorted_rows(parts, plan, turned=True) == expected


def test_the_scales_take_each_way_of_sorting() -> None:
    parts = batches(0, "too many bits for a place beside them")
    plan = make_plan(merge_censuses(map(take_census, parts)), PreprocessConfig(min_interactions=1), "rows")
    users, places = 6, 11
    assert plan.time_bits + users + places > 64 > plan.time_bits + users + plan.item_bits
