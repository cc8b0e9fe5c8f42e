"""A search, with trainings that are a formula; tests/components/trainer/tuning/test_workers.py has real ones."""

import json
import math
from pathlib import Path

import pytest

from components.trainer.config import TrainerConfig
from components.trainer.tuning.findings import State
from components.trainer.tuning.search import Limits, Watcher, search
from components.trainer.tuning.space import Space
from components.trainer.tuning.study import Study
from tests.components.trainer.tuning.toys import Clock, Crew, Formula

OWN = TrainerConfig(learning_rate=0.01)
EPOCHS = 6
LONG = 1e9


def hill(config) -> list[float]:
    """Highest at a rate of .001, lower by as much as the rate is away from it, on a logarithmic scale."""
    height = 1 - abs(math.log10(config["learning_rate"]) + 3) / 2
    return [height * epoch / EPOCHS for epoch in range(1, EPOCHS + 1)]


def study_in(folder: Path, config: TrainerConfig = OWN, seed: int = 0) -> Study:
    return Study(folder, Space(config, ("learning_rate",)), seed)


def run(folder: Path, trials: int = 12, formula: Formula = hill, events: int = 10_000) -> tuple[Study, str, Crew]:
    study, crew = study_in(folder), Crew(formula, events)
    limits = Limits(trials, LONG)
    limits.go_on_from(study.seconds)
    try:
        ended = search(study, crew, limits, Watcher())
    except KeyboardInterrupt:
        ended = "interrupted"
    return study, ended, crew


def what(study: Study):
    return [(trial.number, trial.changes, trial.state, trial.values) for trial in study.all_tried()]


def test_the_first_trial_is_the_configuration_as_it_is(tmp_path):
    study, ended, crew = run(tmp_path / "study")

    assert ended == "all trials were done"
    assert [task.number for task in crew.given] == list(range(12))
    assert TrainerConfig.model_validate(crew.given[0].config) == OWN
    assert study.tried(0).changes == {}
    assert len({task.config["learning_rate"] for task in crew.given}) == 12


def test_the_search_climbs(tmp_path):
    _, _, crew = run(tmp_path / "study", trials=40)
    rates = [task.config["learning_rate"] for task in crew.given]
    away = [abs(math.log10(rate) + 3) for rate in rates]
    assert min(away) < 0.05
    assert sum(away[20:]) / 20 < sum(away[1:9]) / 8


def test_all_but_the_learning_rate_stays_as_it_was(tmp_path):
    _, _, crew = run(tmp_path / "study", trials=3)
    for task in crew.given:
        assert {**task.config, "learning_rate": 0.01} == OWN.model_dump(mode="json")


def test_a_trial_below_the_median_is_stopped_and_the_first_one_never_is(tmp_path):
    worst_first = {True: 0.0, False: 0.5}

    def formula(config):
        return [worst_first[config["learning_rate"] == 0.01] + value for value in hill(config)]

    study, _, _ = run(tmp_path / "study", trials=20, formula=formula)

    trials = study.all_tried()
    assert trials[0].state == State.COMPLETE
    stopped = [trial for trial in trials if trial.state == State.STOPPED]
    assert stopped
    for trial in stopped:
        assert 2 < len(trial.values) < EPOCHS
        assert trial.best < max(other.best for other in trials)


@pytest.mark.parametrize("events", [1, 3, 20, 33])
def test_a_study_that_was_interrupted_ends_as_one_that_was_not(tmp_path, events):
    whole, _, _ = run(tmp_path / "whole")

    _, ended, _ = run(tmp_path / "broken", events=events)
    assert ended == "interrupted"
    again, _, crew = run(tmp_path / "broken")

    assert what(again) == what(whole)
    assert len(crew.given) < 12 or events < EPOCHS + 1


def test_another_seed_tries_other_values(tmp_path):
    tried = []
    for seed in (1, 2):
        study = study_in(tmp_path / str(seed), seed=seed)
        search(study, Crew(hill), Limits(3, LONG), Watcher())
        tried.append([trial.changes for trial in study.all_tried()[1:]])
    assert tried[0] != tried[1]


def test_half_a_line_and_a_lock_of_a_killed_process_do_no_harm(tmp_path):
    whole, _, _ = run(tmp_path / "whole")
    run(tmp_path / "killed", events=20)
    journal = tmp_path / "killed" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"op_code": 4, "half')
    (tmp_path / "killed" / "journal.jsonl.lock").symlink_to(journal)

    again, _, _ = run(tmp_path / "killed")

    assert what(again) == what(whole)
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_trial_that_fails_is_told_and_the_study_goes_on(tmp_path):
    def formula(config):
        if config["learning_rate"] > 0.002:
            raise ValueError("the training loss is not finite")
        return hill(config)

    study, ended, _ = run(tmp_path / "study", trials=12, formula=formula)

    assert ended == "all trials were done"
    failed = [trial for trial in study.all_tried() if trial.state == State.FAILED]
    assert failed
    assert {trial.reason for trial in failed} == {"the training loss is not finite"}
    assert study.tried(0).best is None


def test_where_all_fail_the_study_ends(tmp_path):
    def formula(config):
        raise ValueError("the disk is full")

    study, ended, _ = run(tmp_path / "study", formula=formula)

    assert ended == "5 trials in a row failed; the last one: the disk is full"
    assert len(study.all_tried()) == 5
    # What was wrong may have been mended since.
    study, ended, _ = run(tmp_path / "study")
    assert ended == "all trials were done"
    assert len(study.all_tried()) == 12


def test_time_is_counted_over_all_commands_and_what_it_cuts_off_counts(tmp_path):
    study = study_in(tmp_path / "study")
    ended = search(study, Crew(hill), Limits(1_000, 60 * 60, Clock()), Watcher())

    assert ended == "the time was up"
    assert 60 * 60 <= study.seconds <= 62 * 60
    last = study.all_tried()[-1]
    assert last.state == State.CUT_OFF
    assert last.best == max(last.values)

    study, crew = study_in(tmp_path / "study"), Crew(hill)
    limits = Limits(1_000, 60 * 60, Clock())
    limits.go_on_from(study.seconds)
    search(study, crew, limits, Watcher())
    assert crew.given == []


def test_more_trials_go_on_with_a_study_that_had_ended(tmp_path):
    run(tmp_path / "study", trials=3)
    study, _, crew = run(tmp_path / "study", trials=5)
    assert [task.number for task in crew.given] == [3, 4]
    assert len(study.all_tried()) == 5


def test_importance_finds_the_key_that_matters(tmp_path):
    study = Study(tmp_path / "study", Space(OWN, ("learning_rate", "embedding_stddev", "gmf_head")), 0)
    search(study, Crew(hill), Limits(30, LONG), Watcher())
    importance = study.importance()
    assert next(iter(importance)) == "learning_rate"
    assert sum(importance.values()) == pytest.approx(1)


def test_a_handful_of_trials_has_no_importance(tmp_path):
    study, _, _ = run(tmp_path / "study", trials=4)
    assert study.importance() == {}
