"""One model from its start to its best epoch: what comes before the training, and the training itself."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import tensorflow as tf

from components.artifacts.interactions import Pairs
from components.artifacts.model_run import Epoch, Stage
from components.shared import progress
from components.shared.files import folders
from components.shared.files.places import is_remote
from components.shared.random_streams import stream_key
from components.trainer import checkpoints
from components.trainer.checkpoints import TrainingState
from components.trainer.data import Examples
from components.trainer.engines.devices import Device
from components.trainer.history import end_of_stage
from components.trainer.loop import Training
from components.trainer.model import NeuMF
from components.trainer.pretraining import TOWERS, fuse, start_from_als, tower_config
from components.trainer.settings import Settings
from components.trainer.validation import Validation

Start = Callable[[NeuMF], None]
"""Changes the whole model's weights before its training, once it has what pretraining gives it."""

Watch = Callable[[TrainingState], None]
"""Sees the state of the whole model's training after each epoch; what it raises ends the training."""


@dataclass(frozen=True)
class Fit:
    """A trained model, with the weights of its best epoch, and the stages that led to it, its own the last."""

    model: NeuMF
    stages: Sequence[Stage]


def fit(
    examples: Examples,
    config: Settings,
    seed: int,
    device: Device,
    validation: Validation | None,
    checkpoint: str,
    logs: str,
    watch: Watch | None = None,
    start: Start | None = None,
) -> Fit:
    """Trains a model, after its towers where the configuration says so.

    Args:
      examples: what it learns from.
      config: the model and its training.
      seed: the run's seed.
      device: what trains.
      validation: what chooses the epochs; None: nothing, the last ones are taken.
      checkpoint: folder for the checkpoints; a stage that has one goes on from it.
      logs: folder for TensorBoard.
      watch: called after each epoch of the whole model, once its checkpoint is written.
      start: called with the whole model before its first epoch; None: it stays as it is.

    Returns:
      The model on one device and in float32, whatever trained it.

    Raises:
      UserError: the device cannot train so (see `make_engine`), or a training fails (see `Training.run`).
    """
    with device.placement():
        return _fit(examples, config, seed, device, validation, checkpoint, logs, watch, start)


def _fit(
    examples: Examples,
    config: Settings,
    seed: int,
    device: Device,
    validation: Validation | None,
    checkpoint: str,
    logs: str,
    watch: Watch | None,
    start: Start | None,
) -> Fit:
    stages: list[Stage] = []
    towers: dict[str, NeuMF] = {}
    for name in TOWERS if config.trains_towers else ():
        alone = tower_config(config, name)
        place, log = (posixpath.join(folder, name) for folder in (checkpoint, logs))
        towers[name] = _start(examples, alone, seed, place)
        stages.append(_train(name, towers[name], examples, alone, device, validation, place, log))
    model = _start(examples, config, seed, checkpoint)
    if towers:
        fuse(model, **towers, gmf_share=config.pretraining_gmf_share)
    if start is not None and checkpoints.load(checkpoint) is None:
        start(model)
    stages.append(_train("neumf", model, examples, config, device, validation, checkpoint, logs, watch))
    return Fit(model, stages)


def _start(examples: Examples, config: Settings, seed: int, checkpoint: str) -> NeuMF:
    """The model that a training starts with, unless it goes on from its checkpoint."""
    model = new_model(examples, config, seed)
    if config.pretraining == "als" and checkpoints.load(checkpoint) is None:
        with_als(examples, config, seed, model)
    return model


def with_als(examples: Examples, config: Settings, seed: int, model: NeuMF, train: Pairs | None = None) -> None:
    """Starts a model from ALS; see `start_from_als`."""
    with progress.bar("ALS", config.als_iterations) as bar:
        start_from_als(model, examples, config, stream_key(seed, "pretraining"), bar, train)


def new_model(examples: Examples, config: Settings, seed: int) -> NeuMF:
    """A model with random weights."""
    return NeuMF(
        examples.summary.users,
        examples.summary.items,
        config.num_factors,
        config.layers,
        config.embedding_stddev,
        seed,
        config.gmf_head,
    )


def _train(
    name: str,
    model: NeuMF,
    examples: Examples,
    config: Settings,
    device: Device,
    validation: Validation | None,
    checkpoint: str,
    logs: str,
    watch: Watch | None = None,
) -> Stage:
    state = checkpoints.load(checkpoint)
    log = EpochLog(logs if device.is_chief else None)
    for number, epoch in enumerate(state.epochs if state else [], start=1):
        log.write(number, epoch)

    def epoch_seen(state: TrainingState) -> None:
        if device.is_chief:
            checkpoints.save(checkpoint, state)
        log.write(len(state.epochs), state.epochs[-1])
        if watch is not None:
            watch(state)

    def train(model: NeuMF) -> TrainingState:
        return Training(model, examples, config, device, validation).run(state, epoch_seen)

    alone = device.strategy is None and config.precision == "float32"
    ended = train(model) if alone else _train_a_copy(model, config.precision, device, train)
    return end_of_stage(name, ended.start, ended.epochs, config)


def _train_a_copy(
    model: NeuMF, precision: str, device: Device, train: Callable[[NeuMF], TrainingState]
) -> TrainingState:
    """Trains a copy, which lies on several devices or is in half precision, and takes over its weights."""
    with device.scope():
        copy = NeuMF(**model.get_config(), precision=precision)
        copy.set_weights(model.get_weights())
        ended = train(copy)
        weights = copy.get_weights()
    model.set_weights(weights)
    return ended


class EpochLog:
    """TensorBoard's scalars, one point for each epoch."""

    def __init__(self, folder: str | None):
        """Opens the log in `folder`; None writes nothing."""
        self._folder = folder
        # TensorFlow writes to files of this machine, which are copied after each epoch.
        self._copied = TemporaryDirectory(prefix="neumf-log-") if folder and is_remote(folder) else None
        place = self._copied.name if self._copied else folder
        self._writer = tf.summary.create_file_writer(place) if place else tf.summary.create_noop_writer()

    def write(self, number: int, epoch: Epoch) -> None:
        """Adds an epoch, numbered from 1."""
        metrics = {name.lower(): value for name, value in epoch.metrics.items()}
        with self._writer.as_default():
            for name, value in {"loss": epoch.loss, **metrics, "speed": epoch.examples_per_second}.items():
                tf.summary.scalar(name, value, step=number)
        self._writer.flush()
        if self._copied and self._folder:
            folders.copy(self._copied.name, self._folder, last="")
