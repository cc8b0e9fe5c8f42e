import dataclasses

import pytest

from components.trainer.config import TrainerConfig
from components.trainer.settings import Counts, Settings, chosen, settle, starts

COUNTS = Counts(users=1000, items=2000, interactions=50_000, in_order=True, batch_size=4096)


def test_no_auto_is_left_and_what_is_said_stays() -> None:
    found = settle(TrainerConfig(num_factors=7, gmf_l2=0.0, recent_items=0), COUNTS)
    assert isinstance(found, Settings)
    assert "auto" not in found.model_dump(exclude={"device"}).values()
    assert (found.num_factors, found.gmf_l2, found.recent_items, found.batch_size) == (7, 0.0, 0, 4096)


def test_only_what_is_auto_is_told() -> None:
    config = TrainerConfig(num_factors=7)
    told = chosen(config, settle(config, COUNTS))
    assert "num_factors" not in told
    assert told["als_unobserved_weight"] == pytest.approx((50_000 / 2_000_000) ** 0.5, abs=5e-4)


@pytest.mark.parametrize(("interactions", "weight"), [(10, 0.005), (1_900_000, 0.5)])
def test_the_weight_of_pairs_without_interaction_stays_within_bounds(interactions: int, weight: float) -> None:
    counts = Counts(1000, 2000, interactions, in_order=True, batch_size=4096)
    assert settle(TrainerConfig(), counts).als_unobserved_weight == weight


def test_without_order_there_are_no_recent_items() -> None:
    assert settle(TrainerConfig(), Counts(9, 9, 9, in_order=False, batch_size=1)).recent_items == 0


def test_random_weights_learn_faster_and_without_l2() -> None:
    start, random = (settle(TrainerConfig(pretraining=kind), COUNTS) for kind in ("als", "none"))
    assert (start.learning_rate, random.learning_rate) == (0.0005, 0.001)
    assert random.gmf_l2 == random.mlp_l2 == 0 < start.gmf_l2


def test_two_starts_from_als_are_tried_where_it_is_soon_fitted_and_nothing_is_said() -> None:
    usual, looser = starts(TrainerConfig(), COUNTS)
    assert usual == settle(TrainerConfig(), COUNTS)
    assert usual.num_factors == looser.num_factors == 192
    assert looser.als_unobserved_weight == usual.als_unobserved_weight / 4
    assert chosen(TrainerConfig(), looser)["als_regularization"] == 0.003


@pytest.mark.parametrize("said", [{"pretraining": "none"}, {"als_regularization": 0.1}, {"als_unobserved_weight": 0.1}])
def test_what_is_said_of_the_start_is_not_tried_otherwise(said: dict[str, object]) -> None:
    config = TrainerConfig.model_validate(said)
    assert starts(config, COUNTS) == [settle(config, COUNTS)]


def test_many_interactions_have_fewer_factors_and_one_start() -> None:
    counts = Counts(200_000, 30_000, 1_000_001, in_order=True, batch_size=4096)
    (only,) = starts(TrainerConfig(), counts)
    assert only.num_factors == 64


@pytest.mark.parametrize(("held_out", "gain"), [(0, 0.01), (100, 0.01), (5_000, 0.1)])
def test_an_epoch_has_to_be_worth_what_the_items_for_validation_would_add(held_out: int, gain: float) -> None:
    assert settle(TrainerConfig(), dataclasses.replace(COUNTS, validation=held_out)).least_gain == gain
