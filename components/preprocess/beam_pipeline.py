"""The Beam pipeline of Preprocess: from pieces of the input to the shards of both artifacts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import WrittenShard, write_shard
from components.artifacts.interactions_summary import Absent, Dropped, InteractionsSummary
from components.artifacts.splits import Split
from components.preprocess.config import PreprocessConfig
from components.preprocess.handed_over import Handed, hand_over
from components.preprocess.kept_rows import kept_rows
from components.preprocess.readers.base import Piece
from components.preprocess.rows import Census, as_column, merge_censuses, take_census
from components.preprocess.shards import filters, held_out_users, holdouts, packing, split_loops
from components.preprocess.shards.filters import Arranged
from components.preprocess.shards.holdouts import Outline
from components.preprocess.shards.plan import Plan, make_plan
from components.preprocess.titles.files import Titles
from components.preprocess.titles.join import join
from components.preprocess.writer import finish
from components.shared.errors import UserError
from components.shared.threaded_beam import ThreadedFlatMap

_Wanted: TypeAlias = npt.NDArray[np.bool_] | None
"""The items that are left, by position; None: all of them."""

_Part: TypeAlias = tuple[packing.Place, Handed[packing.Packed]]
"""What a batch of the input has for a shard."""


@dataclass(frozen=True)
class PreprocessJob:
    """What to make of the rows, and where to.

    Attributes:
      name: what messages and the summary call the data set.
      interactions_uri: where the interactions go.
      vocabulary_uri: where the vocabulary goes.
      preprocess: how to filter, split and cut into shards.
      timed: whether the rows have timestamps; without, the held-out rows are drawn at random.
      find_unit: whether the size of timestamps tells their unit.
      seed: the run's seed, for those draws.
      new_users: the share of the users who are held out entirely.
      best_possible_hr: see `InteractionsSummary`.
      titles: of the items; None where there are none.
      in_process: whether all steps run in one process.
    """

    name: str
    interactions_uri: str
    vocabulary_uri: str
    preprocess: PreprocessConfig
    timed: bool
    seed: int
    find_unit: bool = True
    new_users: float = 0.0
    best_possible_hr: dict[str, float] | None = None
    titles: Titles | None = None
    in_process: bool = False


class WriteInteractions(beam.PTransform):
    """Numbered pieces of the input -> both artifacts, written; yields the summary of the interactions.

    A first pass reads the pieces and takes a census of their ids. The census cuts the users into shards of about
    equally many rows, so that the shards depend on the data alone. A second pass, over what was kept of the first one
    or over the input again, deals the rows out to the shards. Each shard is sorted and filtered and, once it is known
    which items are left, indexed, split and written.
    """

    def __init__(self, job: PreprocessJob):
        """Makes the pipeline of a job; the pieces are its input."""
        super().__init__()
        self._job = job

    def expand(self, pieces: beam.PCollection) -> beam.PCollection:
        job = self._job
        plan = beam.pvalue.AsSingleton(
            pieces
            | "Census" >> beam.ParDo(ThreadedFlatMap(_take_census), job)
            | "MergeCensuses" >> beam.CombineGlobally(merge_censuses).without_defaults()
            | "Plan" >> beam.Map(make_plan, job.preprocess, job.name, job.find_unit)
        )
        once = pieces.pipeline | "Once" >> beam.Create([None], reshuffle=False)
        arranged = (
            pieces
            | "Distribute" >> beam.ParDo(ThreadedFlatMap(_distribute), plan, job)
            | "Shards" >> beam.GroupByKey()
            | "Arrange" >> beam.ParDo(ThreadedFlatMap(_arrange), plan, job)
        )
        wanted = None
        if job.preprocess.min_item_interactions > 1:
            shards = beam.pvalue.AsIter(arranged)
            wanted = beam.pvalue.AsSingleton(once | "Items" >> beam.Map(_find_items, shards, plan, job))
        whole = beam.pvalue.AsSingleton(
            arranged
            | "Outline" >> beam.ParDo(ThreadedFlatMap(_outline), plan, wanted, job)
            | "MergeOutlines" >> beam.CombineGlobally(holdouts.merge_outlines).without_defaults()
        )
        written = arranged | "Write" >> beam.ParDo(ThreadedFlatMap(_write), plan, wanted, whole, job)
        return once | "Finish" >> beam.Map(_finish, plan, whole, beam.pvalue.AsList(written), job)


@dataclass(frozen=True)
class _Written:
    """What is left to know of a shard once it is written.

    Attributes:
      shard: what the writer has counted.
      users: positions of its users, int32, ascending.
      dropped: its rows that were dropped, by reason.
      tied_users: users whose held-out rows are decided by a tie in time.
    """

    shard: WrittenShard
    users: npt.NDArray[np.int32]
    dropped: Dropped
    tied_users: int


def _take_census(piece: tuple[int, Piece], job: PreprocessJob) -> Iterator[Census]:
    by_time = job.preprocess.split == "time"
    number, content = piece
    kept = kept_rows(job.interactions_uri)
    yield merge_censuses(take_census(rows, by_time) for rows in kept.keep(number, content.read()))


def _distribute(piece: tuple[int, Piece], plan: Plan, job: PreprocessJob) -> Iterator[tuple[int, _Part]]:
    number, content = piece
    kept = kept_rows(job.interactions_uri).pop(number)
    for batch, rows in enumerate(content.read() if kept is None else kept):
        for shard, packed in packing.distribute(rows, plan):
            yield shard, ((number, batch), hand_over(packed, job.interactions_uri, job.in_process))


def _arrange(group: tuple[int, Iterable[_Part]], plan: Plan, job: PreprocessJob) -> Iterator[Handed[Arranged]]:
    number, parts = group
    rows = packing.sort(((place, packed.take()) for place, packed in parts), plan)
    arranged = filters.arrange(number, rows, holdouts.mark(rows, plan), plan, job.preprocess.min_interactions)
    drawn = holdouts.draw_parts(arranged, job.preprocess, job.seed)
    yield hand_over(drawn, job.interactions_uri, job.in_process)


@dataclass(frozen=True)
class _Shards:
    """All shards, one at a time, again and again."""

    handed: Iterable[Handed[Arranged]]

    def __iter__(self) -> Iterator[Arranged]:
        return (shard.look() for shard in self.handed)


def _find_items(_: None, shards: Iterable[Handed[Arranged]], plan: Plan, job: PreprocessJob) -> npt.NDArray[np.bool_]:
    preprocess = job.preprocess
    return filters.find_items(
        _Shards(shards),
        len(plan.items),
        preprocess.min_interactions,
        preprocess.min_item_interactions,
        preprocess.until == "stable",
    )


def _outline(handed: Handed[Arranged], plan: Plan, wanted: _Wanted, job: PreprocessJob) -> Iterator[Outline]:
    staying, _ = _filtered(handed.look(), wanted, job)
    yield holdouts.outline(staying, plan, job.preprocess)


def _write(
    handed: Handed[Arranged], plan: Plan, wanted: _Wanted, whole: Outline, job: PreprocessJob
) -> Iterator[_Written]:
    _require_rows(whole, job)
    arranged = handed.take()
    staying, held_out = _filtered(arranged, wanted, job)
    left = holdouts.settle(staying, plan, whole, job.preprocess)
    split = holdouts.choose(left, job.preprocess, timed=job.timed, seed=job.seed)
    shard = holdouts.index(left, split, plan, whole, job.preprocess)
    if job.new_users:
        histories = held_out_users.histories(held_out, plan, whole, job.preprocess, timed=job.timed, seed=job.seed)
        shard = replace(shard, held_out_users=histories)
    written = write_shard(job.interactions_uri, shard, plan.shards)
    tied = 0 if _holdout(job) == "random" else int(split_loops.tied_users(left.counts, left.marks, split))
    yield _Written(written, left.users, left.dropped, tied)


def _filtered(arranged: Arranged, wanted: _Wanted, job: PreprocessJob) -> tuple[Arranged, Arranged]:
    """What the filters leave: of the users who stay, and of those who are held out entirely."""
    if wanted is not None:
        # Whoever has had too few items from the start is not there any more.
        stable = job.preprocess.until == "stable"
        arranged = filters.keep_items(arranged, wanted, job.preprocess.min_interactions if stable else 1)
    return held_out_users.separate(arranged, job.new_users, job.seed)


def _require_rows(whole: Outline, job: PreprocessJob) -> None:
    if len(whole.items):
        return
    preprocess, together = job.preprocess, len(whole.present)
    if together:
        raise UserError(f"{job.name}: no row is left to train on; choose another preprocess.split_time or split_share")
    items = (
        f" among items with {preprocess.min_item_interactions} users" if preprocess.min_item_interactions > 1 else ""
    )
    raise UserError(
        f"{job.name}: no user has {preprocess.min_interactions} interactions with distinct items{items}, so nothing is "
        "left; lower preprocess.min_interactions" + (" or preprocess.min_item_interactions" if items else "")
    )


def _holdout(job: PreprocessJob) -> Literal["last", "time", "random"]:
    return job.preprocess.split if job.timed else "random"


def _finish(_: None, plan: Plan, whole: Outline, parts: Sequence[_Written], job: PreprocessJob) -> InteractionsSummary:
    parts = sorted(parts, key=lambda part: part.shard.number)
    _require_training(parts, job)
    _require_holdouts(parts, job)
    users = np.concatenate([part.users for part in parts])
    items = plan.items.take(whole.items)
    return finish(
        [part.shard for part in parts],
        plan.users.take(users),
        items,
        job.interactions_uri,
        job.vocabulary_uri,
        rows_read=plan.rows_read,
        dropped=sum(
            (part.dropped for part in parts),
            Dropped(bad_rows=plan.bad, below_min_rating=plan.below_min_rating, not_wanted=plan.not_wanted),
        ),
        holdout=_holdout(job),
        timed=job.timed,
        dataset=job.name,
        absent=Absent(
            users=len(plan.users) - len(users) - sum(map(_drawn, parts)),
            items=len(plan.items) - len(whole.items),
            new_users=whole.new_users,
            new_items=whole.new_items,
        ),
        held_out_from=_held_out_from(plan),
        time_unit=plan.time_unit,
        period=plan.period,
        moments=whole.moments,
        busiest_user=plan.busiest_user,
        tied_users=sum(part.tied_users for part in parts),
        mixed_ids=plan.mixed_ids,
        best_possible_hr=job.best_possible_hr,
        titles=join(job.titles, as_column(items)) if job.titles else None,
    )


def _drawn(part: _Written) -> int:
    return part.shard.held_out_users.users if part.shard.held_out_users else 0


def _held_out_from(plan: Plan) -> dict[Split, float] | None:
    if plan.cutoffs is None:
        return None
    validation, test = plan.cutoffs
    return {"test": test} if validation is None else {"validation": validation, "test": test}


def _require_training(parts: Sequence[_Written], job: PreprocessJob) -> None:
    if any(part.shard.summary.train for part in parts):
        return
    validation = job.preprocess.validation
    held_out = "the last two for validation and test" if validation else "the last one for the test"
    advice = "set preprocess.validation to false, or " if validation else ""
    raise UserError(
        f"{job.name}: no row is left to train on, as no user has more items than are held out ({held_out}); "
        f"{advice}give more rows of each user"
    )


def _require_holdouts(parts: Sequence[_Written], job: PreprocessJob) -> None:
    held_out: tuple[Split, ...] = ("test", "validation") if holdouts.by_parts(job.preprocess) else ()
    for split in held_out:
        if not any(part.shard.summary.rows.get(split, 1) for part in parts):
            raise UserError(
                f"{job.name}: no row is left for {split} whose user and item have training rows; choose another "
                "preprocess.split_time or split_share, or do without preprocess.validation"
            )
