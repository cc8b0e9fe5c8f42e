import pytest

from components.artifacts.model_run import Epoch
from components.trainer import history
from components.trainer.config import TrainerConfig
from components.trainer.history import best_epoch, end_of_stage, outcome, progress_of, reason_to_stop, values_of
from components.trainer.settings import Counts, Settings, settle


def epochs(*ndcg: float | None, hr: float | None = None) -> list[Epoch]:
    """Epochs with that NDCG, and with that HR or the same; without validation where there is none."""
    metrics = [{} if value is None else {"HR@10": value if hr is None else hr, "NDCG@10": value} for value in ndcg]
    return [Epoch(0.5, found, 1.0, 1e6) for found in metrics]


def config(**fields: object) -> Settings:
    plain = {"epochs": 10, "early_stopping_patience": None, "validate_on": "sampled", "least_gain": 0.01}
    return settle(TrainerConfig.model_validate(plain | fields), Counts(60, 40, 1000, in_order=True, batch_size=64))


@pytest.mark.parametrize(
    ("ndcg", "best"),
    [([0.1], 1), ([0.1, 0.3, 0.2], 2), ([0.3, 0.3], 1), ([0.0, 0.0, 0.0], 1), ([None, None], 2)],
    ids=["one", "middle", "tie: the earlier", "all zero", "no validation: the last"],
)
def test_best_epoch(ndcg: list[float | None], best: int) -> None:
    assert best_epoch({}, epochs(*ndcg), config()) == best


def test_metric_chooses() -> None:
    two = [*epochs(0.1, hr=0.9), *epochs(0.9, hr=0.1)]
    assert best_epoch({}, two, config(metric="hr")) == 1
    assert best_epoch({}, two, config(metric="ndcg")) == 2


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
    assert reason_to_stop({}, epochs(*ndcg), config(**fields)) == reason


def test_a_stage_counts_epochs_from_one() -> None:
    stage = end_of_stage("neumf", {}, epochs(0.1, 0.3, 0.2), config(epochs=3))
    assert (stage.best_epoch, stage.chosen_by, stage.stopped) == (
        2,
        "ndcg@10 on validation, over sampled ones",
        "all epochs done",
    )


@pytest.mark.parametrize(("ndcg", "best"), [([0.1, 0.2], 0), ([0.1, 0.3], 0), ([0.1, 0.4], 2), ([], 0)])
def test_what_it_starts_from_is_taken_where_no_epoch_is_better(ndcg: list[float], best: int) -> None:
    start = epochs(0.3)[0].metrics
    assert best_epoch(start, epochs(*ndcg), config()) == best


@pytest.mark.parametrize(
    ("fields", "best"),
    [
        ({"pretraining": "als"}, 0),
        ({"pretraining": "als", "history_factors": 0}, 0),
        ({"pretraining": "als", "history_factors": 0, "recent_items": 0}, 2),
        ({"pretraining": "none"}, 2),
    ],
)
def test_a_start_that_is_fitted_anew_gives_way_to_a_gain_of_so_much(fields: dict[str, object], best: int) -> None:
    start = epochs(0.3)[0].metrics
    assert best_epoch(start, epochs(0.301, 0.302), config(**fields)) == best
    assert best_epoch(start, epochs(0.302, 0.304), config(**fields)) == 2
    assert best_epoch(start, epochs(0.302, 0.304), config(least_gain=0.1, **fields)) == best


@pytest.mark.parametrize(("history_factors", "worth"), [(32, [0.2, 0.3, 0.3, 0.31]), (0, [0.2, 0.301, 0.302, 0.31])])
def test_an_epoch_that_would_not_be_exported_is_worth_no_more_than_the_start(
    history_factors: int, worth: list[float]
) -> None:
    start, found = epochs(0.3)[0].metrics, epochs(0.2, 0.301, 0.302, 0.31)
    chosen = config(pretraining="als", history_factors=history_factors, recent_items=0)
    assert values_of(start, found, chosen) == worth
    assert values_of({}, found, chosen) == [0.2, 0.301, 0.302, 0.31]


def test_small_gains_keep_the_training_going_until_they_end() -> None:
    start, patient = epochs(0.3)[0].metrics, config(early_stopping_patience=2, pretraining="als")
    rising = (0.3003, 0.3006, 0.3012)
    assert best_epoch(start, epochs(*rising), patient) == 0
    assert reason_to_stop(start, epochs(*rising), patient) is None
    assert reason_to_stop(start, epochs(*rising, 0.301, 0.3011), patient) == "no better NDCG@10 for 2 epochs"
    assert best_epoch(start, epochs(*rising, 0.304), patient) == 4


def test_epochs_that_gain_nothing_over_the_start_end_the_training_and_are_told() -> None:
    start, found = epochs(0.3)[0].metrics, epochs(0.1, 0.2)
    patient = config(early_stopping_patience=2)
    assert reason_to_stop(start, found[:1], patient) is None
    stage = end_of_stage("neumf", start, found, patient)
    assert (stage.best_epoch, stage.best) == (0, start)
    assert outcome(stage, patient).startswith("2 epochs gained nothing over the start: validation HR@10 0.3000")


def test_outcome_says_that_nothing_was_chosen_without_validation() -> None:
    without, validated = (
        end_of_stage("neumf", {}, epochs(*ndcg), config(epochs=2)) for ndcg in ([None] * 2, [0.3, 0.1])
    )
    assert outcome(without, config(epochs=2)).startswith("epoch 2 of 2: the last one, as no held-out items are there")
    assert outcome(validated, config(epochs=2)) == (
        "epoch 1 of 2: validation HR@10 0.3000, NDCG@10 0.3000 (all epochs done); 1.00 M examples/s"
    )


def test_progress_shows_the_last_epoch() -> None:
    assert progress_of(epochs(0.1, 0.3, hr=0.5), config()) == "epoch 2: loss 0.5000, HR@10 0.5000, NDCG@10 0.3000"
    assert progress_of(epochs(None), config()) == "epoch 1: loss 0.5000"


def test_another_metric_chooses_and_is_shown_once_it_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "METRIC_NAMES", ("HR@10", "NDCG@10", "MRR@10"))
    by_mrr = config(epochs=2).model_copy(update={"metric": "mrr"})
    values = ({"HR@10": 0.5, "NDCG@10": 0.4, "MRR@10": 0.3}, {"HR@10": 0.6, "NDCG@10": 0.5, "MRR@10": 0.2})
    stage = end_of_stage("neumf", {}, [Epoch(0.5, metrics, 1.0, 1e6) for metrics in values], by_mrr)
    assert (stage.best_epoch, stage.chosen_by) == (1, "mrr@10 on validation, over sampled ones")
    assert "HR@10 0.5000, NDCG@10 0.4000, MRR@10 0.3000" in outcome(stage, by_mrr)
