import dataclasses

import numpy as np
import pytest

from components.artifacts.interactions import Pairs
from components.shared.als import AlsSettings, fit_als
from components.shared.progress import Reporter
from components.shared.random_streams import stream_key
from components.trainer.config import TrainerConfig
from components.trainer.linear import Histories, choose_start
from components.trainer.settings import Settings, starts

USERS, ITEMS, HELD_OUT = 90, 60, 4


def groups() -> Histories:
    """Users of three groups, who like a third of the items each; one of those for validation."""
    random = np.random.default_rng(0)
    items = np.stack([random.permutation(ITEMS // 3)[: HELD_OUT + 1] * 3 + user % 3 for user in range(USERS)])
    users = np.arange(USERS, dtype=np.int32)
    train = Pairs(np.repeat(users, HELD_OUT), items[:, 1:].ravel().astype(np.int32))
    nothing = Pairs(users[:0], users[:0])
    return Histories(USERS, ITEMS, train, Pairs(users, items[:, 0].astype(np.int32)), nothing, in_order=False)


def hits(settings: Settings, histories: Histories) -> float:
    """HR@10 over all unseen items of ALS alone, computed by itself."""
    fitted = AlsSettings(
        settings.num_factors, settings.als_iterations, settings.als_regularization, settings.als_unobserved_weight
    )
    with Reporter().bar("", fitted.iterations) as bar:
        als = fit_als(*histories.train, (USERS, ITEMS), fitted, stream_key(3, "pretraining"), bar)
    scores = np.where(histories.seen.toarray() > 0, -np.inf, als.score_all_items(histories.validation.users))
    own = scores[np.arange(USERS), histories.validation.items]
    return float(np.mean((scores >= own[:, None]).sum(axis=1) <= 10))


def tried(*regularizations: float) -> list[Settings]:
    config = TrainerConfig(num_factors=8, metric="hr")
    first = starts(config, groups().counts(64))[0]
    return [first.model_copy(update={"als_regularization": strength}) for strength in regularizations]


@pytest.mark.parametrize("strengths", [(0.01, 1000.0), (1000.0, 0.01)])
def test_the_start_that_ranks_best_on_validation_is_taken(strengths: tuple[float, float]) -> None:
    histories, settings = groups(), tried(*strengths)
    values = [hits(one, histories) for one in settings]
    assert abs(values[0] - values[1]) > 0.1
    assert choose_start(settings, histories, 3) is settings[int(np.argmax(values))]


def test_without_validation_the_first_is_taken() -> None:
    histories, settings = groups(), tried(1000.0, 0.01)
    nobody = dataclasses.replace(histories, validation=Pairs(*(column[:0] for column in histories.validation)))
    assert choose_start(settings, nobody, 3) is settings[0]
