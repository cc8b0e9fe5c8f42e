"""The Beam pipeline of Preprocess: from pieces of the input to the shards of both artifacts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Dropped, InteractionsSummary, WrittenShard, write_shard
from components.preprocess import shards
from components.preprocess.readers.base import Piece
from components.preprocess.rows import Census, merge_censuses, take_census
from components.preprocess.writer import finish
from components.shared.parallel import ThreadedFlatMap


@dataclass(frozen=True)
class PreprocessJob:
    """What to make of the rows, and where to.

    Attributes:
      name: what messages and the summary call the data set.
      interactions_uri: where the interactions go.
      vocabulary_uri: where the vocabulary goes.
      min_interactions: users with fewer distinct items are dropped.
      validation: whether to hold out a second row of each user.
      rows_per_shard: how many rows a shard should have, about.
      timed: whether the rows have timestamps; without, the held-out rows are drawn at random.
      seed: the run's seed, for those draws.
      best_possible_hr: see `InteractionsSummary`.
    """

    name: str
    interactions_uri: str
    vocabulary_uri: str
    min_interactions: int
    validation: bool
    rows_per_shard: int
    timed: bool
    seed: int
    best_possible_hr: dict[str, float] | None = None


class WriteInteractions(beam.PTransform):
    """Pieces of the input -> both artifacts, written; yields the summary of the interactions.

    A first pass reads the pieces and takes a census of their ids. The census cuts the users into shards of about
    equally many rows, so that the shards depend on the data alone. A second pass deals the rows out to the shards (to
    read again is cheaper than to keep them). Each shard is sorted and filtered and, once it is known which items are
    left, indexed, split and written.
    """

    def __init__(self, job: PreprocessJob):
        """Makes the pipeline of a job; the pieces are its input."""
        super().__init__()
        self._job = job

    def expand(self, pieces: beam.PCollection) -> beam.PCollection:
        job = self._job
        plan = beam.pvalue.AsSingleton(
            pieces
            | "Census" >> beam.ParDo(ThreadedFlatMap(_take_census))
            | "MergeCensuses" >> beam.CombineGlobally(merge_censuses).without_defaults()
            | "Plan" >> beam.Map(shards.make_plan, job.rows_per_shard, job.min_interactions, job.name)
        )
        arranged = (
            pieces
            | "Distribute" >> beam.ParDo(ThreadedFlatMap(_distribute), plan)
            | "Shards" >> beam.GroupByKey()
            | "Arrange" >> beam.ParDo(ThreadedFlatMap(_arrange), plan, job)
        )
        whole = beam.pvalue.AsSingleton(
            arranged
            | "Outline" >> beam.Map(shards.outline)
            | "MergeOutlines" >> beam.CombineGlobally(shards.merge_outlines).without_defaults()
        )
        written = arranged | "Write" >> beam.ParDo(ThreadedFlatMap(_write), plan, whole, job)
        return (
            pieces.pipeline
            | "Once" >> beam.Create([None], reshuffle=False)
            | "Finish" >> beam.Map(_finish, plan, whole, beam.pvalue.AsList(written), job)
        )


@dataclass(frozen=True)
class _Part:
    """What is left to know of a shard once it is written.

    Attributes:
      shard: what the writer has counted.
      users: positions of its users, int32, ascending.
      duplicates: how many of its rows were dropped as duplicates.
      below_min_interactions: how many of its rows were dropped with their users.
    """

    shard: WrittenShard
    users: npt.NDArray[np.int32]
    duplicates: int
    below_min_interactions: int


def _take_census(piece: Piece) -> Iterator[Census]:
    yield merge_censuses(map(take_census, piece.read()))


def _distribute(piece: Piece, plan: shards.Plan) -> Iterator[tuple[int, shards.Packed]]:
    for rows in piece.read():
        yield from shards.distribute(rows, plan)


def _arrange(
    group: tuple[int, Iterable[shards.Packed]], plan: shards.Plan, job: PreprocessJob
) -> Iterator[shards.Arranged]:
    number, parts = group
    yield shards.arrange(number, parts, plan, job.min_interactions)


def _write(arranged: shards.Arranged, plan: shards.Plan, whole: shards.Outline, job: PreprocessJob) -> Iterator[_Part]:
    shards.require_items(whole, job.name, job.min_interactions)
    shard = shards.index_and_split(arranged, plan, whole, validation=job.validation, timed=job.timed, seed=job.seed)
    written = write_shard(job.interactions_uri, shard, plan.shards)
    yield _Part(written, arranged.users, arranged.duplicates, arranged.below_min_interactions)


def _finish(
    _: None, plan: shards.Plan, whole: shards.Outline, parts: Sequence[_Part], job: PreprocessJob
) -> InteractionsSummary:
    parts = sorted(parts, key=lambda part: part.shard.number)
    return finish(
        [part.shard for part in parts],
        plan.users.take(np.concatenate([part.users for part in parts])),
        plan.items.take(whole.items),
        job.interactions_uri,
        job.vocabulary_uri,
        rows_read=plan.rows_read,
        dropped=Dropped(
            bad_rows=plan.bad,
            below_min_rating=plan.below_min_rating,
            duplicates=sum(part.duplicates for part in parts),
            below_min_interactions=sum(part.below_min_interactions for part in parts),
        ),
        holdout="last" if job.timed else "random",
        dataset=job.name,
        best_possible_hr=job.best_possible_hr,
    )
