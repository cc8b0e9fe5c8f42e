"""From the configuration to both artifacts, whatever the kind of the data set."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import apache_beam as beam

from components.artifacts.interactions import InteractionsSummary, remove_interactions
from components.artifacts.vocabulary import remove_vocabulary
from components.preprocess.beam_pipeline import PreprocessJob, WriteInteractions
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.datasets.files import resolve_source
from components.preprocess.readers.base import Reading, Source
from components.preprocess.readers.parquet import plan_parquet, read_parquet
from components.preprocess.readers.text import plan_text, read_text
from components.preprocess.rows import Rows
from components.shared.errors import UserError, find_user_error


def write_artifacts(
    dataset: DatasetConfig,
    preprocess: PreprocessConfig,
    seed: int,
    interactions_uri: str,
    vocabulary_uri: str,
    make_pipeline: Callable[[], beam.Pipeline],
) -> InteractionsSummary:
    """Reads a data set and writes its interactions and its vocabulary.

    Args:
      dataset: what to read.
      preprocess: how to filter, split and cut it.
      seed: of everything that is drawn.
      interactions_uri: where the interactions go.
      vocabulary_uri: where the vocabulary goes.
      make_pipeline: makes a Beam pipeline on the runner of choice.

    Returns:
      The summary of the interactions.

    Raises:
      UserError: the input cannot be read, or nothing is left of it; then nothing is left behind either.
    """
    try:
        if dataset.kind == "ncf":
            return _write_ncf(dataset, preprocess, interactions_uri, vocabulary_uri)
        pieces, read, job = _plan(dataset, preprocess, seed, interactions_uri, vocabulary_uri)
        with make_pipeline() as pipeline:
            _ = pipeline | "Pieces" >> beam.Create(pieces) | WriteInteractions(read, job)
        return InteractionsSummary.read(interactions_uri)
    except Exception as error:
        remove_interactions(interactions_uri)
        remove_vocabulary(vocabulary_uri)
        user_error = find_user_error(error)
        if user_error is None:
            raise
        raise user_error from None


def _plan(
    dataset: DatasetConfig, preprocess: PreprocessConfig, seed: int, interactions_uri: str, vocabulary_uri: str
) -> tuple[list[Any], Callable[[Any], Any], PreprocessJob]:
    job = PreprocessJob(
        name=dataset.kind,
        interactions_uri=interactions_uri,
        vocabulary_uri=vocabulary_uri,
        min_interactions=preprocess.min_interactions,
        validation=preprocess.validation,
        rows_per_shard=preprocess.rows_per_shard,
        timed=True,
        seed=seed,
    )
    if dataset.kind == "synthetic":
        return _plan_synthetic(dataset, preprocess, job)
    source = _with_rating_if_needed(resolve_source(dataset), preprocess)
    reading = Reading(dataset.id_type, dataset.on_bad_row, preprocess.min_rating)
    job = replace(job, name=source.name, timed=source.columns.timestamp is not None)
    if source.format == "parquet":
        return plan_parquet(source, reading), read_parquet, job
    return plan_text(source, reading), read_text, job


def _with_rating_if_needed(source: Source, preprocess: PreprocessConfig) -> Source:
    if preprocess.min_rating is None:
        return replace(source, columns=replace(source.columns, rating=None))
    if source.columns.rating is None:
        raise UserError("preprocess.min_rating needs the column of the ratings: set dataset.rating_column")
    return source


def _plan_synthetic(
    dataset: DatasetConfig, preprocess: PreprocessConfig, job: PreprocessJob
) -> tuple[list[Any], Any, PreprocessJob]:
    from components.preprocess.datasets import synthetic

    config = synthetic.SyntheticConfig(dataset.synthetic_users, dataset.synthetic_items, dataset.synthetic_interactions)
    # By the number of negatives that a test item is ranked against, which is not this step's to choose.
    best = {str(number): synthetic.best_possible_hr(config, job.seed, num_negatives=number) for number in (99, 999)}
    return (
        synthetic.blocks(config, job.seed),
        _Generate(config, job.seed),
        replace(job, best_possible_hr=best),
    )


class _Generate:
    """Generates a block of synthetic rows."""

    def __init__(self, config: Any, seed: int):
        self._config, self._seed = config, seed

    def __call__(self, block: int) -> list[Rows]:
        from components.preprocess.datasets import synthetic

        rows = synthetic.generate_block(self._config, self._seed, block)
        return [Rows(rows.user, rows.item, rows.timestamp)]


def _write_ncf(
    dataset: DatasetConfig, preprocess: PreprocessConfig, interactions_uri: str, vocabulary_uri: str
) -> InteractionsSummary:
    from components.preprocess.datasets import ncf
    from components.preprocess.given_split import write_given_split

    assert dataset.path is not None
    given = ncf.read(os.path.expanduser(dataset.path), preprocess.validation)
    return write_given_split(given, dataset.path, preprocess.rows_per_shard, interactions_uri, vocabulary_uri)
