"""What users lose by being new: the same users and items, held out entirely by one run and trained on by another.

Other users, drawn by chance, would not tell: a few hundred of them may have items that are a quarter harder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import Vocabulary
from components.evaluator.bootstrap import Interval
from components.evaluator.comparison import Resampled
from components.shared.progress import bar
from components.shared.random_streams import generator

K = 10
_NEW, _TRAINED = "new", "trained"
_CONFIDENCE, _SAMPLES = 0.95, 1000
_USERS_PER_BLOCK = 256


@dataclass(frozen=True)
class Ranks:
    """The ranks of the same users' test items, in the same order.

    Attributes:
      new: int64 [n], by what they did alone; more than `K` for all beyond.
      trained: int64 [n], as trained users.
    """

    new: npt.NDArray[np.int64]
    trained: npt.NDArray[np.int64]


def compare(without: Path, with_all: Path) -> Ranks:
    """Ranks the held-out users of a run by its model, and by that of a run which trained on them.

    Args:
      without: root of the run that held them out.
      with_all: root of the other one, of the same data and seed.
    """
    from components.evaluator.inputs import read_holdouts
    from components.evaluator.new_users import rank_left_out
    from components.ranking.compiled_scorer import fastest_scorer
    from components.ranking.ranks import rank_all_items
    from components.serving.contract import RECOMMEND_FOR_ITEMS, SIGNATURES
    from components.serving.loader import ServedModel

    interactions, vocabulary = _data(with_all)
    holdouts = read_holdouts(interactions)
    places = {vocabulary.user(user): row for row, user in enumerate(holdouts.users.tolist())}
    judged = dict(zip(places, vocabulary.item_ids[holdouts.items].tolist(), strict=True))
    histories = [one for one in _data(without)[0].held_out_users() if judged.get(one.user) == one.judged]
    if not histories:
        return Ranks(np.zeros(0, np.int64), np.zeros(0, np.int64))
    same = holdouts.take(np.array([places[history.user] for history in histories], np.int64))
    with bar("new users", 2 * len(histories)) as progress:
        items = len(_data(without)[1].item_ids)
        new, _ = rank_left_out(
            ServedModel(_model(without), items, [RECOMMEND_FOR_ITEMS]), histories, K, _USERS_PER_BLOCK, progress
        )
        scorer = fastest_scorer(ServedModel(_model(with_all), len(vocabulary.item_ids), SIGNATURES))
        trained = rank_all_items(scorer, same, K, _USERS_PER_BLOCK, progress).ranks
    return Ranks(new, trained)


def ratio(found: Sequence[Ranks]) -> Interval | None:
    """HR@10 of new users as a multiple of the same users' as trained ones, and its 95 % interval (paired bootstrap).

    None where there are no such users, or none of them had a hit.
    """
    ranks = {
        _NEW: np.concatenate([np.zeros(0, np.int64), *(one.new for one in found)]),
        _TRAINED: np.concatenate([np.zeros(0, np.int64), *(one.trained for one in found)]),
    }
    hits = {name: float((values <= K).mean()) if len(values) else 0.0 for name, values in ranks.items()}
    if not hits[_TRAINED]:
        return None
    resampled = Resampled.of(ranks, (K,), generator(0, "new users"), _SAMPLES)
    bounds = resampled.ratio_bounds(_NEW, resampled, _TRAINED, _CONFIDENCE)[f"HR@{K}"]
    return Interval(hits[_NEW] / hits[_TRAINED], bounds.low, bounds.high)


def _data(root: Path) -> tuple[Interactions, Vocabulary]:
    preprocessed = root / "artifacts" / "Preprocess"
    interactions, vocabulary = (next((preprocessed / name).iterdir()) for name in ("interactions", "vocabulary"))
    return Interactions(str(interactions)), Vocabulary.open(str(vocabulary))


def _model(root: Path) -> str:
    return str(next((root / "artifacts" / "Trainer" / "model").iterdir()) / "Format-Serving")
