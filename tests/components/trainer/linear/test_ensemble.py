"""Towers in closed form beside a NeuMF, whose every part is known."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import Blend
from components.shared.random_streams import stream_key
from components.trainer.linear import Ensemble, Histories
from components.trainer.linear.ensemble import Whole
from components.trainer.linear.factors import recent_factors
from components.trainer.linear.full_ranking import Sample
from components.trainer.linear.towers import HISTORY, NEUMF, RECENT
from components.trainer.model import NeuMF
from tests.components.trainer.builders import settings

USERS, ITEMS = 80, 50
FIELDS: dict[str, Any] = {
    "num_factors": 4, "layers": (8, 4), "history_factors": 16, "recent_items": 10, "recent_factors": 24
}  # fmt: skip


def cycles() -> Histories:
    """Each user goes round all items from a place of their own: what comes next is known from the last item alone."""
    random = np.random.default_rng(0)
    starts, lengths = random.integers(0, ITEMS, USERS), random.integers(6, 12, USERS)
    users = np.repeat(np.arange(USERS, dtype=np.int32), lengths)
    place = np.arange(len(users)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    items = ((starts[users] + place) % ITEMS).astype(np.int32)
    validation = Pairs(np.arange(USERS, dtype=np.int32), ((starts + lengths) % ITEMS).astype(np.int32))
    train = Pairs(users, items)
    afterwards = Pairs(validation.users, (validation.items + 1) % ITEMS)
    return Histories(USERS, ITEMS, train, validation, afterwards, in_order=True)


def model() -> NeuMF:
    return NeuMF(USERS, ITEMS, FIELDS["num_factors"], FIELDS["layers"], embedding_stddev=0.5, seed=1)


def logits(found: NeuMF) -> np.ndarray:
    users, items = np.arange(USERS, dtype=np.int32), np.arange(ITEMS, dtype=np.int32)
    return np.asarray(found(users[:, None], items[None]))


def joined(histories: Histories | None = None, before: NeuMF | None = None, **fields: Any) -> Whole:
    """A model put together with its towers."""
    found = Ensemble.prepare(histories or cycles(), settings(**{**FIELDS, **fields}), seed=0, negatives=4)
    return found.join(before or model())


def blend_of(whole: Whole) -> Blend:
    assert whole.blend is not None
    return whole.blend


def test_what_comes_next_is_found_by_the_latest_items() -> None:
    blend = blend_of(joined(history_factors=0))
    assert blend.together["NDCG@10"] > 0.9 > 3 * blend.alone[NEUMF]["NDCG@10"]
    assert blend.weights[RECENT] == 1


def test_the_whole_is_at_least_as_good_as_each_part_and_as_training_saw_it() -> None:
    ensemble = Ensemble.prepare(cycles(), settings(**FIELDS), seed=0, negatives=4)
    blend = blend_of(ensemble.join(model()))
    assert all(blend.together["NDCG@10"] >= alone["NDCG@10"] for alone in blend.alone.values())
    assert blend.together["NDCG@10"] >= ensemble.metrics(model())["NDCG@10"]
    assert blend.users == USERS


def test_training_never_falls_below_the_towers() -> None:
    ensemble = Ensemble.prepare(cycles(), settings(**FIELDS), seed=0, negatives=4)
    untrained, wrong = model(), model()
    wrong.user_table.assign(-np.array(untrained.user_table))
    lowest = min(ensemble.metrics(one)["NDCG@10"] for one in (untrained, wrong))
    blend = blend_of(ensemble.join(untrained))
    assert lowest >= max(blend.alone[name]["NDCG@10"] for name in (HISTORY, RECENT))


def test_a_model_alone_is_judged_over_all_items() -> None:
    histories, alone = cycles(), model()
    ensemble = Ensemble.prepare(
        histories, settings(**{**FIELDS, "history_factors": 0, "recent_items": 0}), seed=0, negatives=4
    )
    scores = np.where(histories.seen.toarray() > 0, -np.inf, logits(alone))
    own = scores[np.arange(USERS), histories.validation.items]
    ranks = (scores >= own[:, None]).sum(axis=1)
    assert ensemble.metrics(alone)["HR@10"] == pytest.approx(np.mean(ranks <= 10))


def test_the_item_for_validation_is_read_and_learnt_from_in_the_end() -> None:
    histories, before = cycles(), model()
    whole = joined(histories, before, history_factors=0)
    candidates = [
        histories.latest_of(histories.complete, 10, decay) @ factors.read @ factors.scored.T
        for factors in recent_factors(histories.complete, ITEMS, 24, stream_key(0, "decomposition"))
        for decay in (0.6, 0.8)
    ]
    added = logits(whole.model) - logits(before) * (blend_of(whole).weights[NEUMF] > 0)
    assert blend_of(whole).learnt_validation
    # One of the candidates, up to the scale that the weights give.
    assert max(np.corrcoef(added.ravel(), expected.ravel())[0, 1] for expected in candidates) > 1 - 1e-6


def test_what_training_started_from_learns_from_the_item_for_validation_too() -> None:
    histories, before, seen = cycles(), model(), []
    before.user_table.assign(np.array(before.item_table)[histories.validation.items])  # it knows something of them

    def restart(started: NeuMF, train: Pairs) -> None:
        seen.append(train)
        started.user_table.assign(np.ones_like(started.user_table))

    weak = {"history_factors": 1, "recent_items": 0}
    ensemble = Ensemble.prepare(histories, settings(**{**FIELDS, **weak}), seed=0, negatives=4)
    whole = ensemble.join(before, restart=restart)
    assert blend_of(whole).weights[NEUMF] > 0
    (train,) = seen
    assert [list(column) for column in train] == [list(column) for column in histories.complete]
    own = np.array(whole.model.user_table)[:, : FIELDS["num_factors"]]
    assert (own == 1).all()  # as it was fitted anew: nothing was held back that it would have to be moved by


def test_a_trained_part_without_weight_is_left_out_of_what_is_exported() -> None:
    nothing = model()
    nothing.user_table.assign(np.zeros_like(nothing.user_table))  # one score for all items: it cannot add anything
    whole = joined(before=nothing)
    blend = blend_of(whole)
    assert blend.weights[NEUMF] == 0
    assert whole.model.get_config()["layers"] == []
    assert whole.model.num_factors == sum(blend.widths[name] for name in blend.widths if blend.weights[name])


@pytest.mark.parametrize(
    ("update", "left"),
    [({"history_factors": 0}, [NEUMF, RECENT]), ({"recent_items": 0}, [NEUMF, HISTORY])],
)
def test_a_tower_can_be_left_out(update: dict[str, int], left: list[str]) -> None:
    assert list(blend_of(joined(**update)).weights) == left


def test_without_towers_or_validation_the_model_stays_as_it_is() -> None:
    before, histories = model(), cycles()
    alone = joined(histories, before, history_factors=0, recent_items=0)
    assert (alone.model, alone.blend) == (before, None)
    nothing = Pairs(np.zeros(0, np.int32), np.zeros(0, np.int32))
    not_validated = joined(dataclasses.replace(histories, validation=nothing), before)
    assert (not_validated.model, not_validated.blend) == (before, None)


def test_the_same_seed_gives_the_same_model() -> None:
    one, other = (joined().model for _ in range(2))
    for mine, others in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, others)


def test_a_blend_comes_back_from_json() -> None:
    blend = blend_of(joined())
    assert Blend.from_json(blend.to_json()) == blend


def test_ranks_are_those_of_sorting_what_was_not_seen() -> None:
    histories = cycles()
    sample = Sample.draw(histories, 0)
    scores = np.random.default_rng(1).random((USERS, ITEMS)).astype(np.float32)
    seen = histories.seen.toarray() > 0
    ranks = []
    for user, item in zip(*histories.validation, strict=True):
        unseen = [other for other in np.argsort(-scores[user]) if not seen[user, other]]
        ranks.append(1 + unseen.index(item))
    masked = sample.without_seen(scores.copy())
    found = sample.metrics(lambda block: masked[block], 10)
    assert found["HR@10"] == pytest.approx(np.mean(np.array(ranks) <= 10))
