"""Who is drawn, and that it stays so."""

from collections.abc import Callable

import numpy as np
import pytest

from components.shared.stable_samples import draw_ids


def _texts(values: np.ndarray) -> np.ndarray:
    return np.array([f"é{value}" for value in values], object)


@pytest.fixture(params=[np.asarray, _texts], ids=["numbers", "texts"])
def ids(request: pytest.FixtureRequest) -> np.ndarray:
    kind: Callable[[np.ndarray], np.ndarray] = request.param
    return kind(np.arange(0, 30_000, 3))


def test_so_many_are_drawn_each_once_and_evenly(ids: np.ndarray) -> None:
    drawn = draw_ids(ids, 2_000, key=1)
    assert len(drawn) == len(set(drawn.tolist())) == 2_000
    assert (np.diff(drawn) > 0).all()
    # Of each tenth of the ids, 200 with a standard deviation of 12.
    assert np.histogram(drawn, 10, (0, len(ids)))[0] == pytest.approx(200, abs=60)


def test_those_drawn_are_the_same_wherever_they_stand_and_whoever_comes(ids: np.ndarray) -> None:
    before = set(ids[draw_ids(ids, 2_000, key=1)])
    shuffled = np.random.default_rng(0).permutation(ids)
    assert set(shuffled[draw_ids(shuffled, 2_000, key=1)]) == before
    grown = ids[:-100]  # a hundredth came since
    assert len(before & set(grown[draw_ids(grown, 2_000, key=1)])) == pytest.approx(1_980, abs=15)


def test_another_key_draws_others(ids: np.ndarray) -> None:
    one, other = (set(draw_ids(ids, 2_000, key)) for key in (1, 2**64 - 1))
    assert len(one & other) == pytest.approx(400, abs=80)  # as chance has it


def test_all_are_drawn_where_there_are_no_more(ids: np.ndarray) -> None:
    for number in (3, 4):
        assert draw_ids(ids[:3], number, key=1).tolist() == [0, 1, 2]
    assert draw_ids(ids[:0], 4, key=1).tolist() == []
