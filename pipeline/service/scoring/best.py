"""The best items of users in compiled code: what the signature `recommend` answers, in a fraction of its time."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from components.bulk_recommend.fast import alike, as_asked
from components.ranking.compiled_scorer import CompiledScorer
from components.serving.contract import LOWEST_SCORE, Catalog
from components.serving.highest import highest
from components.serving.loader import ServedModel

_TRIED, _TRIED_K = 4, 10

Scores = npt.NDArray[np.float32]
Items = npt.NDArray[np.intp]


def best_of(served: ServedModel, catalog: Catalog[npt.NDArray[Any]]) -> "BestItems | None":
    """Finds the best items as a model's signature does; None where it does not declare its weights, or they differ."""
    weights = served.served_weights()
    if weights is None or len(weights.user_table) != len(catalog.user_ids):
        return None
    best = BestItems(CompiledScorer(served, weights), catalog)
    users = np.linspace(0, len(catalog.user_ids) - 1, _TRIED).astype(np.int32)
    k = min(_TRIED_K, len(catalog.item_ids))
    expected = served.recommend(as_asked(catalog.user_ids[users]), k)["scores"]
    actual = np.stack([scores for _, scores in best.of(users, k)])
    return best if alike(expected, actual) else None


class BestItems:
    """The best unseen items of users by their indexes."""

    def __init__(self, scorer: CompiledScorer, catalog: Catalog[npt.NDArray[Any]]):
        """Takes what scores, and what users have seen."""
        self._scorer, self._seen, self._bounds = scorer, catalog.seen_items, catalog.seen_bounds
        self._slope, self._offset = catalog.probabilities

    def of(self, users: npt.NDArray[np.int32], k: int) -> list[tuple[Items, Scores]]:
        """The items and their scores, best first, `k` or as many as there are, of each user: probabilities."""
        scores = self._scorer.score_all_items(users)
        for row, user in zip(scores, users, strict=True):
            row[self._seen[self._bounds[user] : self._bounds[user + 1]]] = LOWEST_SCORE
        return [(best, self._told(row[best])) for row in scores for best in [highest(row, k)]]

    def _told(self, logits: Scores) -> Scores:
        return np.where(logits > LOWEST_SCORE, expit(self._slope * logits + self._offset), LOWEST_SCORE)
