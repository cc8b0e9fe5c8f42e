"""What users lose by being new, from the ranks of the same users in two runs."""

import numpy as np
import pytest

from benchmarks.new_users import Ranks, ratio


def ranks(new: list[int], trained: list[int]) -> Ranks:
    return Ranks(np.array(new, np.int64), np.array(trained, np.int64))


def test_the_ratio_is_that_of_all_users_of_all_runs() -> None:
    found = ratio([ranks([1, 11, 10], [1, 9, 11]), ranks([11] * 4, [1, 2, 11, 11])])
    assert found is not None
    assert found.mean == pytest.approx(2 / 4)
    assert found.low <= found.mean <= found.high


def test_what_is_hard_for_both_does_not_widen_the_interval() -> None:
    hard = np.random.default_rng(0).random(500) < 0.7
    places = np.where(hard, 11, 3)
    same = ratio([Ranks(places, places)])
    assert same is not None
    assert (same.mean, same.low, same.high) == (1, 1, 1)
    others = ratio([Ranks(places, np.random.default_rng(1).permutation(places))])
    assert others is not None
    assert others.mean == pytest.approx(1)
    assert others.high - others.low > 0.1


@pytest.mark.parametrize("found", [[], [ranks([], [])], [ranks([1], [11])]])
def test_without_a_hit_there_is_no_ratio(found: list[Ranks]) -> None:
    assert ratio(found) is None
