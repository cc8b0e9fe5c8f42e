import pytest

from pipeline.config import Config
from pipeline.estimating import work as work_module
from pipeline.estimating.counts import Counts
from pipeline.estimating.work import Work, amounts, flops_of_pair


def work_of(rows: int, users: int, items: int, **sections: object) -> Work:
    counts = Counts(rows, users, items, rows - 2 * users, users, users, in_order=True)
    return Work(Config.model_validate({"dataset": {"kind": "synthetic"}, **sections}), counts)


def test_what_is_left_to_the_data_is_as_the_steps_decide():
    small, large = work_of(100_000, 943, 1_682), work_of(20_000_263, 138_493, 26_744)
    assert not small.streamed
    assert small.left_out == {}
    assert (small.settings.num_factors, small.batch_size) == (192, 2048)
    assert small.towers.widths == {"history": 943, "recent": 1024}  # no more than there are users, or items
    assert large.streamed
    assert list(large.left_out) == ["ease"]
    assert (large.settings.num_factors, large.batch_size) == (32, 16_384)
    assert large.ranked_users == 10_000


def test_what_is_configured_wins():
    work = work_of(
        100_000,
        943,
        1_682,
        negatives={"source": "streamed", "num_eval_negatives": 99},
        trainer={"num_factors": 8, "history_factors": 0, "recent_items": 0, "batch_size": 100},
        evaluator={"als": False, "full_ranking_users": 5},
    )
    assert work.streamed
    assert work.width == 100
    assert (work.settings.num_factors, work.towers.widths, work.batch_size) == (8, {}, 100)
    assert "als" not in work.baselines
    assert work.ranked_users == 5


@pytest.mark.parametrize(
    ("trainer", "epochs"),
    [
        ({}, (3, 10)),
        ({"early_stopping_patience": None}, (10, 10)),
        ({"epochs": 2}, (2, 2)),
        ({"pretraining": "towers", "pretraining_epochs": 5}, (9, 20)),
    ],
)
def test_training_may_stop_as_early_as_its_patience_ends(trainer, epochs):
    found = work_of(100_000, 943, 1_682, trainer=trainer).epochs
    assert (found[0], found[-1]) == epochs


def test_negatives_that_the_data_brings_are_as_many_as_it_brings():
    counts = Counts(1_000, 60, 40, 900, 0, 60, in_order=True, negatives=99)
    config = Config.model_validate({"dataset": {"kind": "synthetic"}, "negatives": {"protocol": "ncf"}})
    assert Work(config, counts).records == 60 * 100


def test_operations_of_a_pair_are_those_of_the_matrix_products():
    # 64 x 32 has been done for users and items alone; 32 x 16 and 16 x 8 products, a head of 8 and 8 factors.
    assert flops_of_pair(8, (64, 32, 16, 8)) == 2 * (32 * 16 + 16 * 8 + 8 + 8)
    assert flops_of_pair(8, ()) == 2 * 8


def test_every_baseline_that_is_measured_has_amounts():
    work = work_of(100_000, 943, 1_682)
    found = amounts(work)
    assert set(work.baselines) <= set(found)
    assert all(value >= 0 for part in found.values() for value in part.values())


@pytest.mark.parametrize(
    ("trainer", "rows", "fits"),
    [
        ({}, 100_000, 5),  # two settings tried
        ({"als_regularization": 0.1}, 100_000, 3),
        ({}, 20_000_000, 2),
        ({"pretraining": "als_towers"}, 100_000, 4),  # not beside the first tower
        ({"pretraining": "none"}, 100_000, 0),
    ],
)
def test_als_is_fitted_as_often_as_training_does(trainer, rows, fits):
    assert work_of(rows, 943, 1_682, trainer=trainer).fits_of_als == fits


def test_for_records_all_items_are_scored_unless_they_are_many_more():
    from components.ranking import compiled_scorer

    assert work_module._MORE_ITEMS == compiled_scorer._MORE_ITEMS_OF_WIDE
    assert work_of(100_000, 943, 1_682).scored_for_records == 943 * 1_682
    assert work_of(100_000, 943, 50_000).scored_for_records == 943 * 1_000
