import pytest

from components.trainer.config import TrainerConfig
from components.trainer.history import Epoch, as_json, best_epoch, outcome, reason_to_stop


def epochs(*ndcg: float | None, hr: float | None = None) -> list[Epoch]:
    return [Epoch(0.5, value if hr is None else hr, value, 1.0, 1e6) for value in ndcg]


def config(**fields: object) -> TrainerConfig:
    return TrainerConfig.model_validate({"epochs": 10, "early_stopping_patience": None, **fields})


@pytest.mark.parametrize(
    ("ndcg", "best"),
    [([0.1], 0), ([0.1, 0.3, 0.2], 1), ([0.3, 0.3], 0), ([0.0, 0.0, 0.0], 0), ([None, None], 1)],
    ids=["one", "middle", "tie: the earlier", "all zero", "no validation: the last"],
)
def test_best_epoch(ndcg: list[float | None], best: int) -> None:
    assert best_epoch(epochs(*ndcg), config()) == best


def test_metric_chooses() -> None:
    history = [Epoch(0.5, 0.9, 0.1, 1, 1), Epoch(0.5, 0.1, 0.9, 1, 1)]
    assert best_epoch(history, config(metric="hr")) == 0
    assert best_epoch(history, config(metric="ndcg")) == 1


@pytest.mark.parametrize(
    ("ndcg", "fields", "reason"),
    [
        ([], {}, None),
        ([0.1, 0.2], {}, None),
        ([0.1, 0.2], {"epochs": 2}, "all epochs done"),
        ([0.2, 0.1], {"early_stopping_patience": 2}, None),
        ([0.2, 0.1, 0.2], {"early_stopping_patience": 2}, "no better NDCG@10 for 2 epochs"),
        ([0.2, 0.1, 0.3], {"early_stopping_patience": 2}, None),
        ([None, None, None], {"early_stopping_patience": 1}, None),
        ([0.1, 0.4], {"hr_threshold": 0.5}, None),
        ([0.1, 0.5], {"hr_threshold": 0.5}, "HR@10 reached 0.5"),
        ([None], {"hr_threshold": 0.5}, None),
    ],
)
def test_reason_to_stop(ndcg: list[float | None], fields: dict[str, object], reason: str | None) -> None:
    assert reason_to_stop(epochs(*ndcg), config(**fields)) == reason


def test_json_counts_epochs_from_one() -> None:
    content = as_json(epochs(0.1, 0.3, hr=0.6), config(epochs=2))
    assert [epoch["epoch"] for epoch in content["epochs"]] == [1, 2]
    assert content["epochs"][1]["ndcg@10"] == 0.3
    assert content["best_epoch"] == 2
    assert content["chosen_by"] == "ndcg@10 on validation"
    assert content["stopped"] == "all epochs done"


def test_outcome_says_that_nothing_was_chosen_without_validation() -> None:
    assert "no validation split" in outcome(epochs(None, None), config(epochs=2))
    assert "epoch 2 of 2" in outcome(epochs(None, None), config(epochs=2))
    assert "NDCG@10 0.3000" in outcome(epochs(0.3, 0.1), config(epochs=2))
