"""One trial: a whole training of another configuration, as the Trainer does it, without its export."""

import contextlib
import gc
from collections.abc import Sequence

import keras
from pydantic import ValidationError

from components.artifacts.model_run import Epoch
from components.shared.errors import UserError
from components.shared.parameters import describe_fault
from components.trainer import checkpoints
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.devices import find_device
from components.trainer.fitting import fit
from components.trainer.history import chosen_value
from components.trainer.tuning.workers import Job, Seen, Task


class _Enough(Exception):  # noqa: N818 (it is no error)
    """Whoever chooses has seen enough of this training."""


class Bench:
    """Where a worker trains: the device and the examples, which stay."""

    def __init__(self, job: Job):
        """Finds the device and opens the examples.

        Raises:
          UserError: this machine has no such device, or several workers cannot share it; the examples are not whole,
            or have no validation split.
        """
        self._job = job
        self._device = find_device(job.device)
        _check_alone(self._device.kind, job.workers)
        self._examples = Examples.open(job.examples)
        if self._examples.validation is None:
            raise UserError("there is no validation split to choose on; set preprocess.validation=true")

    def run(self, task: Task, seen: Seen) -> Sequence[float]:
        """Trains, from its checkpoint where an earlier process was interrupted at it.

        Args:
          task: the training.
          seen: asked after each epoch whether to go on.

        Returns:
          The metric on validation after each epoch.

        Raises:
          UserError: the configuration contradicts itself, or the training fails (see `fit`).
        """
        config = _config(task)
        self._examples.check(config)
        checkpoint, logs = (f"{self._job.folder}/{name}/{task.number:05d}" for name in ("checkpoints", "logs"))
        epochs: Sequence[Epoch] = ()

        def watch(epochs_so_far: Sequence[Epoch]) -> None:
            nonlocal epochs
            epochs = epochs_so_far
            if not seen(_values(epochs, config)):
                raise _Enough

        try:
            with contextlib.suppress(_Enough):
                trained = fit(self._examples, config, self._job.seed, self._device, checkpoint, logs, watch)
                epochs = trained.stages[-1].epochs
            return _values(epochs, config)
        finally:
            checkpoints.remove(checkpoint)
            keras.utils.clear_session()  # else the memory grows with each trial
            gc.collect()


def _values(epochs: Sequence[Epoch], config: TrainerConfig) -> list[float]:
    return [chosen_value(epoch, config) for epoch in epochs]


def _config(task: Task) -> TrainerConfig:
    try:
        return TrainerConfig.model_validate(task.config)
    except ValidationError as error:
        raise UserError(describe_fault(error)) from None


def _check_alone(kind: str, workers: int) -> None:
    if kind == "multiworker":
        raise UserError("trainer.device multiworker trains on several machines, and tuning on one; unset TF_CONFIG")
    if kind != "cpu" and workers > 1:
        raise UserError(f"--workers {workers}: only trainings on a CPU share a machine, and trainer.device is {kind}")
