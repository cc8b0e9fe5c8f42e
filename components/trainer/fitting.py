"""One model from its start to its best epoch: what comes before the training, and the training itself."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from components.shared import progress
from components.shared.random_streams import stream_key
from components.trainer import checkpoints
from components.trainer.checkpoints import TrainingState
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.devices import find_device
from components.trainer.history import Epoch, Stage
from components.trainer.loop import Training
from components.trainer.model import NeuMF
from components.trainer.pretraining import TOWERS, fuse, start_from_als, tower_config


@dataclass(frozen=True)
class Fit:
    """A trained model, with the weights of its best epoch, and the stages that led to it, its own the last."""

    model: NeuMF
    stages: Sequence[Stage]


def fit(examples: Examples, config: TrainerConfig, seed: int, checkpoint: str, logs: str) -> Fit:
    """Trains a model, after its towers where the configuration says so.

    Args:
      examples: what it learns from.
      config: the model and its training.
      seed: the run's seed.
      checkpoint: folder for the checkpoints; a stage that has one goes on from it.
      logs: folder for TensorBoard.

    Returns:
      The model on one device and in float32, whatever trained it.

    Raises:
      UserError: this machine has no such device, or a training fails (see `Training.run`).
    """
    with find_device(config.device).placement():
        return _fit(examples, config, seed, checkpoint, logs)


def _fit(examples: Examples, config: TrainerConfig, seed: int, checkpoint: str, logs: str) -> Fit:
    stages: list[Stage] = []
    towers: dict[str, NeuMF] = {}
    for name in TOWERS if config.trains_towers else ():
        alone = tower_config(config, name)
        places = [posixpath.join(folder, name) for folder in (checkpoint, logs)]
        towers[name] = _start(examples, alone, seed, places[0])
        stages.append(Stage(name, _train(towers[name], examples, alone, *places), alone))
    model = _start(examples, config, seed, checkpoint)
    if towers:
        fuse(model, **towers, gmf_share=config.pretraining_gmf_share)
    stages.append(Stage("neumf", _train(model, examples, config, checkpoint, logs), config))
    return Fit(model, stages)


def _start(examples: Examples, config: TrainerConfig, seed: int, checkpoint: str) -> NeuMF:
    """The model that a training starts with, unless it goes on from its checkpoint."""
    model = new_model(examples, config, seed)
    if config.pretraining == "als" and checkpoints.load(checkpoint) is None:
        with progress.bar("ALS", config.als_iterations) as bar:
            start_from_als(model, examples, config, stream_key(seed, "pretraining"), bar)
    return model


def new_model(examples: Examples, config: TrainerConfig, seed: int) -> NeuMF:
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


def _train(model: NeuMF, examples: Examples, config: TrainerConfig, checkpoint: str, logs: str) -> Sequence[Epoch]:
    state = checkpoints.load(checkpoint)
    device = find_device(config.device)
    log = EpochLog(logs if device.is_chief else None)
    for number, epoch in enumerate(state.epochs if state else [], start=1):
        log.write(number, epoch)

    def epoch_seen(state: TrainingState) -> None:
        if device.is_chief:
            checkpoints.save(checkpoint, state)
        log.write(len(state.epochs), state.epochs[-1])

    if device.strategy is None and config.precision == "float32":
        return Training(model, examples, config).run(state, epoch_seen).epochs
    with device.scope():
        copy = NeuMF(**model.get_config(), precision=config.precision)
        copy.set_weights(model.get_weights())
        epochs = Training(copy, examples, config).run(state, epoch_seen).epochs
        weights = copy.get_weights()
    model.set_weights(weights)
    return epochs


class EpochLog:
    """TensorBoard's scalars, one point for each epoch."""

    def __init__(self, folder: str | None):
        """Opens the log in `folder`; None writes nothing."""
        self._writer = tf.summary.create_file_writer(folder) if folder else tf.summary.create_noop_writer()

    def write(self, number: int, epoch: Epoch) -> None:
        """Adds an epoch, numbered from 1."""
        values = {"loss": epoch.loss, "hr@10": epoch.hr, "ndcg@10": epoch.ndcg, "speed": epoch.examples_per_second}
        with self._writer.as_default():
            for name, value in values.items():
                if value is not None:
                    tf.summary.scalar(name, value, step=number)
        self._writer.flush()
