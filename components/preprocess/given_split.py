"""Writes interactions whose split, and perhaps test negatives, the data set brings itself."""

import posixpath
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import storage
from components.preprocess import writer

RawPairs = tuple[np.ndarray, np.ndarray]
"""Raw ids of users and of items, integers [n] each."""


@dataclass(frozen=True)
class GivenSplit:
    """A data set's own split, in raw integer ids.

    Attributes:
      train: sorted by user, then time; no pair twice.
      validation: at most one row for each user, sorted by user; None where it is switched off.
      test: likewise.
      negatives: users, [m] ascending, and the raw items of their test negatives, [m, width], in the order given;
        an item may repeat, or be the positive. None where there are none.
      rows_read: rows of the files of interactions.
      duplicates: how many of them were dropped as duplicates.
    """

    train: RawPairs
    validation: RawPairs | None
    test: RawPairs
    negatives: RawPairs | None
    rows_read: int
    duplicates: int = 0


def write_given_split(
    given: GivenSplit, name: str, rows_per_shard: int, interactions_uri: str, vocabulary_uri: str
) -> dict[str, Any]:
    """Indexes and writes both artifacts; the vocabulary holds every user and item that occurs anywhere.

    Returns:
      The summary of the interactions.

    Raises:
      UserError: the disk is full, or a folder cannot be written.
    """
    pairs = [given.train, given.test, *([given.validation] if given.validation else [])]
    negatives = [given.negatives] if given.negatives else []
    users = np.unique(np.concatenate([part[0] for part in (*pairs, *negatives)]))
    items = np.unique(np.concatenate([part[1].ravel() for part in (*pairs, *negatives)]))

    def index(raw: RawPairs) -> writer.Pairs:
        return np.searchsorted(users, raw[0]).astype(np.int32), np.searchsorted(items, raw[1]).astype(np.int32)

    train = index(given.train)
    splits = {
        "train": train,
        "test": index(given.test),
        "validation": index(given.validation) if given.validation else None,
    }
    train_counts = np.bincount(train[0], minlength=len(users)).astype(np.int32)
    bounds = _bounds(train_counts, rows_per_shard)
    if given.negatives:
        _write_negatives(interactions_uri, *index(given.negatives))
    written = []
    for number, (first, last) in enumerate(pairwise(bounds)):
        parts = {split: _between(pairs, first, last) for split, pairs in splits.items() if pairs is not None}
        shard = writer.Shard(
            number, first, parts["train"], parts["test"], parts.get("validation"), train_counts[first:last]
        )
        written.append(writer.write_shard(shard, len(bounds) - 1, interactions_uri))
    return writer.finish(
        written,
        users,
        items,
        interactions_uri,
        vocabulary_uri,
        rows_read=given.rows_read,
        dropped={
            "bad_rows": 0,
            "below_min_rating": 0,
            "duplicates": given.duplicates,
            "below_min_interactions": 0,
        },
        holdout="given",
        dataset=name,
    )


def _bounds(train_counts: np.ndarray, rows_per_shard: int) -> list[int]:
    rows = np.cumsum(train_counts)
    shards = max(1, round(int(rows[-1]) / rows_per_shard))
    inner = np.searchsorted(rows, rows[-1] * np.arange(1, shards) / shards) + 1
    return np.unique([0, *inner[inner < len(rows)], len(rows)]).tolist()


def _between(pairs: writer.Pairs, first: int, last: int) -> writer.Pairs:
    begin, end = np.searchsorted(pairs[0], [first, last])
    return pairs[0][begin:end], pairs[1][begin:end]


def _write_negatives(uri: str, users: np.ndarray, items: np.ndarray) -> None:
    lists = pa.FixedSizeListArray.from_arrays(items.ravel(), items.shape[1]).cast(pa.list_(pa.int32()))
    with storage.write_atomically(posixpath.join(uri, storage.GIVEN_NEGATIVES)) as file:
        pq.write_table(pa.table({"user": users, "negatives": lists}), file)
