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
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import held_out_users, storage
from components.artifacts.held_out_users import HeldOutUsers, HeldOutUsersSummary, History
from components.artifacts.splits import SPLITS, Split, shard_name, split_dir
from components.artifacts.summary import SUMMARY, Part, Summary

_GIVEN_NEGATIVES = "given_negatives.parquet"


@dataclass(frozen=True, kw_only=True)
class Dropped(Part):
    """How many rows of the input were dropped, by reason.

    A row whose user and item both go counts as the user's where that had too few items from the start, else as the
    item's.

    Attributes:
      bad_rows: could not be read.
      below_min_rating: rated too low.
      not_wanted: have other values than `dataset.where` asks for.
      duplicates: another row of the same user and item is kept, the latest.
      below_min_interactions: of users with too few items.
      below_min_item_interactions: of items with too few users.
      of_new_users: held out, of users without a training row.
      of_new_items: held out, of items without a training row.
    """

    bad_rows: int = 0
    below_min_rating: int = 0
    not_wanted: int = 0
    duplicates: int = 0
    below_min_interactions: int = 0
    below_min_item_interactions: int = 0
    of_new_users: int = 0
    of_new_items: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{reason: rows + getattr(other, reason) for reason, rows in vars(self).items()})

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(vars(self).values())


@dataclass(frozen=True, kw_only=True)
class Absent(Part):
    """Users and items that can be read, and are not in the artifact.

    Attributes:
      users: how many.
      items: likewise.
      new_users: those of the users who pass the filters, and have no training row.
      new_items: likewise.
    """

    users: int = 0
    items: int = 0
    new_users: int = 0
    new_items: int = 0


@dataclass(frozen=True, kw_only=True)
class ShardSummary(Part):
    """One shard.

    Attributes:
      first_user: index of its first user.
      users: the number of its users.
      train: rows of that split.
      validation: likewise; None where the split is switched off.
      test: likewise.
      aside: likewise; None where every held-out row is judged by.
    """

    first_user: int
    users: int
    train: int
    validation: int | None = None
    test: int
    aside: int | None = None

    @property
    def rows(self) -> dict[Split, int]:
        """Rows by split; one that is switched off is not there."""
        rows = {split: getattr(self, split) for split in SPLITS}
        return {split: number for split, number in rows.items() if number is not None}


@dataclass(frozen=True, kw_only=True)
class InteractionsSummary(Summary):
    """What is in the artifact.

    Attributes:
      dataset: name or path.
      rows_read: rows of the input.
      dropped: those of them that are not in the artifact.
      absent: the users and items that are not in it.
      users: the number of users.
      items: the number of items.
      interactions: the number of interactions, by split; splits that are switched off are not there.
      density: interactions by pairs of user and item.
      holdout: how the held-out rows were chosen. last: each user's latest; time: those from a time on, of all users;
        random: drawn; given: by the data set.
      held_out_from: by split, from when on rows are held out, in the unit of the data set; None unless that is by time.
      time_unit: s, ms, us or ns since 1970; None where the timestamps may count anything, or there are none.
      period: the first and the last timestamp that was read, in that unit; None where there are none.
      timed: whether the order of a user's training rows is that of time; without timestamps it is that of the items.
      tied_users: users of whom equal timestamps leave open which row is held out, so that `preprocess.ties` decides.
      shards: in their order.
      held_out_users: those who are held out entirely; None where nobody is.
      fingerprint: a digest of interactions and vocabulary.
      best_possible_hr: of data that was drawn from known tastes, HR@10 of the best ranking, by the number of negatives.
    """

    STEP: ClassVar[str] = "Preprocess"

    dataset: str
    rows_read: int
    dropped: Dropped
    absent: Absent = Absent()
    users: int
    items: int
    interactions: dict[Split, int]
    density: float
    holdout: Literal["last", "time", "random", "given"]
    held_out_from: dict[Split, float] | None = None
    time_unit: Literal["s", "ms", "us", "ns"] | None = None
    period: tuple[float, float] | None = None
    timed: bool
    tied_users: int = 0
    shards: tuple[ShardSummary, ...]
    held_out_users: HeldOutUsersSummary | None = None
    fingerprint: str
    best_possible_hr: dict[str, float] | None = None

    @property
    def latest_held_out(self) -> bool:
        """Whether what is held out of a user's interactions is the latest of them."""
        return self.holdout in ("last", "time")


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
      items: int32 [n], distinct items of its training rows, ascending.
      item_counts: int64 [n], training rows of each of those.
      digest: of its rows.
      held_out_users: what it has of them; None where nobody is held out.
    """

    number: int
    summary: ShardSummary
    train_counts: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    item_counts: npt.NDArray[np.int64]
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
    counts = np.bincount(shard.train.items)
    items = np.flatnonzero(counts).astype(np.int32)
    return WrittenShard(
        number=shard.number,
        summary=ShardSummary(first_user=shard.first_user, users=len(shard.train_counts), **rows),
        train_counts=shard.train_counts,
        items=items,
        item_counts=counts[items],
        digest=digest.digest(),
        held_out_users=None if held_out is None else held_out.summary,
    )


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
