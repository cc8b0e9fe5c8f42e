from pathlib import Path

import numpy as np
import pytest

from benchmarks import ranking, scoring
from benchmarks.neumf import Shape
from benchmarks.peers.timing import EAGER, Setting
from components.ranking.ranks import Holdouts

_SCORES = np.array([[9.0, 8.0, 7.0, 6.0, 5.00001, 5.0]], "f4")
_HOLDOUTS = Holdouts(np.array([0]), np.array([1]), np.array([0]), np.array([1]))  # item 0 is seen


@pytest.mark.parametrize(
    ("top", "differing"),
    [
        pytest.param([1, 2, 3, 4], 0, id="the same"),
        pytest.param([1, 2, 3, 5], 0, id="another of the same score"),
        pytest.param([2, 1, 3, 4], 1, id="another order"),
        pytest.param([1, 2, 4, 5], 1, id="one left out"),
        pytest.param([0, 1, 2, 3], 1, id="a seen one"),
        pytest.param([1, 2, 3, 3], 1, id="one twice"),
    ],
)
def test_lists_differ_where_an_item_has_another_score(top: list[int], differing: int) -> None:
    assert scoring.differing_lists(np.array([top]), _SCORES, _HOLDOUTS) == differing


def test_an_item_twice_is_found_even_among_equal_scores() -> None:
    scores = np.ones((1, 6), "f4")
    assert scoring.differing_lists(np.array([[1, 2, 3]]), scores, _HOLDOUTS) == 0
    assert scoring.differing_lists(np.array([[1, 2, 2]]), scores, _HOLDOUTS) == 1


@pytest.mark.parametrize(("peer", "way"), [("_keras", "plain"), ("_torch", EAGER)])
def test_a_peer_finds_the_lists_that_we_find(peer: str, way: str, tmp_path: Path) -> None:
    if peer == "_torch":
        pytest.importorskip("torch")
    shape, users = Shape(40, 50, 0), 12
    ranking.save_model(str(tmp_path), shape)
    holdouts = ranking.random_holdouts(shape.users, shape.items, seen=5)
    seconds, top = scoring._ours(str(tmp_path), holdouts, shape.items, users)
    taken = getattr(scoring, peer)(str(tmp_path), shape, users, Setting(way, 100), str(tmp_path / "scores.npy"))
    assert min(seconds, taken) > 0
    scores = np.load(tmp_path / "scores.npy")
    assert scores.shape == (users, shape.items)
    assert scores.std() > 0.1
    sample = holdouts.take(np.arange(users))
    assert scoring.differing_lists(top, scores, sample) == 0
    assert scoring.differing_lists(top, scores[::-1], sample) > users / 2
