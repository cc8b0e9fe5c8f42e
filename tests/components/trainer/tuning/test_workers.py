"""Real trainings, in processes of their own."""

import dataclasses
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from components.shared.errors import UserError
from components.shared.parallel import cores
from components.trainer.config import TrainerConfig
from components.trainer.tuning import workers as workers_module
from components.trainer.tuning.trial import Bench
from components.trainer.tuning.workers import Done, Epochs, Failed, Job, Task, Workers, share_cores
from tests.components.trainer.conftest import CONFIG

TASK = Task(7, TrainerConfig(**{**CONFIG, "epochs": 4}).model_dump(mode="json"))


def of_the_trainer(workspace) -> list[float]:
    """What the Trainer itself has measured after each epoch of the same training."""
    history = json.loads((workspace.model_run() / "history.json").read_text())
    return [epoch["ndcg@10"] for epoch in history["epochs"]]


@pytest.fixture(scope="module")
def job(inputs, tmp_path_factory) -> Job:
    return Job(str(inputs / "examples"), str(inputs / "interactions"), "cpu", 0, str(tmp_path_factory.mktemp("study")))


@pytest.fixture(scope="module")
def worker(job) -> Iterator[Workers]:
    with Workers(job) as started:
        yield started


def to_the_end(worker: Workers, task: Task, answer: Callable[[Epochs], bool] = lambda event: True):
    """Has a training done; all that is heard of it."""
    worker.give(task)
    heard = []
    while worker.busy:
        for event in worker.events(60):
            heard.append(event)
            if isinstance(event, Epochs):
                worker.answer(event.number, answer(event))
    return heard


@pytest.mark.slow
def test_a_worker_trains_as_the_trainer_does(worker, trained, job):
    *epochs, done = to_the_end(worker, TASK)

    values = of_the_trainer(trained)
    assert [event.values for event in epochs] == [values[:number] for number in range(1, 5)]
    assert done == Done(7, values)
    assert not os.path.exists(f"{job.folder}/checkpoints/00007")


@pytest.mark.slow
def test_it_stops_when_told_to(worker, trained):
    *epochs, done = to_the_end(worker, TASK, answer=lambda event: len(event.values) < 2)
    assert len(epochs) == 2
    assert done == Done(7, of_the_trainer(trained)[:2])


@pytest.mark.slow
def test_a_training_that_fails_is_told_and_the_next_one_goes_well(worker, trained):
    too_fast = Task(8, {**TASK.config, "learning_rate": 1e30})
    (failed,) = to_the_end(worker, too_fast)
    assert isinstance(failed, Failed)
    assert "not finite" in failed.reason

    (contradiction,) = to_the_end(worker, Task(9, {**TASK.config, "layers": [], "num_factors": 0}))
    assert contradiction == Failed(9, "num_factors is 0 and layers is empty: no tower is left")

    assert to_the_end(worker, TASK)[-1] == Done(7, of_the_trainer(trained))


@pytest.mark.slow
def test_one_that_is_killed_is_replaced_and_its_training_can_go_on(worker, trained):
    killed = False

    def kill(event: Epochs) -> bool:
        nonlocal killed
        if len(event.values) == 2 and not killed:
            (process,) = multiprocessing.active_children()
            os.kill(process.pid, signal.SIGKILL)
            killed = True
        return True

    *_, failed = to_the_end(worker, TASK, kill)
    assert failed == Failed(7, "its process was killed, as it is where memory runs out")

    first, *_, done = to_the_end(worker, TASK)
    values = of_the_trainer(trained)
    assert len(first.values) == 3  # from its checkpoint
    assert done == Done(7, values)


@pytest.mark.slow
def test_what_makes_every_training_impossible_is_told(job):
    with Workers(dataclasses.replace(job, examples=f"{job.examples}_that_are_not_there")) as started:
        started.give(TASK)
        with pytest.raises(UserError, match="is not a whole artifact"):
            started.events(60)


def test_without_validation_nothing_can_be_chosen(job):
    without = dataclasses.replace(job, examples=f"{job.examples}_without_validation")
    with pytest.raises(UserError, match=r"set preprocess\.validation=true"):
        Bench(without)


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.setattr(workers_module, "cores", lambda: 5)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {8, 2, 3, 4, 5, 6, 7})
    assert share_cores(1) == [[]]
    assert share_cores(2) == [[2, 3], [4, 5, 6]]
    assert share_cores(5) == [[2], [3], [4], [5], [6]]


def test_more_workers_than_cores_are_told():
    with pytest.raises(UserError, match=r"--workers 1,?000: each needs a core, and there are"):
        share_cores(1000)
    assert len(share_cores(cores())) == cores()
