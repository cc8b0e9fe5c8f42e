"""Writes the evaluation records of one split: every held-out item among its negatives."""

import contextlib
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from components.artifacts import storage
from components.artifacts.examples import evaluation_file
from components.artifacts.interactions import Pairs
from components.artifacts.records import EVALUATION_COLUMNS, BatchBuffer, BatchWriter
from components.artifacts.splits import SPLITS, Split
from components.negative_gen import loops
from components.negative_gen.job import NegativesJob
from components.sampling.item_sets import make_scratch
from components.sampling.train_shards import TrainShard
from components.sampling.training_files import Written
from components.shared.errors import UserError
from components.shared.parallel import ahead
from components.shared.random_streams import generator, stream_key

_ROWS_AT_ONCE = 1 << 18
_LISTS_AHEAD = 2

Lists: TypeAlias = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]
"""Users [n], items [n, width], mask [n, width]."""


def write_split(job: NegativesJob, split: Split) -> Written:
    """Writes the split's only file: the users in ascending order, the last batch padded with masked rows.

    A user with fewer candidates than negatives are asked for has all of them, and then masked rows.

    Raises:
      UserError: the data set brings no negatives for a user; the disk is full.
    """
    name = evaluation_file(split)
    buffer = BatchBuffer(EVALUATION_COLUMNS, job.users_per_batch * job.width)
    shape = (buffer.records, job.users_per_batch, job.width)
    user, item, mask = (buffer.columns[column].reshape(shape, copy=False) for column in EVALUATION_COLUMNS)
    filled = 0  # users in the buffer
    short_users = 0
    with (
        storage.write_atomically(f"{job.examples_uri}/{name}") as file,
        contextlib.closing(ahead(_lists(job, split), _LISTS_AHEAD)) as lists,
    ):
        writer = BatchWriter(file)
        for users, items, masks in lists:
            if job.negatives.protocol == "standard":  # which masks nothing else
                short_users += int(masks[:, -1].sum())
            done = 0
            while done < len(users):
                record, slot = divmod(filled, job.users_per_batch)
                step = min(len(users) - done, job.users_per_batch - slot)
                to, part = np.s_[record, slot : slot + step], np.s_[done : done + step]
                user[to], item[to], mask[to] = users[part, np.newaxis], items[part], masks[part]
                done, filled = done + step, filled + step
                if filled == buffer.records * job.users_per_batch:
                    writer.write(buffer, buffer.records)
                    filled = 0
        records, slot = divmod(filled, job.users_per_batch)
        if slot:
            padding = np.s_[records, slot:]
            user[padding], item[padding], mask[padding] = 0, 0, 1
            records += 1
        writer.write(buffer, records)
        return Written(name, writer.digest(), short_users)


def _lists(job: NegativesJob, split: Split) -> Iterator[Lists]:
    """What is ranked, for some users at a time: each positive, then its negatives."""
    given = job.interactions.given_negatives() if job.negatives.protocol == "ncf" and split == "test" else None
    scratch = make_scratch(job.items)
    at_once = max(1, _ROWS_AT_ONCE // job.width)
    ranked, before = _ranked(job, split), 0  # and how many were held out in the shards before
    for number in range(job.interactions.shards):
        held_out = {other: job.interactions.shard(other, number) for other in job.evaluation_splits}
        shard = job.sampler.train_shards[number]
        avoided = _avoided(job, shard, held_out)
        rows = held_out[split]
        ends = np.searchsorted(ranked, [before, before + len(rows.users)])
        places = ranked[slice(*ends)] - before
        before += len(rows.users)
        for start in range(0, len(places), at_once):
            users = rows.users[places[start : start + at_once]]
            items = np.zeros((len(users), job.width), np.int32)
            items[:, 0] = rows.items[places[start : start + at_once]]
            mask = np.zeros(items.shape, np.uint8)
            if given is not None:
                _take_given(job, users, given, items)
            else:
                _sample(job, split, shard, users, avoided[users - shard.first_user], items, scratch)
            missing = items < 0
            if missing.any():
                # Anything but the positive, which would count as listed among its own negatives.
                items = np.where(missing, (items[:, :1] + 1) % job.items, items)
            if job.negatives.protocol == "mlperf" or given is not None:
                loops.mask_repeats(items, mask, scratch)
            mask |= missing
            yield users, items, mask


def _ranked(job: NegativesJob, split: Split) -> npt.NDArray[np.int64]:
    """Places of the ranked users among all that have a held-out item, ascending."""
    users, ranked = job.interactions.summary.interactions[split], job.ranked_users(split)
    if ranked == users:
        return np.arange(users)
    random = generator(job.seed, "evaluation users", SPLITS.index(split))
    return np.sort(random.choice(users, ranked, replace=False))


def _avoided(job: NegativesJob, shard: TrainShard, held_out: dict[Split, Pairs]) -> npt.NDArray[np.int32]:
    """The items [users, n] that are no negatives of the shard's users although they were not trained on; -1: none."""
    users = len(shard.offsets) - 1
    if job.negatives.protocol == "mlperf":
        return np.empty((users, 0), np.int32)
    avoided = np.full((users, len(held_out)), -1, np.int32)
    for column, rows in enumerate(held_out.values()):
        avoided[rows.users - shard.first_user, column] = rows.items
    return avoided


def _sample(
    job: NegativesJob,
    split: Split,
    shard: TrainShard,
    users: npt.NDArray[np.int32],
    avoided: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    scratch: tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]],
) -> None:
    """Fills `items[:, 1:]` with negatives of the protocol; -1 where a user has no more."""
    key = np.uint64(stream_key(job.seed, "evaluation negatives", SPLITS.index(split)))
    distinct = job.negatives.protocol != "mlperf"
    loops.sample_negatives(
        shard.items, shard.offsets, shard.first_user, users, avoided, job.items, distinct, key, items,
        scratch,
    )  # fmt: skip


def _take_given(
    job: NegativesJob,
    users: npt.NDArray[np.int32],
    given: dict[int, npt.NDArray[np.int32]],
    items: npt.NDArray[np.int32],
) -> None:
    """Fills `items[:, 1:]` with the dataset's negatives; -1 where it has no more for a user."""
    for row, user in enumerate(users.tolist()):
        negatives = given.get(user, ())
        if not len(negatives):
            raise UserError(
                f"user {job.raw_user(user)} has a test item, but the dataset brings no negatives "
                "for it: complete the file of negatives, or set negatives.protocol to standard"
            )
        items[row, 1 : 1 + len(negatives)] = negatives
        items[row, 1 + len(negatives) :] = -1
