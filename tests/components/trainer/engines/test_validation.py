from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.engines.validation import make_ranking, rank_of_positive

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("scores", "mask", "rank"),
    [
        ([3, 1, 2, 0], [0, 0, 0, 0], 1),
        ([1, 3, 2, 0], [0, 0, 0, 0], 3),
        ([1, 1, 2, 0], [0, 0, 0, 0], 3),
        ([0, 0, 0, 0], [0, 0, 0, 0], 4),
        ([1, 3, 2, 0], [0, 1, 0, 0], 2),
        ([1, 1, 2, 0], [0, 1, 1, 0], 1),
        ([NAN, 1, 2, 0], [0, 0, 0, 0], 5),
        ([NAN, 1, 2, 0], [0, 1, 1, 1], 5),
        ([1, NAN, 0, 0], [0, 0, 0, 0], 2),
        ([INF, INF, -INF, 0], [0, 0, 0, 0], 2),
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


def test_only_users_whose_positive_counts_are_ranked() -> None:
    # Ranks 1, 3 and 4 of the model's own scores, and a padded user.
    model: Any = lambda user, item: tf.constant([[9, 1, 2, 3], [1, 2, 3, 0], [0, 1, 2, 3], [9, 1, 2, 3]], tf.float32)  # noqa: E731
    mask = np.zeros((4, 4), np.uint8)
    mask[3, 0] = 1
    ranks = make_ranking(model)(tf.zeros((4, 4), tf.int32), tf.zeros((4, 4), tf.int32), tf.constant(mask))
    assert ranks.tolist() == [1, 3, 4]
    assert ranks.dtype == np.int64
