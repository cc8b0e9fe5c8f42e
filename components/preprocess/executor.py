"""The executor of Preprocess."""

from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.artifacts.splits import SPLITS
from components.artifacts.vocabulary import VocabularySummary
from components.preprocess import outcome
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.run import write_artifacts
from components.shared.beam_executor import BeamExecutor


class Executor(BeamExecutor):
    """Unpacks the parameters, runs the Beam pipeline, describes the outputs."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        interactions = artifact_utils.get_single_instance(output_dict["interactions"])
        vocabulary = artifact_utils.get_single_instance(output_dict["vocabulary"])
        summary = write_artifacts(
            DatasetConfig.from_properties(exec_properties),
            PreprocessConfig.from_properties(exec_properties),
            int(exec_properties["seed"]),
            interactions.uri,
            vocabulary.uri,
            self._make_beam_pipeline,
            float(exec_properties["new_users"]),
        )
        rows = summary.interactions
        # What is set aside is no split to learn or to judge by.
        splits = [split for split in SPLITS if split in rows and split != "aside"]
        interactions.split_names = artifact_utils.encode_split_names(splits)
        examples_utils.set_payload_format(interactions, example_gen_pb2.PayloadFormat.FORMAT_PARQUET)
        examples_utils.set_file_format(
            interactions, example_gen_pb2.FileFormat.Name(example_gen_pb2.FILE_FORMAT_PARQUET)
        )
        outcome.show(summary, VocabularySummary.read(vocabulary.uri).titles)
