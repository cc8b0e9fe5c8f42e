import math

import numpy as np
import pytest

from components.ranking.difference import largest_difference

ROW = [[4.0, -0.5, 0.001]]


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        (ROW, ROW, 0.0),
        (ROW, [[4.0, -0.5, 0.401]], 0.1),
        ([[0.0, 0.0]], [[0.0, 0.0]], 0.0),
        ([[1.0, 1.0], [100.0, 0.0]], [[1.0, 1.5], [100.0, 1.0]], 0.5),
    ],
    ids=["equal", "relative to the user's largest score", "all zero", "each user by their own scale"],
)
def test_largest_difference(expected: list[list[float]], actual: list[list[float]], difference: float) -> None:
    assert largest_difference(np.array(expected), np.array(actual)) == pytest.approx(difference)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_have_no_difference(bad: float) -> None:
    for one, other in (([[bad, 1]], [[bad, 1]]), ([[1, 1]], [[bad, 1]])):
        assert math.isnan(largest_difference(np.array(one), np.array(other)))
