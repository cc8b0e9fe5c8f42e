"""The Beam pipeline of Preprocess: from pieces of the input to the shards of both artifacts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Dropped, InteractionsSummary, Pairs, Shard, WrittenShard, write_shard
from components.preprocess import loops
from components.preprocess.rows import Census, Rows, merge_censuses, take_census
from components.preprocess.shards import (
    Arranged,
    Outline,
    Plan,
    arrange,
    distribute,
    make_plan,
    merge_outlines,
    outline,
)
from components.preprocess.writer import finish
from components.shared.errors import UserError
from components.shared.parallel import ThreadedFlatMap
from components.shared.random_streams import stream_key


@dataclass(frozen=True)
class PreprocessJob:
    """What to make of the rows, and where to.

    Attributes:
      name: of the data set.
      interactions_uri: of the artifact of the interactions.
      vocabulary_uri: of the artifact of the vocabulary.
      min_interactions: users with fewer distinct items are dropped.
      validation: whether to hold out a second row of each user.
      rows_per_shard: about so many.
      timed: whether the rows have timestamps; without, the held-out rows are drawn at random.
      seed: of those draws.
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

    def __init__(self, read: Callable[[Any], Iterator[Rows]], job: PreprocessJob):
        """Reads each element of the input with `read`."""
        super().__init__()
        self._read = read
        self._job = job

    def expand(self, pieces: beam.PCollection) -> beam.PCollection:
        job = self._job
        plan = beam.pvalue.AsSingleton(
            pieces
            | "Census" >> beam.ParDo(ThreadedFlatMap(_TakeCensus(self._read)))
            | "MergeCensuses" >> beam.CombineGlobally(merge_censuses).without_defaults()
            | "Plan" >> beam.Map(make_plan, job.rows_per_shard, job.min_interactions, job.name)
        )
        arranged = (
            pieces
            | "Distribute" >> beam.ParDo(ThreadedFlatMap(_Distribute(self._read)), plan)
            | "Shards" >> beam.GroupByKey()
            | "Arrange" >> beam.ParDo(ThreadedFlatMap(_Arrange(job.min_interactions)), plan)
        )
        whole = beam.pvalue.AsSingleton(
            arranged
            | "Outline" >> beam.Map(outline)
            | "MergeOutlines" >> beam.CombineGlobally(merge_outlines).without_defaults()
        )
        written = arranged | "Write" >> beam.ParDo(ThreadedFlatMap(_Write(job)), plan, whole)
        return (
            pieces.pipeline
            | "Once" >> beam.Create([None], reshuffle=False)
            | "Finish" >> beam.Map(_Finish(job), plan, whole, beam.pvalue.AsList(written))
        )


@dataclass(frozen=True)
class _TakeCensus:
    read: Callable[[Any], Iterator[Rows]]

    def __call__(self, piece: Any) -> Iterator[Census]:
        yield merge_censuses(map(take_census, self.read(piece)))


@dataclass(frozen=True)
class _Distribute:
    read: Callable[[Any], Iterator[Rows]]

    def __call__(self, piece: Any, plan: Plan) -> Iterator[tuple[int, np.ndarray]]:
        for rows in self.read(piece):
            yield from distribute(rows, plan)


@dataclass(frozen=True)
class _Arrange:
    min_interactions: int

    def __call__(self, group: tuple[int, Iterable[np.ndarray]], plan: Plan) -> Iterator[Arranged]:
        yield arrange(group[0], group[1], plan, self.min_interactions)


_Written: TypeAlias = tuple[WrittenShard, npt.NDArray[np.int32], int, int]
"""A shard that is written; positions of its users; rows dropped as duplicates; rows of users with too few."""


@dataclass(frozen=True)
class _Write:
    job: PreprocessJob

    def __call__(self, arranged: Arranged, plan: Plan, whole: Outline) -> Iterator[_Written]:
        job = self.job
        if not len(whole.items):
            raise UserError(
                f"{job.name}: no user has {job.min_interactions} interactions with distinct items; "
                "lower preprocess.min_interactions"
            )
        item_index = np.full(len(plan.items), -1, np.int32)
        item_index[whole.items] = np.arange(len(whole.items), dtype=np.int32)
        first_user = sum(users for shard, users in whole.users.items() if shard < arranged.shard)
        split = loops.hold_out(
            arranged.counts, first_user, 1 + job.validation, not job.timed, np.uint64(stream_key(job.seed, "holdout"))
        )
        parts = loops.divide(split, arranged.counts, first_user, arranged.items, item_index)
        shard = Shard(
            number=arranged.shard,
            first_user=first_user,
            train=Pairs(*parts[0:2]),
            test=Pairs(*parts[2:4]),
            validation=Pairs(*parts[4:6]) if job.validation else None,
            train_counts=parts[6],
        )
        written = write_shard(job.interactions_uri, shard, plan.shards)
        yield written, arranged.users, arranged.duplicates, arranged.below_min_interactions


@dataclass(frozen=True)
class _Finish:
    job: PreprocessJob

    def __call__(self, _: None, plan: Plan, whole: Outline, parts: Sequence[_Written]) -> InteractionsSummary:
        job = self.job
        written, users, duplicates, below = zip(*sorted(parts, key=lambda part: part[0].number), strict=True)
        return finish(
            written,
            plan.users.take(np.concatenate(users)),
            plan.items.take(whole.items),
            job.interactions_uri,
            job.vocabulary_uri,
            rows_read=plan.rows_read,
            dropped=Dropped(
                bad_rows=plan.bad,
                below_min_rating=plan.below_min_rating,
                duplicates=sum(duplicates),
                below_min_interactions=sum(below),
            ),
            holdout="last" if job.timed else "random",
            dataset=job.name,
            best_possible_hr=job.best_possible_hr,
        )
