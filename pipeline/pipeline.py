"""The whole DAG."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from components.bulk_recommend.component import BulkRecommend
from components.evaluator.component import Evaluator
from components.negative_gen.component import NegativeGen
from components.preprocess.component import Preprocess
from components.pusher.component import Pusher
from components.trainer.component import Trainer
from components.trainer.tuning.component import Tuner
from pipeline.code_version import code_version
from pipeline.config import Config, describe_config


@dataclass(frozen=True)
class Places:
    """Where a run keeps its things.

    Attributes:
      artifacts: TFX's pipeline root.
      checkpoints: checkpoints of trainings that have not ended; empty: beside each training's logs.
      serving: where blessed models go, unless the configuration names another place; empty: the artifact that Pusher
        gives out.
      metadata: the metadata store, an SQLite file; None: the orchestrator has one of its own.
    """

    artifacts: str
    checkpoints: str
    serving: str
    metadata: str | None

    @classmethod
    def below(cls, root: str, store: str | None = None) -> "Places":
        """All below one folder of this machine, or artifacts and models below one of a storage (gs://..., s3://...)."""
        return cls(
            artifacts=os.path.join(store or root, "artifacts"),
            checkpoints=os.path.join(root, "checkpoints"),
            serving=os.path.join(store or root, "serving"),
            metadata=os.path.join(root, "metadata.sqlite"),
        )

    @classmethod
    def of_orchestrator(cls) -> "Places":
        """What Kubeflow or Vertex chooses, for each run."""
        return cls(artifacts="", checkpoints="", serving="", metadata=None)


def create_pipeline(
    config: Config, places: Places, input_version: str, custom_job: Mapping[str, Any] | None = None
) -> Pipeline:
    """Builds the pipeline that turns the dataset of `config` into a gated, pushed model.

    Args:
      config: the configuration of all steps. While a pipeline is compiled, some of its values are TFX's
        `RuntimeParameter`.
      places: where it keeps its things.
      input_version: changes with what the dataset is read from, so that the cache does not serve what is out of date.
      custom_job: on Vertex AI, the job that trains; None: the Trainer does.
    """
    preprocess = Preprocess(
        dataset=config.dataset,
        preprocess=config.preprocess,
        seed=config.seed,
        input_version=input_version,
        code_version=code_version("preprocess"),
        new_users=config.evaluator.new_users,
    )
    negative_gen = NegativeGen(
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        negatives=config.negatives,
        batch_size=config.trainer.batch_size,
        epochs=config.trainer.epochs,
        pretraining_epochs=config.trainer.epochs_of_towers,
        seed=config.seed,
        code_version=code_version("negative_gen"),
    )
    tuner = (
        Tuner(
            examples=negative_gen.outputs["examples"],
            interactions=preprocess.outputs["interactions"],
            trainer=config.trainer,
            tuner=config.tuner,
            seed=config.seed,
            study_root=places.checkpoints,
            code_version=code_version("trainer/tuning"),
        )
        if config.tuner.trials
        else None
    )
    push_destination = config.pusher.destination or places.serving
    trainer = Trainer(
        examples=negative_gen.outputs["examples"],
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        trainer=config.trainer,
        seed=config.seed,
        checkpoint_root=places.checkpoints,
        code_version=code_version("trainer"),
        custom_job=custom_job,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        push_destination=push_destination,
    )
    evaluator = Evaluator(
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        examples=negative_gen.outputs["examples"],
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        evaluator=config.evaluator,
        push_destination=push_destination,
        run_description={"pipeline": config.name, "config": describe_config(config)},
        seed=config.seed,
        code_version=code_version("evaluator"),
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=push_destination,
        code_version=code_version("pusher"),
    )
    bulk_recommend = (
        BulkRecommend(
            pushed_model=pusher.outputs["pushed_model"], bulk=config.bulk, code_version=code_version("bulk_recommend")
        )
        if config.bulk.k
        else None
    )
    steps = [preprocess, negative_gen, tuner, trainer, evaluator, pusher, bulk_recommend]
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=places.artifacts,
        components=[step for step in steps if step is not None],
        metadata_connection_config=places.metadata and metadata.sqlite_metadata_connection_config(places.metadata),
        beam_pipeline_args=config.beam.options(),
        enable_cache=True,
    )
