"""Whether what will be served is what was measured."""

import numpy as np

from components.evaluator.scorer import Scorer
from components.evaluator.served_model import ServedModel

ITEMS_PER_USER = 20
MOST_USERS = 256


def check_serving(
    model: ServedModel,
    measured_by: Scorer,
    user_ids: np.ndarray,
    item_ids: np.ndarray,
    users_per_block: int,
    random: np.random.Generator,
) -> dict[str, float]:
    """Compares the model's three signatures, and what it was measured by, on a sample of users and items.

    Args:
      model: the model.
      measured_by: what its scores of all items come from in the metrics.
      user_ids: raw ids of all users, by dense index.
      item_ids: raw ids of all items, by dense index.
      users_per_block: for how many users all items are scored at once.
      random: draws the sample.

    Returns:
      `users`: size of the sample. `unknown_ids`: how many ids of the vocabulary the model says it does not know.
      `largest_difference`: between the scores of raw ids, of candidates and of all items, relative to the largest
      score of that user; NaN where a score is.
    """
    users = random.choice(len(user_ids), min(MOST_USERS, len(user_ids)), replace=False).astype(np.int32)
    items = random.integers(len(item_ids), size=(len(users), ITEMS_PER_USER), dtype=np.int32)
    served = model.serve(user_ids[users], item_ids[items])
    measured = model.score_candidates(users, items)
    blocks = [slice(begin, begin + users_per_block) for begin in range(0, len(users), users_per_block)]
    among_all = [
        np.concatenate(
            [np.take_along_axis(scorer.score_all_items(users[block]), items[block], axis=1) for block in blocks]
        )
        for scorer in (model, measured_by)
    ]
    differences = [largest_difference(measured, scores) for scores in (served["scores"], *among_all)]
    return {
        "users": len(users),
        "unknown_ids": int((~served["known_user"]).sum() + (~served["known_item"]).sum()),
        "largest_difference": float(np.max(differences)),
    }


def largest_difference(expected: np.ndarray, actual: np.ndarray) -> float:
    """The largest difference, relative to the largest absolute value of its row; NaN where a value is not finite.

    Args:
      expected: floats [n, width].
      actual: floats [n, width].
    """
    if not (np.isfinite(expected).all() and np.isfinite(actual).all()):
        return float("nan")
    scale = np.maximum(np.abs(expected).max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return float((np.abs(expected - actual) / scale).max())
