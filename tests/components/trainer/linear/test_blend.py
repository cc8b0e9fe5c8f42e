"""Towers in closed form beside a NeuMF, whose every part is known."""

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import Blend
from components.shared.random_streams import stream_key
from components.trainer.config import TrainerConfig
from components.trainer.linear import Histories, add_linear_towers
from components.trainer.linear.blend import HISTORY, NEUMF, RECENT
from components.trainer.linear.factors import recent_factors
from components.trainer.linear.full_ranking import Sample
from components.trainer.model import NeuMF

USERS, ITEMS = 80, 50
CONFIG = TrainerConfig(num_factors=4, layers=(8, 4), history_factors=16, recent_factors=24)


def cycles() -> Histories:
    """Each user goes round all items from a place of their own: what comes next is known from the last item alone."""
    random = np.random.default_rng(0)
    starts, lengths = random.integers(0, ITEMS, USERS), random.integers(6, 12, USERS)
    users = np.repeat(np.arange(USERS, dtype=np.int32), lengths)
    place = np.arange(len(users)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    items = ((starts[users] + place) % ITEMS).astype(np.int32)
    validation = Pairs(np.arange(USERS, dtype=np.int32), ((starts + lengths) % ITEMS).astype(np.int32))
    return Histories(USERS, ITEMS, Pairs(users, items), validation, in_order=True)


def model() -> NeuMF:
    return NeuMF(USERS, ITEMS, CONFIG.num_factors, CONFIG.layers, embedding_stddev=0.5, seed=1)


def logits(found: NeuMF) -> np.ndarray:
    users, items = np.arange(USERS, dtype=np.int32), np.arange(ITEMS, dtype=np.int32)
    return np.asarray(found(users[:, None], items[None]))


def test_what_comes_next_is_found_by_the_latest_items() -> None:
    only_recent = CONFIG.model_copy(update={"history_factors": 0})
    _, blend = add_linear_towers(model(), cycles(), only_recent, seed=0)
    assert blend is not None
    assert blend.together["NDCG@10"] > 0.9 > 3 * blend.alone[NEUMF]["NDCG@10"]
    assert blend.weights[RECENT] == 1


def test_the_whole_is_at_least_as_good_as_each_part_and_measured_by_full_ranking() -> None:
    histories = cycles()
    _, blend = add_linear_towers(model(), histories, CONFIG, seed=0)
    assert blend is not None
    assert all(blend.together["NDCG@10"] >= alone["NDCG@10"] for alone in blend.alone.values())
    assert blend.users == USERS


def test_a_users_vector_reads_the_item_for_validation_too() -> None:
    histories = cycles()
    only_recent = CONFIG.model_copy(update={"history_factors": 0})
    before = model()
    found, blend = add_linear_towers(before, histories, only_recent, seed=0)
    assert blend is not None
    candidates = [
        histories.latest_of(histories.complete, 10, decay) @ factors.read @ factors.scored.T
        for factors in recent_factors(histories.train, ITEMS, 24, stream_key(0, "decomposition"))
        for decay in (0.6, 0.8, 0.9)
    ]
    added = logits(found) - logits(before) * (blend.weights[NEUMF] > 0)
    # One of the candidates, up to the scale that the weights give.
    assert max(np.corrcoef(added.ravel(), expected.ravel())[0, 1] for expected in candidates) > 1 - 1e-6


@pytest.mark.parametrize(
    ("update", "left"),
    [({"history_factors": 0}, [NEUMF, RECENT]), ({"recent_items": 0}, [NEUMF, HISTORY])],
)
def test_a_tower_can_be_left_out(update: dict[str, int], left: list[str]) -> None:
    _, blend = add_linear_towers(model(), cycles(), CONFIG.model_copy(update=update), seed=0)
    assert blend is not None
    assert list(blend.weights) == left


def test_without_times_there_are_no_latest_items() -> None:
    histories = cycles()
    unordered = Histories(USERS, ITEMS, histories.train, histories.validation, in_order=False)
    _, blend = add_linear_towers(model(), unordered, CONFIG, seed=0)
    assert blend is not None
    assert list(blend.weights) == [NEUMF, HISTORY]


def test_without_towers_or_validation_the_model_stays_as_it_is() -> None:
    before, histories = model(), cycles()
    neither = CONFIG.model_copy(update={"history_factors": 0, "recent_items": 0})
    assert add_linear_towers(before, histories, neither, seed=0) == (before, None)
    nothing = Pairs(np.zeros(0, np.int32), np.zeros(0, np.int32))
    not_validated = Histories(USERS, ITEMS, histories.train, nothing, in_order=True)
    assert add_linear_towers(before, not_validated, CONFIG, seed=0) == (before, None)


def test_the_same_seed_gives_the_same_model() -> None:
    one, other = (add_linear_towers(model(), cycles(), CONFIG, seed=0)[0] for _ in range(2))
    for mine, others in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, others)


def test_a_blend_comes_back_from_json() -> None:
    _, blend = add_linear_towers(model(), cycles(), CONFIG, seed=0)
    assert blend is not None
    assert Blend.from_json(blend.to_json()) == blend


def test_ranks_are_those_of_sorting_what_was_not_seen() -> None:
    histories = cycles()
    sample = Sample.draw(histories, np.random.default_rng(0))
    scores = np.random.default_rng(1).random((USERS, ITEMS)).astype(np.float32)
    seen = histories.seen.toarray() > 0
    ranks = []
    for user, item in zip(*histories.validation, strict=True):
        unseen = [other for other in np.argsort(-scores[user]) if not seen[user, other]]
        ranks.append(1 + unseen.index(item))
    masked = sample.without_seen(scores.copy())
    found = sample.metrics(lambda block: masked[block], 10)
    assert found["HR@10"] == pytest.approx(np.mean(np.array(ranks) <= 10))
