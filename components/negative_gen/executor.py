"""The executor of NegativeGen."""

from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.artifacts.examples import ExamplesSummary
from components.artifacts.interactions import Interactions
from components.negative_gen.config import BatchesConfig, NegativesConfig
from components.negative_gen.generate import generate, showing_progress
from components.negative_gen.job import NegativesJob
from components.shared import progress
from components.shared.beam_executor import BeamExecutor


class Executor(BeamExecutor):
    """Unpacks the artifacts, runs the Beam pipeline, describes the output."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        interactions = artifact_utils.get_single_instance(input_dict["interactions"])
        vocabulary = artifact_utils.get_single_instance(input_dict["vocabulary"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])

        splits = artifact_utils.decode_split_names(interactions.split_names)
        batches = BatchesConfig.from_properties(exec_properties)
        negatives = NegativesConfig.from_properties(exec_properties)
        source = Interactions(interactions.uri)
        job = NegativesJob(
            interactions=source,
            evaluation_splits=tuple(split for split in splits if split != "train"),
            vocabulary_uri=vocabulary.uri,
            examples_uri=examples.uri,
            negatives=negatives,
            batch_size=batches.batch_size_of(source.summary.interactions["train"] * (1 + negatives.num_negatives)),
            epochs=max(batches.epochs, batches.pretraining_epochs),
            seed=exec_properties["seed"],
        )
        with showing_progress(job), self._make_beam_pipeline() as pipeline:
            generate(pipeline, job)

        examples.split_names = artifact_utils.encode_split_names(splits)
        examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
        summary = ExamplesSummary.read(examples.uri)
        short = max((layout.short_users or 0 for layout in summary.evaluation.values()), default=0)
        users = max(source.summary.interactions[split] for split in summary.evaluation) if summary.evaluation else 0
        ranked = max((layout.users for layout in summary.evaluation.values()), default=0)
        whom = f" for {ranked:,} of {users:,} users" if ranked < users else ""
        fewer = f" (fewer for {short:,} users, who have no more)" if short else ""
        if everything := job.users_with_every_item():
            who = f"{len(everything):,} user{'s' if len(everything) > 1 else ''} ({', '.join(everything[:3])})"
            progress.warn(f"no negatives for {who}, who saw all {job.items:,} items: positives stand in their place")
        progress.note(
            f"{summary.epochs} x {summary.rows_per_epoch:,} training rows in batches of "
            f"{summary.batch_size:,}{_whereabouts(job)}, {job.width - 1:,} negatives to rank against{whom}{fewer}"
        )


def _whereabouts(job: NegativesJob) -> str:
    """What is to be said of rows that are in no file."""
    if not job.streams:
        return ""
    if ahead := job.negatives.epochs_ahead:
        return f", written while training, at most {ahead} epoch{'s' if ahead > 1 else ''} ahead"
    limit = f" ({job.gigabytes:,.1f} GB as files, above negatives.files_limit_gb)"
    return f", drawn while training{limit if job.negatives.source == 'auto' else ''}"
