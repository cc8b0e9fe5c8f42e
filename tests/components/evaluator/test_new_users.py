"""Users whom the served model never saw: where it ranks what was left out, and what the evaluation says of them."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from components.artifacts import held_out_users
from components.artifacts.evaluation import Evaluation
from components.artifacts.held_out_users import HeldOutUsers, History
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.vocabulary import Vocabulary
from components.evaluator.config import EvaluatorConfig
from components.evaluator.evaluation import evaluate
from components.evaluator.new_users import rank_left_out
from components.evaluator.trials import Sources
from components.metrics.by_user import summarise
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.shared.errors import UserError
from components.trainer.model import NeuMF
from tests.components.evaluator.conftest import ITEMS, SHARDS, USERS
from tests.components.serving.foldings import DECAY, WeightedItems

K = 5
VECTORS = np.random.default_rng(2).normal(size=(ITEMS, 8)).astype(np.float32)
UNKNOWN = -1


class Bar:
    def __init__(self) -> None:
        self.steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps


@pytest.fixture(scope="module")
def model() -> NeuMF:
    return NeuMF(USERS, ITEMS, 4, (8, 6, 4), embedding_stddev=0.5, seed=1)


def save(model: NeuMF, world: Any, folding: bool = True) -> str:
    """Saves it with the raw ids of a world."""
    vocabulary = Vocabulary.open(world.uri("vocabulary"))
    seen = SeenItems.open(world.uri("interactions"), USERS)
    ServingModel(model, vocabulary, seen, WeightedItems(VECTORS) if folding else None).save(world.uri("model"))
    return str(world.uri("model"))


def expected_rank(model: NeuMF, history: Sequence[int], left_out: int) -> int:
    """Among all items that are not in the history, by the scores of all; big for what is unknown."""
    if left_out == UNKNOWN:
        return 10**6
    row = sum(DECAY**age * VECTORS[item] for age, item in enumerate(reversed(history)))
    user = model.project_users(tf.constant(np.array([row], np.float32)))
    scores = np.asarray(model.score(user, model.item_rows(np.arange(ITEMS, dtype=np.int32))))
    others = np.setdiff1d(np.arange(ITEMS), [*history, left_out])
    return 1 + int((scores[others] > scores[left_out]).sum())


def random_histories(number: int) -> list[tuple[list[int], int]]:
    """Of very different lengths; some of what is left out is unknown."""
    random = np.random.default_rng(5)
    found = []
    for _ in range(number):
        items = random.permutation(ITEMS)[: random.integers(2, 30)].tolist()
        found.append((items[:-1], UNKNOWN if random.random() < 0.1 else items[-1]))
    return found


def in_raw_ids(histories: Sequence[tuple[list[int], int]], item_ids: np.ndarray) -> list[History]:
    nothing = "nothing" if item_ids.dtype.kind == "O" else 1
    ids = item_ids.tolist()
    return [
        History(0, item_ids[items], nothing if left_out == UNKNOWN else ids[left_out]) for items, left_out in histories
    ]


@pytest.mark.parametrize("text_ids", [False, True])
def test_what_was_left_out_is_ranked_among_all_unseen_items(
    model: NeuMF, make_world: Callable[..., Any], text_ids: bool
) -> None:
    world = make_world(text_ids=text_ids)
    served = ServedModel(save(model, world), ITEMS)
    histories, bar = random_histories(150), Bar()
    ranks, known = rank_left_out(served, in_raw_ids(histories, world.item_ids), K, 16, bar)

    expected = [min(expected_rank(model, *history), K + 1) for history in histories]
    assert len(set(expected)) == K + 1, "every rank occurs"
    assert ranks.tolist() == expected
    assert known.tolist() == [len(items) for items, _ in histories]
    assert bar.steps == 150


@pytest.mark.parametrize(
    ("number", "left_out", "rank"), [(K, 10, 1), (K, 12, 3), (K, 10 + K, K + 1), (K, 99, K + 1), (2, 11, 2)]
)
def test_the_place_counts_and_not_the_probability(number: int, left_out: int, rank: int) -> None:
    class Sure:
        """Recommends the items 10, 11, ..., all of them for certain, as float32 has it of high logits."""

        def recommend_for_items(self, items: np.ndarray, k: int) -> dict[str, np.ndarray]:
            best, scores = np.arange(10, 10 + min(number, k))[None], np.ones((1, min(number, k)), np.float32)
            return {"item_ids": best, "scores": scores, "known_items": np.array([1], np.int32)}

    history = History(0, np.array([3]), left_out)
    ranks, _ = rank_left_out(cast(ServedModel, Sure()), [history], K, 16, Bar())
    assert ranks.tolist() == [rank]


def hold_out(world: Any, histories: Sequence[History]) -> None:
    """Adds users who are held out to the interactions of a world."""
    lengths = [len(history.items) + 1 for history in histories]
    shards = np.array_split(np.arange(len(histories)), SHARDS)
    for number, members in enumerate(shards):
        judged = [place == lengths[user] - 1 for user in members for place in range(lengths[user])]
        items = [item for user in members for item in [*histories[user].items.tolist(), histories[user].judged]]
        users = np.repeat(members, [lengths[user] for user in members])
        part = HeldOutUsers(pa.array(users), pa.array(items), np.array(judged), len(members), len(items))
        held_out_users.write(world.uri("interactions"), number, SHARDS, part)
    counts = held_out_users.HeldOutUsersSummary(users=len(histories), judged=len(histories), interactions=sum(lengths))
    summary = InteractionsSummary.read(world.uri("interactions"))
    dataclasses.replace(summary, held_out_users=counts).write(world.uri("interactions"))


def evaluated(world: Any, **config: Any) -> Evaluation:
    sources = Sources(*(world.uri(name) for name in ("model", "examples", "interactions", "vocabulary")))
    usual = {"ks": (1, K), "gate_k": K, "als": False, "item_knn": False, "ease": False, "recent_items": False}
    found = evaluate(sources, EvaluatorConfig(**{**usual, **config}), 0)
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert Evaluation.from_json(content).to_json() == content
    return found


def test_new_users_are_measured_beside_the_others_and_change_nothing_else(model: NeuMF, world: Any) -> None:
    save(model, world)
    without = evaluated(world)
    histories = random_histories(100)
    stranger = History(0, np.array([1, 1 + 10**9]), int(world.item_ids[3]))
    hold_out(world, [*in_raw_ids(histories, world.item_ids), stranger])
    found = evaluated(world)

    new = found.new_users
    assert new is not None
    assert (new.held_out, new.users) == (101, 101)
    assert new.unknown_items == sum(left_out == UNKNOWN for _, left_out in histories) > 0
    assert new.unknown_histories == 1
    popular = 1 + int((np.delete(world.train_counts, 3) >= world.train_counts[3]).sum())
    ranks = np.array([*(expected_rank(model, *history) for history in histories), popular])
    assert new.metrics == pytest.approx(summarise(ranks, (1, K)))
    for metric, value in new.metrics.items():
        low, high = new.intervals[metric]
        assert low <= value <= high
        low, high = new.ratio_intervals[metric]
        assert low < found.new_users_ratio(metric) < high
    assert found.new_users_ratio("HR@5") == pytest.approx(new.metrics["HR@5"] / found.model.full["HR@5"])

    assert without.new_users is None
    assert np.isnan(without.new_users_ratio("HR@5"))
    same = dataclasses.replace(found, new_users=None, data=without.data)  # which counts those who are held out
    assert _without_times(same) == _without_times(without)


def _without_times(found: Evaluation) -> dict[str, Any]:
    content = found.to_json()
    for system in content["systems"].values():
        del system["fit_seconds"]
    return {**content, "seconds": None}


def test_of_many_new_users_a_sample_is_asked_for(model: NeuMF, world: Any) -> None:
    save(model, world)
    hold_out(world, in_raw_ids(random_histories(60), world.item_ids))
    new = evaluated(world, full_ranking_users=25).new_users
    assert new is not None
    assert (new.held_out, new.users) == (60, 25)
    assert new == evaluated(world, full_ranking_users=25).new_users


def test_a_model_that_cannot_be_asked_is_told(model: NeuMF, world: Any) -> None:
    save(model, world, folding=False)
    hold_out(world, in_raw_ids(random_histories(10), world.item_ids))
    with pytest.raises(UserError, match=r"lacks the signature recommend_for_items; train it again$"):
        evaluated(world)


def test_nobody_to_be_judged(model: NeuMF, world: Any) -> None:
    save(model, world)
    hold_out(world, [])
    assert evaluated(world).new_users is None
