"""The interactions: Parquet files of dense `user` and `item`, by split, whole users per shard.

Shard k of every split covers the same range of users. A data set may bring its own negatives for the test split.
Where rows are held out by time, or a share of them at random, the split `aside` has the held-out rows that are neither
trained on nor judged by: the served model knows by them what a user has seen. Users may be held out entirely; see
`held_out_users`.
"""

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import held_out_users, storage
from components.artifacts.held_out_users import HeldOutUsers, HeldOutUsersSummary, History
from components.artifacts.interactions_summary import InteractionsSummary, ShardSummary
from components.artifacts.splits import SPLITS, Split, shard_name, split_dir
from components.artifacts.summary import SUMMARY

_GIVEN_NEGATIVES = "given_negatives.parquet"


class Pairs(NamedTuple):
    """Indexes of users and of items.

    Attributes:
      users: int32 [n].
      items: int32 [n].
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]


def concatenate(parts: Iterable[Pairs]) -> Pairs:
    """Joins pairs, of which there may be none."""
    nothing = np.zeros(0, np.int32)
    users, items = zip((nothing, nothing), *parts, strict=True)
    return Pairs(np.concatenate(users), np.concatenate(items))


class Interactions:
    """Reads an artifact.

    Attributes:
      uri: where it is.
      summary: what is in it.
    """

    def __init__(self, uri: str):
        """Reads the summary.

        Raises:
          UserError: the artifact is not whole.
        """
        self.uri = uri
        self.summary = InteractionsSummary.read(uri)

    @property
    def shards(self) -> int:
        """How many shards each split has."""
        return len(self.summary.shards)

    def shard(self, split: Split, shard: int) -> Pairs:
        """Reads one shard of a split that is there; the arrays are read-only."""
        path = posixpath.join(split_dir(self.uri, split), _shard_name(shard, self.shards))
        with storage.open_file(path) as file:
            table = pq.read_table(file, columns=["user", "item"], use_threads=False)
        pairs = Pairs(table["user"].to_numpy(), table["item"].to_numpy())
        for column in pairs:
            column.setflags(write=False)  # whether Arrow had to copy or not: one type for the compiler
        return pairs

    def split(self, split: Split) -> Pairs:
        """Reads a split, in the order of its files; there is nothing in one that is switched off."""
        return concatenate(part for (part,) in self._by_shard([split]))

    def by_user(self, splits: Sequence[Split]) -> Iterator[Pairs]:
        """Reads splits together, a shard at a time.

        Yields:
          The pairs of the shard. Users ascend, over all shards too; a user's items are in the order of the splits, and
          within a split in that of the files.
        """
        for parts in self._by_shard(splits):
            users, items = concatenate(parts)
            order = np.argsort(users, kind="stable")
            yield Pairs(users[order], items[order])

    def held_out_users(self) -> Iterator[History]:
        """Reads the users who are held out entirely and can be judged; there may be none."""
        return held_out_users.read(self.uri, self.shards) if self.summary.held_out_users else iter(())

    def given_negatives(self) -> dict[int, npt.NDArray[np.int32]] | None:
        """The test negatives that the data set brings, int32 [n] by user; None when it brings none."""
        path = posixpath.join(self.uri, _GIVEN_NEGATIVES)
        if not storage.exists(path):
            return None
        with storage.open_file(path) as file:
            table = pq.read_table(file)
        negatives = table["negatives"].combine_chunks()
        values, offsets = negatives.values.to_numpy(), negatives.offsets.to_numpy()
        users = table["user"].to_numpy()
        return {int(user): values[offsets[row] : offsets[row + 1]] for row, user in enumerate(users)}

    def _by_shard(self, splits: Sequence[Split]) -> Iterator[list[Pairs]]:
        present = [split for split in splits if split in self.summary.interactions]
        for shard in range(self.shards if present else 0):
            yield [self.shard(split, shard) for split in present]


@dataclass(frozen=True)
class Shard:
    """One shard's interactions, to be written.

    Attributes:
      number: of the shard.
      first_user: index of its first user.
      train: sorted by user, then time.
      test: at most one row for each user, sorted by user.
      validation: likewise; None where it is switched off.
      train_counts: int32 [users], training rows of each of its users.
      aside: what else is held out, sorted by user, then time; None where there is no such thing.
      held_out_users: users between these who are held out entirely; None where nobody is, in any shard.
    """

    number: int
    first_user: int
    train: Pairs
    test: Pairs
    validation: Pairs | None
    train_counts: npt.NDArray[np.int32]
    aside: Pairs | None = None
    held_out_users: HeldOutUsers | None = None


@dataclass(frozen=True)
class WrittenShard:
    """What is left to know of a shard once it is written.

    Attributes:
      number: of the shard.
      summary: its part of the artifact's.
      train_counts: int32 [users], training rows of each of its users.
      items: int32 [n], distinct items of its rows, ascending.
      item_counts: int64 [n], training rows of each of those.
      held_out_counts: int64 [n], other rows of each of those.
      digest: of its rows.
      held_out_users: what it has of them; None where nobody is held out.
    """

    number: int
    summary: ShardSummary
    train_counts: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    item_counts: npt.NDArray[np.int64]
    held_out_counts: npt.NDArray[np.int64]
    digest: bytes
    held_out_users: HeldOutUsersSummary | None = None


def write_shard(uri: str, shard: Shard, shards: int) -> WrittenShard:
    """Writes one shard, of so many, of every split.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    splits: dict[Split, Pairs] = {"train": shard.train}
    if shard.validation is not None:
        splits["validation"] = shard.validation
    splits["test"] = shard.test
    if shard.aside is not None:
        splits["aside"] = shard.aside
    digest = hashlib.sha256()
    for split, pairs in splits.items():
        _write_pairs(posixpath.join(split_dir(uri, split), _shard_name(shard.number, shards)), pairs)
        digest.update(np.array([shard.first_user, len(pairs.users)], np.int64).tobytes())
        digest.update(pairs.items.data if len(pairs.items) else b"")
    # With the training rows of each user, and one held-out row for each, the column of users is known as well.
    digest.update(shard.train_counts.tobytes())
    for split, pairs in splits.items():
        if split != "train":
            digest.update(pairs.users.tobytes())
    held_out = shard.held_out_users
    if held_out is not None:
        digest.update(held_out_users.write(uri, shard.number, shards, held_out))
    rows: dict[str, int] = {split: len(pairs.users) for split, pairs in splits.items()}
    held_out_items = np.concatenate([pairs.items for split, pairs in splits.items() if split != "train"])
    counts, others = _count(shard.train.items, held_out_items)
    items = np.flatnonzero(counts + others).astype(np.int32)
    return WrittenShard(
        number=shard.number,
        summary=ShardSummary(first_user=shard.first_user, users=len(shard.train_counts), **rows),
        train_counts=shard.train_counts,
        items=items,
        item_counts=counts[items],
        held_out_counts=others[items],
        digest=digest.digest(),
        held_out_users=None if held_out is None else held_out.summary,
    )


def _count(*items: npt.NDArray[np.int32]) -> list[npt.NDArray[np.int64]]:
    """How often each item, by its index, is in each of some arrays."""
    size = max(int(part.max(initial=-1)) for part in items) + 1
    return [np.bincount(part, minlength=size) for part in items]


def write_given_negatives(uri: str, users: npt.NDArray[np.int32], items: npt.NDArray[np.int32]) -> None:
    """Writes the test negatives that a data set brings.

    Args:
      uri: of the artifact.
      users: int32 [m].
      items: int32 [m, width], the negatives of each.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    lists = pa.FixedSizeListArray.from_arrays(items.ravel(), items.shape[1]).cast(pa.list_(pa.int32()))
    with storage.write_atomically(posixpath.join(uri, _GIVEN_NEGATIVES)) as file:
        pq.write_table(pa.table({"user": users, "negatives": lists}), file)


def remove_interactions(uri: str) -> None:
    """Takes away the files of an artifact that will not be whole."""
    names = (_GIVEN_NEGATIVES, SUMMARY)
    folders = [*(split_dir(uri, split) for split in SPLITS), held_out_users.folder(uri)]
    storage.delete([*folders, *(posixpath.join(uri, name) for name in names)])


def _shard_name(shard: int, shards: int) -> str:
    return shard_name(shard, shards, "parquet")


def _write_pairs(path: str, pairs: Pairs) -> None:
    table = pa.table({"user": pairs.users, "item": pairs.items})
    with storage.write_atomically(path) as file:
        # Dictionaries cost time and win nothing here: users come in runs, and items hardly repeat.
        pq.write_table(table, file, use_dictionary=False, compression="none", column_encoding=_ENCODING)


_ENCODING = {"user": "DELTA_BINARY_PACKED", "item": "PLAIN"}
