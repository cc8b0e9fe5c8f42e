"""The training step of the pipeline: TFX's own Trainer around `run_fn`."""

from tfx.components import Trainer
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel

from components.trainer.config import TrainerConfig


def trainer(
    examples: BaseChannel,
    vocabulary: BaseChannel,
    config: TrainerConfig,
    seed: int,
    checkpoint_root: str,
    code_version: str,
) -> Trainer:
    """Makes the Trainer that learns NeuMF from ready batches.

    Args:
      examples: NegativeGen's `examples`.
      vocabulary: Preprocess's `vocabulary`; it travels through the Trainer's port for a transform graph.
      config: the model and its training.
      seed: of the initial weights.
      checkpoint_root: folder for the checkpoints of trainings that have not ended.
      code_version: changes when the code does, so that the cache does not serve what older code made.

    Returns:
      A component with the outputs `model` (a SavedModel in `Format-Serving`, Keras weights in `keras`) and `model_run`
      (TensorBoard logs and `history.json`).
    """
    return Trainer(
        examples=examples,
        transform_graph=vocabulary,
        run_fn="components.trainer.run_fn.run_fn",
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        # run_fn finds the validation split by itself, as there may be none; left empty, TFX looks for one named eval.
        eval_args=trainer_pb2.EvalArgs(splits=["train"]),
        custom_config={
            "config": config.model_dump(mode="json"),
            "seed": seed,
            "checkpoint_root": checkpoint_root,
            "code_version": code_version,
        },
    )
