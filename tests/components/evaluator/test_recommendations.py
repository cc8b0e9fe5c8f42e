import math

import numpy as np

from components.artifacts.evaluation import Coverage, Example, Recommendation, RecommendedPopularity
from components.artifacts.vocabulary import Vocabulary
from components.evaluator.baselines.popularity import PopularityScorer
from components.evaluator.recommendations import coverage, examples, recommended_popularity, titles_of
from components.ranking.ranks import Holdouts

TOP = np.array([[0, 7], [7, -1], [0, 7]])


def test_coverage_counts_distinct_items() -> None:
    assert coverage(TOP, 8) == Coverage(k=2, items=2, share=0.25)
    assert coverage(np.zeros((0, 10), np.int32), 8) == Coverage(k=10, items=0, share=0)


def test_popularity_of_recommended_items() -> None:
    found = recommended_popularity(TOP, np.array([1, 2, 3, 4, 5, 6, 7, 80]))
    assert found == RecommendedPopularity((0.4, 0, 0, 0.6), (2 * 1 + 3 * 80) / 5)
    assert math.isnan(recommended_popularity(TOP[:0], np.ones(8)).mean_interactions)


def test_examples_show_history_held_out_item_and_best_unseen_items() -> None:
    counts = np.arange(30)
    histories = [list(range(5, 29)), [3]]
    holdouts = Holdouts(
        np.array([4, 9], np.int32),
        np.array([29, 28], np.int32),
        np.concatenate(histories).astype(np.int32),
        np.array([24, 25]),
    )
    user_ids = np.array([f"é{user}" for user in range(10)], object)
    found = examples(PopularityScorer(counts), holdouts, (user_ids, 1000 + counts), counts, np.random.default_rng(0))
    first, second = found
    assert (first.user, first.interactions, first.held_out, first.rank) == ("é4", 24, 1029, 1)
    assert first.history == tuple(range(1009, 1029))
    assert [item.item for item in first.recommended] == [1029, 1004, 1003, 1002, 1001, 1000]
    assert first.recommended[0] == Recommendation(item=1029, score=29.0, interactions=29, held_out=True)
    assert (second.user, second.history, second.rank) == ("é9", (1003,), 2)
    assert len(second.recommended) == 10
    assert [item.held_out for item in second.recommended] == [False, True, *[False] * 8]


def test_ten_examples_of_many_users_are_drawn_by_the_seed() -> None:
    counts = np.arange(40)
    nobody = np.zeros(0, np.int32)
    holdouts = Holdouts(np.arange(40, dtype=np.int32), np.zeros(40, np.int32), nobody, np.zeros(40, np.int64))

    def drawn(seed: int, of: Holdouts = holdouts) -> list[int]:
        found = examples(PopularityScorer(counts), of, (counts, counts), counts, np.random.default_rng(seed))
        return [example.user for example in found]

    assert len(set(drawn(0))) == 10
    assert drawn(0) == drawn(0) != drawn(1)
    assert drawn(0, Holdouts(nobody, nobody, nobody, nobody)) == []


def test_titles_are_those_of_the_items_that_examples_show() -> None:
    ids, ones = np.arange(6), np.ones(6, np.int64)
    shown = Example(1, 2, (0, 1), (Recommendation(2, 1.0, 1, False),), 3, 4)
    vocabulary = Vocabulary(ids, ids, ones, ones, ["a", None, "c", "d", "e", None])
    assert titles_of([shown], vocabulary) == {"0": "a", "2": "c", "3": "d"}
    assert titles_of([shown], Vocabulary(ids, ids, ones, ones)) == {}
