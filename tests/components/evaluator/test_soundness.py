from pathlib import Path

import numpy as np
import pytest

from components.artifacts.interactions import Interactions
from components.evaluator.soundness import check_soundness, count_leaked, largest_difference_of
from components.ranking.ranks import FullRanking, Holdouts, rank_all_items
from components.shared.progress import Reporter
from components.shared.scorer import Scores
from tests.components.artifacts.handmade import write_interactions

USERS, ITEMS = 60, 50
COUNTS = np.arange(ITEMS)


class _Table:
    """Knows the score of every pair; each time that it is asked, with so much noise."""

    def __init__(self, scores: np.ndarray, noise: float = 0.0):
        self.scores, self.noise, self.random = scores, noise, np.random.default_rng(0)

    def score_candidates(self, users: np.ndarray, items: np.ndarray) -> Scores:
        return self.score_all_items(users)[np.arange(len(users))[:, None], items]

    def score_all_items(self, users: np.ndarray) -> Scores:
        scores = self.scores[users]
        return scores + self.noise * self.random.normal(size=scores.shape)


@pytest.fixture
def rows() -> dict[str, np.ndarray]:
    """Each user has seen the items u, u + 1 and u + 2, and u + 3 for validation; u + 4 is held out."""
    users = np.arange(USERS)
    train = np.column_stack([np.repeat(users, 3), (users[:, None] + [0, 1, 2]).ravel() % ITEMS])
    validation, test = (np.column_stack([users, (users + after) % ITEMS]) for after in (3, 4))
    return {"train": train, "validation": validation, "test": test}


def _interactions(folder: Path, rows: dict[str, np.ndarray]) -> Interactions:
    write_interactions(str(folder), rows, USERS, ITEMS, 4)
    return Interactions(str(folder))


def _holdouts() -> Holdouts:
    users = np.arange(USERS, dtype=np.int32)
    seen = ((users[:, None] + np.arange(4)) % ITEMS).astype(np.int32)
    return Holdouts(users, (users + 4) % ITEMS, seen.ravel(), 4 * np.arange(1, USERS + 1))


def _rank(scorer: _Table) -> FullRanking:
    with Reporter().bar("", USERS) as bar:
        return rank_all_items(scorer, _holdouts(), 10, 17, bar)


def test_what_stands_in_training_or_validation_has_leaked(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    assert count_leaked(_interactions(tmp_path / "clean", rows)) == 0
    rows["test"][7, 1] = 8  # a training item of user 7
    rows["test"][50, 1] = 53 % ITEMS  # the validation item of user 50
    rows["test"][3, 1] = 8  # an item of others
    assert count_leaked(_interactions(tmp_path / "leaking", rows)) == 2


def test_a_sound_evaluation(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    scorer = _Table(np.random.default_rng(1).normal(size=(USERS, ITEMS)))
    ranking = _rank(scorer)
    perfect = _Table(np.equal.outer((np.arange(USERS) + 4) % ITEMS, np.arange(ITEMS)).astype(float))
    rankings = {"model": ranking, "popularity": _rank(perfect)}
    arguments = rankings, _holdouts(), _interactions(tmp_path, rows), COUNTS, 17, np.random.default_rng(2)
    found = check_soundness(scorer, *arguments)
    assert (found.leaked, found.repeated, found.moved, found.popularity_to_itself) == (0, 0, 0, 0)
    assert found.ranked_again == USERS
    assert found.ranked_first == {"model": np.mean(ranking.ranks == 1), "popularity": 1.0}


def test_scores_that_change_from_one_time_to_the_next_are_told(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    scorer = _Table(np.random.default_rng(1).normal(size=(USERS, ITEMS)), noise=0.5)
    arguments = {"model": _rank(scorer)}, _holdouts(), _interactions(tmp_path, rows), COUNTS, 17
    assert check_soundness(scorer, *arguments, np.random.default_rng(2)).moved > USERS / 2


def test_one_rank_that_differs_is_found() -> None:
    ranks = np.random.default_rng(0).integers(1, 200, 500)
    others = ranks.copy()
    assert largest_difference_of(ranks, others, np.random.default_rng(1)) == 0
    others[ranks.argmin()] = 2
    assert largest_difference_of(ranks, others, np.random.default_rng(1)) > 0
