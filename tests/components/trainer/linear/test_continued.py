"""The parts of an earlier whole beside a model of now."""

from dataclasses import replace

import numpy as np

from components.artifacts.interactions import Pairs
from components.serving.saved.probabilities import Probabilities
from components.trainer.linear import Continued, Ensemble, Histories, Parts
from tests.components.trainer.builders import settings
from tests.components.trainer.linear.test_ensemble import FIELDS, USERS, cycles, joined, model


def continued(parts: Parts, histories: Histories, learnt: np.ndarray) -> Continued:
    return Continued.prepare(histories, parts, learnt, settings(**FIELDS), seed=0)


def counts(pairs: Pairs) -> np.ndarray:
    return np.bincount(pairs.users, minlength=USERS).astype(np.int32)


def test_on_unchanged_data_the_whole_is_the_same_again() -> None:
    histories = cycles()
    before = joined(histories, history_factors=20)  # so many are decomposed exactly
    after = continued(before.parts, histories, counts(histories.complete)).join(model())
    for mine, others in zip(after.model.get_weights(), before.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, others, rtol=1e-3, atol=1e-3)
    assert after.parts.probabilities == before.parts.probabilities


def test_users_whose_item_for_validation_was_learnt_judge_nothing() -> None:
    histories = cycles()
    learnt = counts(histories.complete)
    learnt[:30] -= 1  # these have one row more than before
    found = continued(joined(histories).parts, histories, learnt)
    assert found.sample is not None
    assert found.sample.users.tolist() == list(range(30))
    blend = found.join(model()).blend
    assert blend is not None
    assert blend.users == 30
    assert blend.together == found.metrics(model())


def test_the_judges_see_what_an_ensemble_would_see() -> None:
    histories = cycles()
    fields = {**FIELDS, "history_factors": 20}
    ensemble = Ensemble.prepare(histories, settings(**fields), seed=0, negatives=4)
    blend = ensemble.join(model()).blend
    assert blend is not None
    # The towers as they were found in the training interactions alone, under the same weights.
    towers = {name: fitted.tower for name, fitted in ensemble.towers.items()}
    parts = joined(histories, history_factors=20).parts
    found = continued(
        replace(parts, towers={name: towers[name] for name in parts.towers}), histories, counts(histories.train)
    )
    again = found.join(model()).blend
    assert again is not None
    assert again.together["NDCG@10"] == blend.together["NDCG@10"]
    for name, weight in again.weights.items():
        np.testing.assert_allclose(weight, blend.weights[name], rtol=1e-3)


def test_where_nobody_has_more_rows_nothing_is_measured() -> None:
    histories = cycles()
    found = continued(joined(histories).parts, histories, counts(histories.complete))
    assert found.sample is None
    assert found.join(model()).blend is None


def test_a_model_alone_stays_as_it_is() -> None:
    histories, alone = cycles(), model()
    found = continued(Parts.none(Probabilities(2.0, -1.0)), histories, counts(histories.train))
    assert found.sample is not None
    assert len(found.sample.users) == USERS
    whole = found.join(alone)
    assert (whole.model, whole.blend, whole.parts.probabilities) == (alone, None, Probabilities(2.0, -1.0))
