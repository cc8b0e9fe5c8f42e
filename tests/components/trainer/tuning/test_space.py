import itertools
from typing import Any

import optuna
import pytest

from components.shared.errors import UserError
from components.trainer.config import TrainerConfig
from components.trainer.tuning.space import TUNED, Choice, Number, Space, documentation, parse_keys

ALL = tuple(TUNED)


def drawn(config: TrainerConfig, seed: int = 0) -> dict[str, Any]:
    """What a trial draws at random."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return Space(config, ALL).draw(study.ask())


def ends(range_: Number | Choice) -> tuple[Any, ...]:
    if isinstance(range_, Choice):
        return range_.values
    kind = int if range_.whole else float
    return kind(range_.low), kind(range_.high)


@pytest.mark.parametrize("key", ALL)
def test_every_value_of_a_range_is_allowed(key):
    for value in ends(TUNED[key].range):
        assert getattr(TrainerConfig(**{key: value}), key) == value


def test_a_key_stands_below_those_that_it_depends_on():
    for position, key in enumerate(ALL):
        assert set(TUNED[key].where) <= set(ALL[:position])


def test_a_draw_makes_a_configuration_whose_numbers_have_three_digits():
    for seed in range(20):
        changes = drawn(TrainerConfig(), seed)
        TrainerConfig(**changes)
        assert changes["learning_rate"] == float(f"{changes['learning_rate']:.2e}")
        assert 0.0001 <= changes["learning_rate"] <= 0.01


def test_what_belongs_to_als_is_drawn_only_with_it():
    for changes in (drawn(TrainerConfig(), seed) for seed in range(20)):
        assert ("als_regularization" in changes) == (changes["pretraining"] == "als")


def test_a_range_is_widened_to_hold_what_the_configuration_says():
    config = TrainerConfig(learning_rate=0.5, num_factors=3, layers=(10, 5), weight_averaging=0.9)
    study = optuna.create_study()
    trial = study.ask()

    Space(config, ALL).draw(trial)

    assert trial.distributions["learning_rate"].high == 0.5
    assert trial.distributions["num_factors"].low == 3
    assert "10-5" in trial.distributions["layers"].choices
    assert "0.9" in trial.distributions["weight_averaging"].choices


def test_the_configuration_itself_is_a_point_of_the_space():
    space = Space(TrainerConfig(pretraining="none", gmf_l2=0.0, learning_rate=0.002, layers=(64, 32)), ALL)
    study = optuna.create_study()
    study.enqueue_trial(space.own())
    trial = study.ask()

    assert space.draw_own(trial) == {}

    assert trial.params["learning_rate"] == 0.002
    assert trial.params["layers"] == "64-32"
    assert trial.params["gmf_l2"] == 0.00001
    assert "als_regularization" not in trial.params


def test_a_value_that_is_in_no_range_is_left_out_of_that_point():
    """As 0 factors on a logarithmic scale, and auto."""
    own = Space(TrainerConfig(num_factors=0, pretraining="none", gmf_l2=0.01), ALL).own()
    assert not {"num_factors", "learning_rate"} & own.keys()
    assert "gmf_l2" in own


def test_only_the_keys_that_are_listed_are_drawn():
    study = optuna.create_study()
    changes = Space(TrainerConfig(pretraining="als"), parse_keys("trainer.gmf_l2, als_regularization")).draw(
        study.ask()
    )
    assert set(changes) == {"gmf_l2", "als_regularization"}


@pytest.mark.parametrize(("text", "what"), [("epochs", "'epochs' is none that is tuned"), (",", "names none")])
def test_a_list_of_keys_that_is_none_is_told(text, what):
    with pytest.raises(UserError, match=what):
        parse_keys(text)


def test_another_range_has_another_identity():
    spaces = [
        Space(TrainerConfig(), ALL),
        Space(TrainerConfig(learning_rate=0.5), ALL),
        Space(TrainerConfig(), ALL[1:]),
    ]
    for one, other in itertools.combinations(spaces, 2):
        assert one.identity() != other.identity()


def test_the_documentation_says_what_is_drawn():
    rows = {key: rest for key, *rest in documentation()}
    assert rows["learning_rate"] == ["0.0001 to 0.01", "log", ""]
    assert rows["als_regularization"] == ["0.001 to 1", "log", "pretraining is als or als_towers"]
    assert rows["gmf_head"] == ["learned or ones", "choice", ""]
