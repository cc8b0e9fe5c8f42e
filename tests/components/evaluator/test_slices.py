import numpy as np
import pytest

from components.evaluator.slices import Slice, quartile_numbers, quartiles, slicings


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (range(1, 9), [("quartile 1", 1, 2), ("quartile 2", 3, 4), ("quartile 3", 5, 6), ("quartile 4", 7, 8)]),
        ([9, 1, 1, 1, 1, 2, 5, 5], [("quartile 1", 1, 1), ("quartile 3", 2, 5), ("quartile 4", 9, 9)]),
        ([4, 4, 4, 4], [("quartile 1", 4, 4)]),
        ([7], [("quartile 1", 7, 7)]),
        ([0, 3], [("quartile 1", 0, 0), ("quartile 3", 3, 3)]),
        ([], []),
    ],
    ids=["even", "ties stay together", "all equal", "one", "two", "none"],
)
def test_quartiles(counts: list[int], expected: list[tuple[str, int, int]]) -> None:
    assert list(quartiles(np.array(counts, np.int64))) == [Slice(*part) for part in expected]


def test_quartiles_of_many_counts_are_about_equal() -> None:
    counts = np.random.default_rng(0).zipf(1.5, 10_000)
    sizes = np.bincount(quartile_numbers(counts), minlength=4) / len(counts)
    assert sizes[1:].max() < 0.26
    assert sizes.sum() == 1
    assert quartile_numbers(np.arange(1_000)).tolist() == [quarter for quarter in range(4) for _ in range(250)]


def test_every_record_is_in_one_slice_of_each_slicing_and_so_are_those_of_a_subset() -> None:
    random = np.random.default_rng(1)
    users, items = np.arange(200), random.integers(50, size=200)
    user_counts, item_counts = random.integers(1, 30, 200), random.integers(0, 9, 50)
    cuts = slicings(users, items, user_counts, item_counts)
    assert list(cuts) == ["activity", "item_popularity"]
    for counts, slicing in ((user_counts[users], cuts["activity"]), (item_counts[items], cuts["item_popularity"])):
        for some in (np.arange(200), np.array([3, 50, 121])):
            members = list(slicing.members(users[some], items[some]))
            assert np.sum([belongs for _, belongs in members], axis=0).tolist() == [1] * len(some)
            for part, belongs in members:
                of_part = counts[some][belongs]
                assert ((part.low <= of_part) & (of_part <= part.high)).all()


def test_no_records_have_no_slices() -> None:
    nothing = np.zeros(0, np.int32)
    assert all(cut.slices == () for cut in slicings(nothing, nothing, np.ones(3), np.ones(3)).values())
