"""Baselines, which a model has to beat to be worth its while: one file each.

A baseline that stands in `BASELINES` under NAME has the keys `NAME` (whether it is measured), `better_than_NAME` and
`NAME_margin` in the section `evaluator`, besides its own; it is measured on the same users as the model, shown in the
report and on the console, and may be asked for by the gate.
"""

from components.evaluator.baselines.als import AlternatingLeastSquares
from components.evaluator.baselines.base import Baseline, Training
from components.evaluator.baselines.ease import Ease
from components.evaluator.baselines.item_knn import ItemKnn
from components.evaluator.baselines.popularity import Popularity
from components.evaluator.baselines.recent_items import RecentItems

__all__ = ["BASELINES", "Baseline", "Training"]

BASELINES: dict[str, type[Baseline]] = {
    "popularity": Popularity,
    "als": AlternatingLeastSquares,
    "item_knn": ItemKnn,
    "ease": Ease,
    "recent_items": RecentItems,
}
