"""Settings that are chosen on validation."""

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from components.evaluator.baselines import BASELINES, Training, rehearsal
from components.evaluator.baselines.ease import Ease
from components.evaluator.baselines.item_knn import ItemKnn
from components.evaluator.baselines.rehearsal import Rehearsal
from components.evaluator.baselines.search import ascend
from components.evaluator.baselines.tuned import TunedBaseline
from components.shared.scorer import Scorer
from tests.components.evaluator.baselines.trainings import Bar, training_of

PEOPLE, THINGS = 200, 90
TUNED = [kind for kind in BASELINES.values() if issubclass(kind, TunedBaseline)]


def training_with_validation(**fields: Any) -> Training:
    """Users of three tastes, the last item of each but the first ten held out."""
    random = np.random.default_rng(3)
    histories = [3 * random.choice(30, 12, replace=False) + user % 3 for user in range(PEOPLE)]
    users = np.arange(10, PEOPLE, dtype=np.int32)
    held_out = users, np.array([histories[user][-1] for user in users], np.int32)
    pairs = np.repeat(np.arange(PEOPLE, dtype=np.int32), 11), np.concatenate([seen[:-1] for seen in histories])
    return training_of(
        (pairs[0], pairs[1].astype(np.int32)), PEOPLE, THINGS, read_validation=lambda: held_out, **fields
    )


def by_plain_loops(found: Rehearsal, scorer: Scorer) -> float:
    seen = found.training.matrix.toarray()
    scores = scorer.score_all_items(np.arange(found.training.users, dtype=np.int32))
    total = 0.0
    for user, item in zip(found.holdouts.users, found.holdouts.items, strict=True):
        rivals = [scores[user, other] for other in range(THINGS) if other != item and not seen[user, other]]
        rank = 1 + sum(score >= scores[user, item] for score in rivals)
        total += 1 / np.log2(rank + 1) if rank <= 10 else 0
    return total / len(found.holdouts.users)


@pytest.mark.parametrize(("interactions", "users"), [(10**6, None), (500, None), (10**6, 40)])
def test_settings_are_judged_by_ndcg_of_the_validation_items_among_unseen_ones(
    monkeypatch: pytest.MonkeyPatch, interactions: int, users: int | None
) -> None:
    monkeypatch.setattr(rehearsal, "MOST_INTERACTIONS", interactions)
    everybody = training_with_validation()
    found = Rehearsal.of(everybody, users)
    scorer = Ease(ease_l2=10.0).fit(found.training, Bar())
    assert found.ndcg(scorer) == pytest.approx(by_plain_loops(found, scorer), abs=1e-9)
    assert found.training.users == min(PEOPLE, interactions // 11, users or PEOPLE)
    # Each of the sample is somebody, with the same items and the same validation item.
    lists = [frozenset(row.indices) for row in everybody.matrix]
    held_out = dict(zip(*everybody.validation, strict=True))
    held_out_now = dict(zip(found.holdouts.users, found.holdouts.items, strict=True))
    for user, row in enumerate(found.training.matrix):
        assert held_out_now.get(user) in {held_out.get(other) for other in _places(lists, frozenset(row.indices))}
    assert not len(found.training.validation[0])


def _places(lists: list[frozenset[int]], wanted: frozenset[int]) -> list[int]:
    return [place for place, found in enumerate(lists) if found == wanted]


def test_few_users_are_ranked_where_there_are_many_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MOST_SCORES", 20 * THINGS)
    found = Rehearsal.of(training_with_validation())
    assert found.training.users == PEOPLE
    assert len(found.holdouts.users) == 20


@pytest.mark.parametrize("kind", TUNED)
def test_what_is_chosen_is_in_the_grid_no_worse_than_the_usual_and_depends_on_nothing_else(
    kind: type[TunedBaseline],
) -> None:
    bar = Bar()
    tuned = kind().tuned(training_with_validation(), bar)
    assert tuned == kind().tuned(training_with_validation(), Bar())
    assert bar.steps == kind().tries()
    assert tuned.tries() == 0
    chosen = kind().chosen(tuned)
    assert set(chosen) == set(kind.grid)
    assert all(value in kind.grid[name] for name, value in chosen.items())
    found = Rehearsal.of(training_with_validation())
    usual = kind().model_copy(update=dict(kind.usual))
    ndcg, before = (found.ndcg(one.rehearsing().fit(found.training, Bar())) for one in (tuned, usual))
    assert ndcg >= before


def test_what_the_configuration_gives_stays() -> None:
    given = ItemKnn(item_knn_neighbours=7)
    tuned = given.tuned(training_with_validation(), Bar())
    assert tuned.item_knn_neighbours == 7
    assert set(given.chosen(tuned)) == {"item_knn_shrinkage"}


@pytest.mark.parametrize("kind", TUNED)
def test_without_validation_items_the_usual_settings_hold(kind: type[TunedBaseline]) -> None:
    nothing = np.zeros(0, np.int32)
    training = dataclasses.replace(training_with_validation(), read_validation=lambda: (nothing, nothing))
    assert kind().chosen(kind().tuned(training, Bar())) == kind.usual


def test_grids_ascend_and_hold_the_usual_values() -> None:
    for kind in TUNED:
        assert all(low < high for values in kind.grid.values() for low, high in pairwise(values))
        assert all(kind.usual[name] in values for name, values in kind.grid.items())


def test_l2_is_scaled_from_a_sample_to_all_users() -> None:
    assert Ease().scaled({"ease_l2": 50.0}, 1.0) == {"ease_l2": 50.0}
    assert Ease().scaled({"ease_l2": 50.0}, 0.25) == {"ease_l2": 100.0}


def test_the_search_ends_at_the_top_of_a_hill_and_asks_for_no_point_twice() -> None:
    asked = []

    def height(point: dict[str, float]) -> float:
        asked.append(tuple(point.values()))
        return -((point["x"] - 5) ** 2) - (point["y"] - point["x"] / 2) ** 2

    grid = {"x": range(10), "y": range(10)}
    top = ascend(grid, {"x": 1, "y": 9}, height, most=100)
    assert (top["x"], top["y"]) in {(4, 2), (5, 2), (5, 3)}
    assert len(asked) == len(set(asked)) < 40
    before = len(asked)
    ascend(grid, {"x": 1, "y": 9}, height, most=5)
    assert len(asked) == before + 5
