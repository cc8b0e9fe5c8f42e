"""The time from which on a share of the rows is, against a sort of all rows."""

import numpy as np
import pytest

from components.preprocess import times
from components.preprocess.times import add_time_counts, count_times, newest, sortable


def best_cut(values: np.ndarray, rows: float) -> float:
    """The later of the times, but the first, from which on there are nearest to so many rows."""
    cuts = np.unique(values)[1:]
    return min(cuts[::-1].tolist(), key=lambda cut: abs((values >= cut).sum() - rows))


@pytest.mark.parametrize("seed", range(20))
def test_the_newest_rows_begin_where_a_sort_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, random.integers(3, 400), 500)
    counts = add_time_counts([count_times(part) for part in np.array_split(values, 7)])
    for rows in (0, 1, 50, 77.5, 400, 1_000):
        assert newest(counts, rows) == best_cut(values, rows)
    before = float(np.median(values)) + 1
    assert newest(counts, 40, before) == best_cut(values[values < before], 40)


@pytest.mark.parametrize(
    "values", [[-3, 0, 2**40], [-1.5, -0.25, 0.0, 1e-300, 1e300], [-(2**62), -1, 0, 1, 2**62]], ids=str
)
def test_numbers_sort_as_times_do(values: list[float]) -> None:
    numbers = sortable(np.array(values))
    assert numbers.dtype == np.int64
    assert (np.diff(numbers) > 0).all()


@pytest.mark.parametrize("offset", [0.5, -700.25])
def test_fractional_and_negative_times_are_cut_too(offset: float) -> None:
    values = np.arange(100) * 0.5 + offset
    counts = count_times(values)
    assert newest(counts, 10) == values[90]
    assert newest(counts, 10, before=values[90]) == values[80]


def test_rows_of_one_time_cannot_be_cut() -> None:
    counts = count_times(np.full(50, 20200101))
    assert newest(counts, 5) is None
    assert newest(count_times(np.array([1, 2])), 1, before=2.0) is None


def test_many_times_share_bins_whoever_counts_them_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_MOST_BINS", 64)
    random = np.random.default_rng(3)
    values = np.concatenate([random.integers(1_500_000_000, 1_600_000_000, 5_000), [0, 2**50]])
    together = count_times(values)
    assert len(together.bins) <= 64
    assert together.rows.sum() == len(values)
    parts = [count_times(part) for part in np.array_split(random.permutation(values), 9)]
    for order in (parts, parts[::-1]):
        halves = [add_time_counts(order[:4]), add_time_counts(order[4:])]
        added = add_time_counts(halves)
        assert (added.bins.tolist(), added.rows.tolist()) == (together.bins.tolist(), together.rows.tolist())
        assert added.dropped_bits == together.dropped_bits > 0


def test_coarse_bins_cut_off_about_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_MOST_BINS", 1_000)
    values = np.random.default_rng(4).integers(1_500_000_000, 1_600_000_000, 50_000)
    cut = newest(count_times(values), 5_000)
    assert cut is not None
    assert (values >= cut).sum() == pytest.approx(5_000, abs=200)
