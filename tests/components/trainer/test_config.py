import json

import pytest
from pydantic import ValidationError

from components.trainer.config import TrainerConfig


@pytest.mark.parametrize("layers", ["64,32,16,8", " 64, 32,16,8", [64, 32, 16, 8], (64, 32, 16, 8)])
def test_layers_as_list_or_text(layers: object) -> None:
    assert TrainerConfig(layers=layers).layers == (64, 32, 16, 8)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("layers", [64], "at least two widths"),
        ("layers", [63, 32], "must be even"),
        ("layers", "64,x", "integer"),
        ("layers", [64, 0], "greater than or equal to 1"),
        ("batch_size", 0, "greater than or equal to 1"),
        ("learning_rate", -1, "greater than 0"),
        ("beta_1", 1, "less than 1"),
        ("hr_threshold", 1.1, "less than or equal to 1"),
        ("metric", "auc", "'hr', 'ndcg' or 'mrr'"),
        ("momentum", 1, "not permitted"),
    ],
)
def test_bad_values(field: str, value: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TrainerConfig.model_validate({field: value})


def test_one_tower_must_be_left() -> None:
    with pytest.raises(ValidationError, match="no tower is left"):
        TrainerConfig(num_factors=0, layers=())


def test_only_users_whose_items_the_champion_does_not_know_may_judge() -> None:
    with pytest.raises(ValidationError, match="warm_start: champion needs validate_on: full"):
        TrainerConfig(warm_start="champion", validate_on="sampled")


def test_survives_json() -> None:
    config = TrainerConfig(layers=(8, 4), hr_threshold=0.5, early_stopping_patience=None)
    assert TrainerConfig.model_validate(json.loads(json.dumps(config.model_dump(mode="json")))) == config
