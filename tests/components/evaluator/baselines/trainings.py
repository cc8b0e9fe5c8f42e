"""Training interactions for baselines to learn from, and what is expected of their scores."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from components.evaluator.baselines import Training
from components.evaluator.baselines.base import Pairs
from components.shared.scorer import Scorer

USERS, ITEMS = 50, 23
NO_PAIRS: Pairs = (np.zeros(0, np.int32), np.zeros(0, np.int32))


class Bar:
    """Counts the steps, and keeps what it is told."""

    def __init__(self) -> None:
        self.steps, self.texts = 0, list[str]()

    def advance(self, steps: int = 1) -> None:
        self.steps += steps

    def describe(self, text: str) -> None:
        self.texts.append(text)


def training_of(pairs: Pairs, users: int, items: int, **fields: Any) -> Training:
    """What there is to learn from in some training interactions; `fields` are those of `Training`."""
    counts = np.bincount(pairs[1], minlength=items)
    known: dict[str, Any] = {"read": lambda: pairs, "read_validation": lambda: NO_PAIRS, "by_time": True, "seed": 0}
    return Training(users, counts, **{**known, **fields})


def random_pairs(interactions: int = 400) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Some training interactions, by user, a few of them twice; nobody has seen the last item."""
    random = np.random.default_rng(7)
    users, items = random.integers(USERS, size=interactions), random.zipf(1.3, interactions) % (ITEMS - 1)
    pairs = np.sort(users).astype(np.int32), items.astype(np.int32)
    assert len(set(zip(*pairs, strict=True))) < interactions
    return pairs


def random_training(interactions: int = 400, **fields: Any) -> tuple[Training, npt.NDArray[np.float64]]:
    """Those interactions, and the same as a matrix of zeros and ones."""
    pairs = random_pairs(interactions)
    seen = np.zeros((USERS, ITEMS))
    seen[pairs] = 1
    return training_of(pairs, USERS, ITEMS, **fields), seen


def assert_scores(scorer: Scorer, expected: npt.NDArray[np.float64], tolerance: float = 1e-12) -> None:
    """The scorer gives these scores, [users, items], to some of the users, by both of its methods."""
    users = np.array([3, 0, len(expected) - 1, 3], np.int32)
    candidates = np.random.default_rng(1).integers(expected.shape[1], size=(4, 9)).astype(np.int32)
    assert scorer.score_all_items(users) == pytest.approx(expected[users], abs=tolerance)
    wanted = np.take_along_axis(expected[users], candidates, axis=1)
    assert scorer.score_candidates(users, candidates) == pytest.approx(wanted, abs=tolerance)
