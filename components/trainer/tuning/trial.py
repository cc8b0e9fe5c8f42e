"""One trial: a whole training of another configuration, as the Trainer does it, without its export."""

import contextlib
import gc
from collections.abc import Mapping, Sequence

import keras
from pydantic import ValidationError

from components.artifacts.model_run import Epoch
from components.shared.errors import UserError
from components.shared.parameters import describe_fault
from components.trainer import checkpoints
from components.trainer.checkpoints import TrainingState
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.devices import find_device
from components.trainer.fitting import fit
from components.trainer.history import chosen_value, values_of
from components.trainer.linear import Ensemble, Histories, choose_start
from components.trainer.settings import Settings, starts
from components.trainer.tuning.workers import Job, Seen, Task
from components.trainer.validation import make_validation


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
        self._examples = Examples.open(job.examples, job.interactions)
        self._histories = Histories.read(job.interactions)
        self._ensemble: tuple[Settings, Ensemble] | None = None
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
        tried = starts(config, self._histories.counts(self._examples.summary.batch_size))
        settings = choose_start(tried, self._histories, self._job.seed)
        validation = make_validation(self._examples, settings, self._beside(settings))
        checkpoint, logs = (f"{self._job.folder}/{name}/{task.number:05d}" for name in ("checkpoints", "logs"))
        values: Sequence[float] = ()

        def watch(state: TrainingState) -> None:
            nonlocal values
            values = _values(state.start, state.epochs, settings)
            if not seen(values):
                raise _Enough

        try:
            with contextlib.suppress(_Enough):
                trained = fit(
                    self._examples, settings, self._job.seed, self._device, validation, checkpoint, logs, watch
                )
                whole = trained.stages[-1]
                values = _values(whole.start, whole.epochs, settings)
            return values
        finally:
            checkpoints.remove(checkpoint)
            keras.utils.clear_session()  # else the memory grows with each trial
            gc.collect()

    def _beside(self, settings: Settings) -> Ensemble:
        """The towers in closed form, found again only where the settings ask for others."""
        if self._ensemble is None or not _same_towers(self._ensemble[0], settings):
            self._ensemble = (
                settings,
                Ensemble.prepare(self._histories, settings, self._job.seed, self._examples.summary.num_negatives),
            )
        return self._ensemble[1]


def _same_towers(one: Settings, other: Settings) -> bool:
    keys = ("history_factors", "recent_items", "recent_factors", "metric")
    return all(getattr(one, key) == getattr(other, key) for key in keys)


def _values(start: Mapping[str, float], epochs: Sequence[Epoch], config: Settings) -> list[float]:
    """The metric after each epoch; what training starts from counts as the first epoch's where that is worse."""
    first, *others = values_of(start, epochs, config)
    return [max(first, chosen_value(start, config)), *others]


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
