"""What the stock TFX Trainer runs."""

import posixpath
import time
from typing import Any

import keras
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from components import progress
from components.artifacts import write_json
from components.errors import UserError
from components.random_streams import stream_key
from components.trainer import checkpoints, history
from components.trainer.checkpoints import TrainingState
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.export import ServingModel, save_weights
from components.trainer.history import Epoch
from components.trainer.loop import Training
from components.trainer.model import NeuMF
from components.trainer.pretraining import fuse, start_from_als, tower_config
from components.trainer.vocabulary import Vocabulary


def run_fn(fn_args: FnArgs) -> None:
    """Trains NeuMF and exports its best epoch.

    Args:
      fn_args: of the stock Trainer; `custom_config` is what `component.trainer` put there.

    Raises:
      UserError: the examples were not cut for this configuration, or do not belong to the vocabulary; the loss is
        not finite; the disk is full.
    """
    start = time.monotonic()
    custom: dict[str, Any] = fn_args.custom_config
    config, seed = TrainerConfig.model_validate(custom["config"]), int(custom["seed"])
    # The stock Trainer hands over patterns of files, not the artifact: <uri>/Split-train/*
    examples = Examples.open(posixpath.dirname(posixpath.dirname(fn_args.train_files[0])))
    examples.check(config)
    vocabulary = Vocabulary.open(fn_args.transform_graph_path)
    _check_sizes(examples, vocabulary)
    _check_backend()

    identity = {"examples": examples.fingerprint, **custom, "checkpoint_root": None}
    folder = checkpoints.checkpoint_folder(custom["checkpoint_root"], identity)
    logs = fn_args.model_run_dir
    towers: dict[str, NeuMF] = {}
    report: dict[str, Any] = {}
    if config.pretraining == "towers":
        for name in ("gmf", "mlp"):
            alone = tower_config(config, name)
            towers[name] = new_model(examples, alone, seed)
            state = train(towers[name], examples, alone, posixpath.join(folder, name), posixpath.join(logs, name))
            report[name] = history.as_json(state.epochs, alone)

    model = new_model(examples, config, seed)
    if towers:
        fuse(model, **towers)
    elif config.pretraining == "als" and checkpoints.load(folder) is None:
        with progress.bar("pretraining: ALS", config.als_iterations) as bar:
            start_from_als(model, examples, config, stream_key(seed, "pretraining"), bar)
    state = train(model, examples, config, folder, logs)
    report = {**history.as_json(state.epochs, config), "pretraining": report, "seconds": time.monotonic() - start}
    write_json(posixpath.join(logs, "history.json"), report)
    save_weights(model, posixpath.join(posixpath.dirname(fn_args.serving_model_dir), "keras"))
    ServingModel(model, vocabulary).save(fn_args.serving_model_dir)
    checkpoints.remove(folder)
    progress.note(history.outcome(state.epochs, config))


def new_model(examples: Examples, config: TrainerConfig, seed: int) -> NeuMF:
    """A model with random weights."""
    return NeuMF(examples.users, examples.items, config.num_factors, config.layers, config.embedding_stddev, seed)


def train(model: NeuMF, examples: Examples, config: TrainerConfig, checkpoint: str, logs: str) -> TrainingState:
    """Trains a model to its best epoch, going on from the checkpoint if there is one; logs for TensorBoard."""
    state = checkpoints.load(checkpoint)
    log = EpochLog(logs)
    for number, epoch in enumerate(state.epochs if state else [], start=1):
        log.write(number, epoch)

    def epoch_seen(state: TrainingState) -> None:
        checkpoints.save(checkpoint, state)
        log.write(len(state.epochs), state.epochs[-1])

    return Training(model, examples, config).run(state, epoch_seen)


class EpochLog:
    """TensorBoard's scalars, one point for each epoch."""

    def __init__(self, folder: str):
        """Opens the log in `folder`."""
        self._writer = tf.summary.create_file_writer(folder)

    def write(self, number: int, epoch: Epoch) -> None:
        """Adds an epoch, numbered from 1."""
        values = {"loss": epoch.loss, "hr@10": epoch.hr, "ndcg@10": epoch.ndcg, "speed": epoch.examples_per_second}
        with self._writer.as_default():
            for name, value in values.items():
                if value is not None:
                    tf.summary.scalar(name, value, step=number)
        self._writer.flush()


def _check_sizes(examples: Examples, vocabulary: Vocabulary) -> None:
    sizes, known = (examples.users, examples.items), (len(vocabulary.user_ids), len(vocabulary.item_ids))
    if sizes != known:
        raise UserError(
            f"the examples at {examples.uri} have {sizes[0]:,} users and {sizes[1]:,} items, but their vocabulary has "
            f"{known[0]:,} and {known[1]:,}; run Preprocess and NegativeGen again"
        )


def _check_backend() -> None:
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"the trainer needs Keras on TensorFlow, but it is set to {keras.backend.backend()!r}; "
            "unset KERAS_BACKEND, or set it to tensorflow"
        )
