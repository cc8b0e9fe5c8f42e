import numpy as np
import pytest

from components.trainer.validation import rank_of_positive, ranking_sums

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("scores", "mask", "rank"),
    [
        ([3, 1, 2, 0], [0, 0, 0, 0], 0),
        ([1, 3, 2, 0], [0, 0, 0, 0], 2),
        ([1, 1, 2, 0], [0, 0, 0, 0], 2),
        ([0, 0, 0, 0], [0, 0, 0, 0], 3),
        ([1, 3, 2, 0], [0, 1, 0, 0], 1),
        ([1, 1, 2, 0], [0, 1, 1, 0], 0),
        ([NAN, 1, 2, 0], [0, 0, 0, 0], 4),
        ([NAN, 1, 2, 0], [0, 1, 1, 1], 4),
        ([1, NAN, 0, 0], [0, 0, 0, 0], 1),
        ([INF, INF, -INF, 0], [0, 0, 0, 0], 1),
    ],
    ids=[
        "best",
        "third",
        "tie",
        "all tied",
        "masked",
        "masked tie",
        "nan",
        "nan, all masked",
        "nan negative",
        "infinite",
    ],
)
def test_rank_of_positive(scores: list[float], mask: list[int], rank: int) -> None:
    ranks = rank_of_positive(np.array([scores], np.float32), np.array([mask], np.uint8))
    np.testing.assert_array_equal(ranks, [rank])


def test_sums_over_users() -> None:
    # Ranks 0, 2 and 3, and a padded user that would be a hit.
    scores = np.array([[9, 1, 2, 3], [1, 2, 3, 0], [0, 1, 2, 3], [9, 1, 2, 3]], np.float32)
    mask = np.zeros((4, 4), np.uint8)
    mask[3, 0] = 1
    hits, gain, users = ranking_sums(scores, mask, 3)
    assert (float(hits), float(users)) == (2, 3)
    assert float(gain) == pytest.approx(1 + 1 / np.log2(4))


def test_no_user_counts() -> None:
    hits, gain, users = ranking_sums(np.ones((2, 3), np.float32), np.ones((2, 3), np.uint8), 10)
    assert (float(hits), float(gain), float(users)) == (0, 0, 0)
