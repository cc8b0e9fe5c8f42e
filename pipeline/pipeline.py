"""The whole DAG."""

import os
from dataclasses import dataclass

from tfx.components import Pusher
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2

from components.evaluator.component import Evaluator
from components.negative_gen.component import NegativeGen
from components.preprocess.component import Preprocess
from components.trainer.component import trainer
from pipeline.code_version import code_version, input_fingerprint
from pipeline.config import Config, describe_config


@dataclass(frozen=True)
class Places:
    """Where a run on one machine keeps its things, all below one root."""

    root: str

    @property
    def artifacts(self) -> str:
        """TFX's pipeline root."""
        return os.path.join(self.root, "artifacts")

    @property
    def metadata(self) -> str:
        """The metadata store, an SQLite file."""
        return os.path.join(self.root, "metadata.sqlite")

    @property
    def checkpoints(self) -> str:
        """Checkpoints of trainings that have not ended."""
        return os.path.join(self.root, "checkpoints")

    @property
    def serving(self) -> str:
        """Where blessed models go, unless the configuration names another place."""
        return os.path.join(self.root, "serving")


def create_pipeline(config: Config, places: Places) -> Pipeline:
    """Builds the pipeline that turns the dataset of `config` into a gated, pushed model."""
    preprocess = Preprocess(
        dataset=config.dataset,
        preprocess=config.preprocess,
        seed=config.seed,
        input_fingerprint=input_fingerprint(config.dataset),
        code_version=code_version("preprocess"),
    )
    negative_gen = NegativeGen(
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        negatives=config.negatives,
        batch_size=config.trainer.batch_size,
        epochs=config.trainer.epochs_of_examples,
        seed=config.seed,
        code_version=code_version("negative_gen"),
    )
    train = trainer(
        examples=negative_gen.outputs["examples"],
        vocabulary=preprocess.outputs["vocabulary"],
        config=config.trainer,
        seed=config.seed,
        checkpoint_root=places.checkpoints,
        code_version=code_version("trainer"),
    )
    push_destination = _absolute(config.pusher.destination or places.serving)
    evaluator = Evaluator(
        model=train.outputs["model"],
        model_run=train.outputs["model_run"],
        examples=negative_gen.outputs["examples"],
        interactions=preprocess.outputs["interactions"],
        vocabulary=preprocess.outputs["vocabulary"],
        evaluator=config.evaluator,
        push_destination=push_destination,
        run_description={"pipeline": config.name, "seed": config.seed, "config": describe_config(config)},
        seed=config.seed,
        code_version=code_version("evaluator"),
    )
    pusher = Pusher(
        model=train.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=push_destination)
        ),
    )
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=places.artifacts,
        components=[preprocess, negative_gen, train, evaluator, pusher],
        metadata_connection_config=metadata.sqlite_metadata_connection_config(places.metadata),
        beam_pipeline_args=list(config.beam.args),
        enable_cache=True,
    )


def _absolute(folder: str) -> str:
    return folder if "://" in folder else os.path.abspath(folder)
