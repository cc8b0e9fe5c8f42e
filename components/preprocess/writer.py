"""Writes the interactions and the vocabulary, with or without Beam before it."""

import hashlib
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import storage
from components.preprocess.rows import Ids, as_column

Pairs = tuple[np.ndarray, np.ndarray]
"""Indexes of users and of items, int32 [n] each."""


@dataclass(frozen=True)
class Shard:
    """One shard's interactions in dense indexes.

    Attributes:
      number: of the shard.
      first_user: index of its first user.
      train: sorted by user, then time.
      test: at most one row for each user, sorted by user.
      validation: likewise; None where it is switched off.
      train_counts: training rows of each of its users, int32.
    """

    number: int
    first_user: int
    train: Pairs
    test: Pairs
    validation: Pairs | None
    train_counts: np.ndarray


@dataclass(frozen=True)
class WrittenShard:
    """What is left to know of a shard once it is written.

    Attributes:
      number: of the shard.
      first_user: index of its first user.
      rows: rows of each split.
      train_counts: training rows of each of its users, int32.
      items: distinct items of its training rows, int32, ascending.
      item_counts: training rows of each of those.
      digest: of its rows.
    """

    number: int
    first_user: int
    rows: dict[storage.Split, int]
    train_counts: np.ndarray
    items: np.ndarray
    item_counts: np.ndarray
    digest: bytes


def write_shard(shard: Shard, shards: int, uri: str) -> WrittenShard:
    """Writes one shard of every split.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    splits: dict[storage.Split, Pairs] = {"train": shard.train}
    if shard.validation is not None:
        splits["validation"] = shard.validation
    splits["test"] = shard.test
    digest = hashlib.sha256()
    for split, pairs in splits.items():
        _write_pairs(posixpath.join(storage.split_dir(uri, split), _name(shard.number, shards)), pairs)
        digest.update(np.array([shard.first_user, len(pairs[0])], np.int64).tobytes())
        digest.update(pairs[1].data if len(pairs[1]) else b"")
    # With the training rows of each user, and one held-out row for each, the column of users is known as well.
    digest.update(shard.train_counts.tobytes())
    for split, (users, _) in splits.items():
        if split != "train":
            digest.update(users.tobytes())
    counts = np.bincount(shard.train[1])
    items = np.flatnonzero(counts).astype(np.int32)
    return WrittenShard(
        number=shard.number,
        first_user=shard.first_user,
        rows={split: len(pairs[0]) for split, pairs in splits.items()},
        train_counts=shard.train_counts,
        items=items,
        item_counts=counts[items],
        digest=digest.digest(),
    )


def finish(
    written: Sequence[WrittenShard],
    users: Ids,
    items: Ids,
    interactions_uri: str,
    vocabulary_uri: str,
    *,
    rows_read: int,
    dropped: dict[str, int],
    holdout: Literal["last", "random", "given"],
    dataset: str,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Writes the vocabulary and the summaries, which declare both artifacts whole.

    Args:
      written: every shard.
      users: raw ids by index.
      items: raw ids by index.
      interactions_uri: of the artifact of the interactions.
      vocabulary_uri: of the artifact of the vocabulary.
      rows_read: rows of the input.
      dropped: how many rows were dropped, by reason.
      holdout: how the held-out rows were chosen.
      dataset: name or path.
      extra: more entries of the summary.

    Returns:
      The summary of the interactions.

    Raises:
      UserError: the disk is full, or a folder cannot be written.
    """
    written = sorted(written, key=lambda shard: shard.number)
    item_counts = np.zeros(len(items), np.int64)
    for shard in written:
        item_counts[shard.items] += shard.item_counts
    user_counts = np.concatenate([shard.train_counts for shard in written])
    digests = [shard.digest for shard in written]
    for name, ids, counts in (
        (storage.USERS_VOCABULARY, users, user_counts),
        (storage.ITEMS_VOCABULARY, items, item_counts),
    ):
        digests.append(_write_vocabulary(posixpath.join(vocabulary_uri, name), as_column(ids), counts))
    totals = {split: sum(shard.rows[split] for shard in written) for split in written[0].rows}
    summary = {
        "dataset": dataset,
        "rows_read": rows_read,
        "dropped": dropped,
        "users": len(users),
        "items": len(items),
        "interactions": totals,
        "density": sum(totals.values()) / (len(users) * len(items)),
        "holdout": holdout,
        "shards": [{"first_user": s.first_user, "users": len(s.train_counts), **s.rows} for s in written],
        "fingerprint": storage.fingerprint(digests),
        **(extra or {}),
    }
    storage.write_summary(
        vocabulary_uri, {"users": len(users), "items": len(items), "fingerprint": storage.fingerprint(digests[-2:])}
    )
    storage.write_summary(interactions_uri, summary)
    return summary


def _name(number: int, shards: int) -> str:
    return storage.shard_name(number, shards, "parquet")


def _write_pairs(path: str, pairs: Pairs) -> None:
    table = pa.table({"user": pairs[0], "item": pairs[1]})
    with storage.write_atomically(path) as file:
        # Dictionaries cost time and win nothing here: users come in runs, and items hardly repeat.
        pq.write_table(table, file, use_dictionary=False, compression="none", column_encoding=_ENCODING)


_ENCODING = {"user": "DELTA_BINARY_PACKED", "item": "PLAIN"}


def _write_vocabulary(path: str, ids: pa.Array, counts: np.ndarray) -> bytes:
    index = pa.array(np.arange(len(ids), dtype=np.int32))
    table = pa.table({"id": ids, "index": index, "count": pa.array(counts.astype(np.int64))})
    with storage.write_atomically(path) as file:
        pq.write_table(table, file, compression="zstd")
    digest = hashlib.sha256(str(ids.type).encode())
    if pa.types.is_integer(ids.type):
        digest.update(ids.to_numpy().tobytes())
    else:
        digest.update("\0".join(ids.to_pylist()).encode())
    digest.update(counts.astype(np.int64).tobytes())
    return digest.digest()
