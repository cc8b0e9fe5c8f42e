"""What TFX's Trainer executor runs."""

import functools
import posixpath
import time

import keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.artifacts.model_run import History
from components.artifacts.vocabulary import Vocabulary
from components.serving.digests import digests
from components.serving.exporter import ServingModel
from components.serving.seen_items import SeenItems
from components.shared import progress
from components.shared.errors import UserError
from components.shared.json_types import JsonObject
from components.trainer import checkpoints, history
from components.trainer.config import TrainerConfig
from components.trainer.data import Examples
from components.trainer.engines.devices import find_device
from components.trainer.fitting import fit, with_als
from components.trainer.linear import Beside, Ensemble, Histories, choose_start
from components.trainer.settings import chosen, settle, starts
from components.trainer.validation import make_validation
from components.trainer.warm_start import Champion, to_hand_on

_PLACES = ("checkpoint_root", "push_destination", "interactions")  # not what is trained


def run_fn(fn_args: FnArgs) -> None:
    """Trains NeuMF and exports its best epoch; of several workers, which all call this, only the chief writes.

    Args:
      fn_args: of TFX's Trainer; `custom_config` is what `executor.stock_properties` put there.

    Raises:
      UserError: the examples were not cut for this configuration, or do not belong to the vocabulary; the loss is
        not finite; the disk is full; there is no such device, or a worker is gone; a champion may know the test items.
    """
    begun = time.monotonic()
    custom: JsonObject = fn_args.custom_config
    config, seed = TrainerConfig.model_validate(custom["config"]), int(custom["seed"])
    device = find_device(config.device)  # first: workers must be joined before TensorFlow does anything
    # The stock Trainer hands over patterns of files, not the artifact: <uri>/Split-train/*
    examples = Examples.open(posixpath.dirname(posixpath.dirname(fn_args.train_files[0])), custom["interactions"])
    examples.check(config)
    vocabulary = Vocabulary.open(fn_args.transform_graph_path)
    _check_sizes(examples, vocabulary)
    seen = SeenItems.open(custom["interactions"], len(vocabulary.user_ids))
    _check_backend()

    histories = Histories.read(custom["interactions"], vocabulary.user_ids)
    counts = histories.counts(examples.summary.batch_size)
    settings = settle(config, counts)
    warm, champion = config.warm_start == "champion", None
    if warm:
        champion = Champion.find(custom["push_destination"], vocabulary, histories, config, settings)
    told = settings if champion else choose_start(starts(config, counts), histories, seed)
    settings = champion.settings(told) if champion else told
    identity = {
        "examples": examples.summary.fingerprint,
        **custom,
        **dict.fromkeys(_PLACES),
        "champion": champion.version if champion else None,
    }
    logs = fn_args.model_run_dir
    checkpoint_root = custom["checkpoint_root"] or posixpath.join(logs, "checkpoints")
    checkpoint = checkpoints.checkpoint_folder(checkpoint_root, identity)
    examples = examples.written_ahead_to(posixpath.join(checkpoint, f"ahead-{device.worker}"))
    beside: Beside = (
        champion.continued(histories, settings, seed)
        if champion
        else Ensemble.prepare(histories, settings, seed, examples.summary.num_negatives)
    )
    validation = make_validation(examples, settings, beside)
    start = champion.start if champion else None
    trained = fit(examples, settings, seed, device, validation, checkpoint, logs, start=start)
    if not device.is_chief:
        device.wait_for_all()
        return
    *towers, whole = trained.stages
    from_als = settings.pretraining == "als" and whole.best_epoch == 0
    restart = functools.partial(with_als, examples, settings, seed) if from_als else None
    exported = beside.join(trained.model, restart)
    kept = to_hand_on(trained.model, exported, vocabulary, config, champion) if warm else None
    seconds = time.monotonic() - begun
    serving = ServingModel(
        exported.model, vocabulary, seen, exported.folding, exported.served_users, exported.parts.probabilities
    )
    History(whole, seconds, told.model_dump(mode="json"), towers, exported.blend, digests(serving)).write(logs)
    checkpoints.save_weights(exported.model, posixpath.join(posixpath.dirname(fn_args.serving_model_dir), "keras"))
    serving.save(fn_args.serving_model_dir, kept)
    device.wait_for_all()
    checkpoints.remove(checkpoint)
    origin = [champion.outcome] if champion else []
    outcome = [*origin, history.outcome(whole, settings), *history.outcome_of_blend(exported.blend, settings)]
    progress.note("; ".join([*outcome, *history.settled(chosen(config, told))]))


def _check_sizes(examples: Examples, vocabulary: Vocabulary) -> None:
    summary = examples.summary
    sizes, known = (summary.users, summary.items), (len(vocabulary.user_ids), len(vocabulary.item_ids))
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
