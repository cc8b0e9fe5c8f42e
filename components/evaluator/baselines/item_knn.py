"""Neighbourhoods of items: who has interacted with this one has interacted with those."""

from typing import Annotated, ClassVar

from pydantic import Field

from components.evaluator.baselines.base import AUTO, Training
from components.evaluator.baselines.linear.history_scorer import HistoryScorer
from components.evaluator.baselines.linear.neighbours import nearest
from components.evaluator.baselines.tuned import TunedBaseline
from components.shared.parameters import Auto
from components.shared.progress import Bar


class ItemKnn(TunedBaseline):
    """Sums the similarities between an item and those of its neighbours that the user has seen.

    Sarwar et al., WWW 2001, for interactions without ratings as in Deshpande and Karypis, TOIS 2004.
    """

    title: ClassVar[str] = "item-kNN"
    label: ClassVar[str] = "Item-kNN"
    about: ClassVar[str] = (
        "items by their cosine similarity to the user's seen items (Sarwar et al., WWW 2001; Deshpande and Karypis, "
        "TOIS 2004)"
    )

    grid: ClassVar = {
        "item_knn_neighbours": (10, 20, 50, 100, 200, 500),
        "item_knn_shrinkage": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0),
    }
    usual: ClassVar = {"item_knn_neighbours": 20, "item_knn_shrinkage": 3.0}

    item_knn_neighbours: Annotated[int, Field(ge=1)] | Auto = Field(
        AUTO,
        description="By how many of its most similar items, if the user has seen them, an item is scored. auto: the "
        "best of 10 to 500 on validation.",
    )
    item_knn_shrinkage: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Auto = Field(
        AUTO,
        description="Added to the denominator of the cosine, in users: the greater, the less a similarity counts that "
        "few users stand for. auto: the best of 0 to 100 on validation.",
    )

    def steps(self, training: Training) -> int:
        """See `Baseline`."""
        return training.items

    def fit(self, training: Training, bar: Bar) -> HistoryScorer:
        """See `Baseline`."""
        number, shrinkage = int(self.value("item_knn_neighbours")), self.value("item_knn_shrinkage")
        similarities = nearest(training.matrix, number, shrinkage, bar)
        return HistoryScorer(training.matrix, similarities.T.tocsr())
