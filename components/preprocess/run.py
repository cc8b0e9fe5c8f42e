"""From the configuration to both artifacts, whatever the kind of the data set."""

from collections.abc import Callable
from dataclasses import replace

import apache_beam as beam

from components.artifacts.interactions import remove_interactions
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.vocabulary import remove_vocabulary
from components.preprocess import handed_over
from components.preprocess.beam_pipeline import PreprocessJob, WriteInteractions
from components.preprocess.config import DatasetConfig, PreprocessConfig
from components.preprocess.datasets.base import Request, Unsplit
from components.preprocess.given_split import GivenSplit, write_given_split
from components.preprocess.kept_rows import kept_rows
from components.shared.errors import UserError, find_user_error


def write_artifacts(
    dataset: DatasetConfig,
    preprocess: PreprocessConfig,
    seed: int,
    interactions_uri: str,
    vocabulary_uri: str,
    make_pipeline: Callable[[], beam.Pipeline],
    new_users: float = 0.0,
) -> InteractionsSummary:
    """Reads a data set and writes its interactions and its vocabulary.

    Args:
      dataset: what to read.
      preprocess: how to filter and split the interactions, and how to cut them into shards.
      seed: the run's seed, for everything that is drawn.
      interactions_uri: where the interactions go.
      vocabulary_uri: where the vocabulary goes.
      make_pipeline: makes a Beam pipeline on the runner of choice.
      new_users: the share of the users who are held out entirely.

    Returns:
      The summary of the interactions.

    Raises:
      UserError: the input cannot be read, or nothing is left of it; then nothing is left behind either.
    """
    try:
        found = dataset.chosen.interactions(Request(preprocess.min_rating, preprocess.validation, seed))
        if isinstance(found, GivenSplit):
            if new_users:
                raise UserError("evaluator.new_users: this data set says itself what is held out of whom; set it to 0")
            return write_given_split(found, preprocess.rows_per_shard, interactions_uri, vocabulary_uri)
        if preprocess.split == "time" and not found.timed:
            raise UserError("preprocess.split: time needs timestamps; set dataset.timestamp_column, or split to random")
        job = _job(found, preprocess, seed, interactions_uri, vocabulary_uri, new_users)
        with make_pipeline() as pipeline:
            job = replace(job, in_process=handed_over.in_one_process(pipeline))
            # With their numbers: the order of the rows outlives the order of the work.
            _ = pipeline | "Pieces" >> beam.Create(list(enumerate(found.pieces))) | WriteInteractions(job)
        return InteractionsSummary.read(interactions_uri)
    except Exception as error:
        remove_interactions(interactions_uri)
        remove_vocabulary(vocabulary_uri)
        user_error = find_user_error(error)
        if user_error is None:
            raise
        raise user_error from None
    finally:
        kept_rows.cache_clear()
        handed_over.forget(interactions_uri)


def _job(
    data: Unsplit,
    preprocess: PreprocessConfig,
    seed: int,
    interactions_uri: str,
    vocabulary_uri: str,
    new_users: float,
) -> PreprocessJob:
    return PreprocessJob(
        name=data.name,
        interactions_uri=interactions_uri,
        vocabulary_uri=vocabulary_uri,
        preprocess=preprocess if data.ordered else preprocess.model_copy(update={"ties": "item"}),
        timed=data.timed,
        seed=seed,
        new_users=new_users,
        find_unit=data.find_unit,
        best_possible_hr=data.best_possible_hr,
        titles=data.titles,
    )
