"""Ends both artifacts once every shard is written, with or without Beam before it."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Literal

import numpy as np
import numpy.typing as npt

from components.artifacts import storage
from components.artifacts.data_statistics import DataStatistics, Largest
from components.artifacts.held_out_users import HeldOutUsersSummary
from components.artifacts.interactions import WrittenShard
from components.artifacts.interactions_summary import Absent, Dropped, InteractionsSummary, MixedIds
from components.artifacts.moments import Unit
from components.artifacts.splits import Split
from components.artifacts.vocabulary import ItemTitles, write_vocabulary
from components.preprocess.rows import as_column
from components.preprocess.statistics import MOMENTS, calendar, spread
from components.preprocess.values.ids import Ids

_NOTHING_ABSENT = Absent()
_NO_MOMENTS = np.zeros(MOMENTS, np.int64)


def finish(
    written: Sequence[WrittenShard],
    users: Ids,
    items: Ids,
    interactions_uri: str,
    vocabulary_uri: str,
    *,
    rows_read: int,
    dropped: Dropped,
    holdout: Literal["last", "time", "random", "given"],
    timed: bool,
    dataset: str,
    absent: Absent = _NOTHING_ABSENT,
    held_out_from: dict[Split, float] | None = None,
    time_unit: Unit | None = None,
    period: tuple[float, float] | None = None,
    moments: npt.NDArray[np.int64] = _NO_MOMENTS,
    busiest_user: Largest | None = None,
    tied_users: int = 0,
    mixed_ids: dict[Literal["user", "item"], MixedIds] | None = None,
    best_possible_hr: dict[str, float] | None = None,
    titles: ItemTitles | None = None,
) -> InteractionsSummary:
    """Writes the vocabulary and the summaries, which declare both artifacts whole.

    Args:
      written: every shard.
      users: raw ids by index.
      items: raw ids by index.
      interactions_uri: where the shards are.
      vocabulary_uri: where the vocabulary goes.
      rows_read: rows of the input.
      dropped: how many rows were dropped, by reason.
      holdout: how the held-out rows were chosen.
      timed: whether a user's rows are in the order of time.
      dataset: name or path.
      absent: the users and items that are in no row.
      held_out_from: see `InteractionsSummary`.
      time_unit: likewise.
      period: likewise.
      moments: how many rows there were at which time, see `statistics.count_moments`.
      busiest_user: who had most of them.
      tied_users: likewise.
      mixed_ids: likewise.
      best_possible_hr: see `InteractionsSummary`.
      titles: of the items.

    Returns:
      The summary of the interactions.

    Raises:
      UserError: the disk is full, or a folder cannot be written.
    """
    written = sorted(written, key=lambda shard: shard.number)
    user_counts = np.concatenate([shard.train_counts for shard in written])
    item_counts, held_out_counts = _item_counts(written, len(items))
    vocabulary = write_vocabulary(vocabulary_uri, as_column(users), as_column(items), user_counts, item_counts, titles)
    interactions = {split: sum(shard.summary.rows[split] for shard in written) for split in written[0].summary.rows}
    summary = InteractionsSummary(
        dataset=dataset,
        rows_read=rows_read,
        dropped=dropped,
        absent=absent,
        users=len(users),
        items=len(items),
        interactions=interactions,
        density=sum(interactions.values()) / (len(users) * len(items)),
        holdout=holdout,
        held_out_from=held_out_from,
        time_unit=time_unit,
        period=period,
        timed=timed,
        tied_users=tied_users,
        mixed_ids=mixed_ids,
        shards=tuple(shard.summary for shard in written),
        held_out_users=_held_out_users(written),
        fingerprint=storage.fingerprint([*(shard.digest for shard in written), *vocabulary]),
        statistics=DataStatistics(
            users=spread(users, user_counts),
            items=spread(items, item_counts),
            calendar=calendar(moments, period),
            cold=int(held_out_counts[item_counts == 0].sum()),
            busiest_user=busiest_user,
        ),
        best_possible_hr=best_possible_hr,
    )
    summary.write(interactions_uri)
    return summary


def _held_out_users(written: Sequence[WrittenShard]) -> HeldOutUsersSummary | None:
    parts = [shard.held_out_users for shard in written if shard.held_out_users is not None]
    if not parts:
        return None
    names = [field.name for field in fields(HeldOutUsersSummary)]
    return HeldOutUsersSummary(**{name: sum(getattr(part, name) for part in parts) for name in names})


def _item_counts(written: Sequence[WrittenShard], items: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Training rows and other rows of each item, int64 [items] each."""
    train, held_out = np.zeros(items, np.int64), np.zeros(items, np.int64)
    for shard in written:
        train[shard.items] += shard.item_counts
        held_out[shard.items] += shard.held_out_counts
    return train, held_out
