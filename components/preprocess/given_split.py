"""Writes interactions whose split, and perhaps test negatives, the data set brings itself."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from components.artifacts.interactions import Pairs, Shard, write_given_negatives, write_shard
from components.artifacts.interactions_summary import Dropped, InteractionsSummary
from components.preprocess.writer import finish

RawPairs: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Raw ids of users and of items, int64 [n] each."""


@dataclass(frozen=True)
class GivenSplit:
    """A data set's own split, in raw integer ids.

    Attributes:
      name: what the summary calls the data set.
      train: sorted by user, then time where that is known; no pair twice.
      validation: at most one row for each user, sorted by user; None where it is switched off.
      test: at most one row for each user, sorted by user.
      negatives: users, [m] ascending, and the raw items of their test negatives, [m, width], in the order given;
        an item may repeat, or be the positive. None where there are none.
      rows_read: rows of the files of interactions.
      duplicates: how many of them were dropped as duplicates.
      timed: whether a user's training rows are in the order of time.
    """

    name: str
    train: RawPairs
    validation: RawPairs | None
    test: RawPairs
    negatives: RawPairs | None
    rows_read: int
    duplicates: int = 0
    timed: bool = False


def write_given_split(
    given: GivenSplit, rows_per_shard: int, interactions_uri: str, vocabulary_uri: str
) -> InteractionsSummary:
    """Indexes and writes both artifacts; the vocabulary holds every user and item that occurs anywhere.

    Args:
      given: the data set and its split.
      rows_per_shard: how many training rows a shard should have, about.
      interactions_uri: where the interactions go.
      vocabulary_uri: where the vocabulary goes.

    Returns:
      The summary of the interactions.

    Raises:
      UserError: the disk is full, or a folder cannot be written.
    """
    pairs = [given.train, given.test, *([given.validation] if given.validation else [])]
    negatives = [given.negatives] if given.negatives else []
    users = np.unique(np.concatenate([part[0] for part in (*pairs, *negatives)]))
    items = np.unique(np.concatenate([part[1].ravel() for part in (*pairs, *negatives)]))

    def index(raw: RawPairs) -> Pairs:
        return Pairs(np.searchsorted(users, raw[0]).astype(np.int32), np.searchsorted(items, raw[1]).astype(np.int32))

    train = index(given.train)
    test = index(given.test)
    validation = index(given.validation) if given.validation else None
    train_counts = np.bincount(train.users, minlength=len(users)).astype(np.int32)
    bounds = _bounds(train_counts, rows_per_shard)
    if given.negatives:
        write_given_negatives(interactions_uri, *index(given.negatives))
    written = []
    for number, (first, last) in enumerate(pairwise(bounds)):
        shard = Shard(
            number=number,
            first_user=first,
            train=_between(train, first, last),
            test=_between(test, first, last),
            validation=_between(validation, first, last) if validation else None,
            train_counts=train_counts[first:last],
        )
        written.append(write_shard(interactions_uri, shard, len(bounds) - 1))
    return finish(
        written,
        users,
        items,
        interactions_uri,
        vocabulary_uri,
        rows_read=given.rows_read,
        dropped=Dropped(duplicates=given.duplicates),
        holdout="given",
        timed=given.timed,
        dataset=given.name,
    )


def _bounds(train_counts: npt.NDArray[np.int32], rows_per_shard: int) -> list[int]:
    """The first user of each shard, and the number of users at the end."""
    rows = np.cumsum(train_counts)
    shards = max(1, round(int(rows[-1]) / rows_per_shard))
    inner = np.searchsorted(rows, rows[-1] * np.arange(1, shards) / shards) + 1
    bounds: list[int] = np.unique([0, *inner[inner < len(rows)], len(rows)]).tolist()
    return bounds


def _between(pairs: Pairs, first: int, last: int) -> Pairs:
    """The pairs of the users from `first` to before `last`."""
    begin, end = np.searchsorted(pairs.users, [first, last])
    return Pairs(pairs.users[begin:end], pairs.items[begin:end])
