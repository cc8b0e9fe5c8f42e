import numpy as np
import pytest

from components.serving.highest import highest


@pytest.mark.parametrize("k", [0, 1, 3, 7, 50, 80])
def test_the_highest_come_first_and_equal_ones_in_their_order(k: int) -> None:
    scores = np.random.default_rng(k).integers(-5, 5, size=50).astype(np.float32)
    expected = sorted(range(50), key=lambda place: (-scores[place], place))[:k]
    assert highest(scores, k).tolist() == expected
