import pytest

from components.trainer.tuning.findings import Findings, State, Tried


def findings(*bests: float | None) -> Findings:
    trials = [
        Tried(number, {}, State.FAILED if best is None else State.COMPLETE, () if best is None else (best / 2, best))
        for number, best in enumerate(bests)
    ]
    return Findings("NDCG@10", trials, {}, 60.0, "all trials were done")


def test_the_earliest_of_the_best_wins():
    found = findings(0.1, 0.3, None, 0.3)
    assert found.winner.number == 1
    assert found.winner.best_epoch == 2
    assert found.gain == pytest.approx(2.0)


def test_the_configuration_as_it_is_can_win():
    found = findings(0.3, 0.3)
    assert found.winner is found.own
    assert found.gain == 0


def test_without_a_figure_of_the_configuration_as_it_is_there_is_no_gain():
    assert findings(None, 0.3).gain is None
    assert findings(None, None).winner is None


def test_the_earliest_of_equal_epochs_is_the_best():
    assert Tried(0, {}, State.COMPLETE, (0.1, 0.3, 0.3, 0.2)).best_epoch == 2
