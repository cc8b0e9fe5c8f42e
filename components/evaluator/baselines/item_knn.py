"""Neighbourhoods of items: who has interacted with this one has interacted with those."""

from typing import ClassVar

from pydantic import Field

from components.evaluator.baselines.base import Baseline, Training
from components.evaluator.baselines.history_scorer import HistoryScorer
from components.evaluator.baselines.neighbours import nearest
from components.shared.progress import Bar


class ItemKnn(Baseline):
    """Sums the similarities between an item and those of its neighbours that the user has seen.

    Sarwar et al., WWW 2001, for interactions without ratings as in Deshpande and Karypis, TOIS 2004.
    """

    title: ClassVar[str] = "item-kNN"
    label: ClassVar[str] = "Item-kNN"
    about: ClassVar[str] = (
        "items by their cosine similarity to the user's seen items (Sarwar et al., WWW 2001; Deshpande and Karypis, "
        "TOIS 2004)"
    )

    item_knn_neighbours: int = Field(
        100, ge=1, description="By how many of its most similar items, if the user has seen them, an item is scored."
    )
    item_knn_shrinkage: float = Field(
        10.0,
        ge=0,
        allow_inf_nan=False,
        description="Added to the denominator of the cosine, in users: the greater, the less a similarity counts that "
        "few users stand for.",
    )

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        return training.items

    def fit(self, training: Training, bar: Bar) -> HistoryScorer:
        """See `Baseline`."""
        similarities = nearest(training.matrix, self.item_knn_neighbours, self.item_knn_shrinkage, bar)
        return HistoryScorer(training.matrix, similarities.T.tocsr())
