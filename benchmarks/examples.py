"""Examples as the pipeline's own steps write them, from synthetic interactions of a shape."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from apache_beam.options.pipeline_options import PipelineOptions

from benchmarks.columns import save_columns
from benchmarks.neumf import Shape
from components.artifacts.examples import ExamplesSummary, list_training_files, training_file
from components.artifacts.interactions import Interactions
from components.artifacts.records import TRAIN_COLUMNS, read_batches, write_batches
from components.negative_gen.config import NegativesConfig
from components.negative_gen.generate import generate
from components.negative_gen.job import NegativesJob
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.run import write_artifacts

_SEED = 1


def write_examples(folder: str, shape: Shape, batch_size: int, epochs: int, most_batches: int | None = None) -> None:
    """Writes an examples artifact by Preprocess and NegativeGen, with four negatives for each positive.

    There is no validation split: what is measured is training.

    Args:
      folder: where to.
      shape: of the synthetic interactions; from each user one is held out.
      batch_size: rows of a batch.
      epochs: how many.
      most_batches: cut each epoch after so many batches. As rows are shuffled across the whole epoch, those that
        remain are a fair sample, with the users and the items of the full shape.
    """
    with tempfile.TemporaryDirectory(prefix="examples-") as temporary:
        interactions, whole = f"{temporary}/interactions", f"{temporary}/examples"
        dataset = DatasetConfig.model_validate(
            {
                "kind": "synthetic",
                "synthetic_users": shape.users,
                "synthetic_items": shape.items,
                "synthetic_interactions": shape.interactions,
            }
        )
        preprocess = PreprocessConfig(min_interactions=1, min_item_interactions=1, validation=False)
        write_artifacts(dataset, preprocess, _SEED, interactions, f"{temporary}/vocabulary", _pipeline)
        job = NegativesJob(
            interactions=Interactions(interactions),
            evaluation_splits=(),
            vocabulary_uri=f"{temporary}/vocabulary",
            examples_uri=whole,
            negatives=NegativesConfig(num_negatives=4),
            batch_size=batch_size,
            epochs=epochs,
            seed=_SEED,
        )
        with _pipeline() as pipeline:
            generate(pipeline, job)
        if most_batches is None or most_batches >= job.sampler.batches_per_epoch:
            shutil.move(whole, folder)
        else:
            _cut(whole, folder, most_batches)


def _pipeline() -> beam.Pipeline:
    return beam.Pipeline(runner="FnApiRunner", options=PipelineOptions(["--direct_num_workers=1"]))


def _cut(whole: str, folder: str, batches: int) -> None:
    summary = ExamplesSummary.read(whole)
    for epoch in range(summary.epochs):
        write_batches(f"{folder}/{training_file(epoch, 0, 1)}", itertools.islice(_batches(whole, epoch), batches))
    replace(summary, batches_per_epoch=batches, rows_per_epoch=batches * summary.batch_size).write(folder)


def _batches(examples: str, epoch: int) -> Iterator[dict[str, npt.NDArray[Any]]]:
    return itertools.chain.from_iterable(map(read_batches, list_training_files(examples, epoch)))


def save_first_epoch(examples: str, folder: str) -> None:
    """Saves the rows of the first epoch as `benchmarks.columns` reads them."""
    batches = list(_batches(examples, 0))
    save_columns(folder, *(np.concatenate([batch[name] for batch in batches]) for name in TRAIN_COLUMNS))
