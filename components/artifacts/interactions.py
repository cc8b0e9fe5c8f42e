"""Reads Preprocess's interactions: Parquet files of dense `user` and `item`, by split, whole users per shard."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.parquet as pq

from components.artifacts import storage

Pairs = tuple[np.ndarray, np.ndarray]


def read_split(uri: str, split: storage.Split) -> Pairs:
    """Reads the users and items of a split, int32 [interactions] each, in the order of the files."""
    return concatenate(_read(path) for path in _shards(uri, split))


def read_by_user(uri: str, splits: Sequence[storage.Split]) -> Iterator[Pairs]:
    """Reads splits together, a shard at a time.

    Yields:
      Users and items, int32 [interactions in the shard] each. Users ascend, over all shards too; a user's items are in
      the order of the splits, and within a split in that of the files.
    """
    present = [shards for split in splits if (shards := _shards(uri, split))]
    # Shard k of every split covers the same range of users.
    for paths in zip(*present, strict=True):
        users, items = concatenate(_read(path) for path in paths)
        order = np.argsort(users, kind="stable")
        yield users[order], items[order]


def concatenate(parts: Iterator[Pairs]) -> Pairs:
    """Joins users and items, int32 each, of which there may be none."""
    nothing = np.zeros(0, np.int32)
    users, items = zip((nothing, nothing), *parts, strict=True)
    return np.concatenate(users), np.concatenate(items)


def _shards(uri: str, split: storage.Split) -> list[str]:
    return storage.list_files(storage.split_dir(uri, split), "parquet")


def _read(path: str) -> Pairs:
    with storage.open_file(path) as file:
        table = pq.read_table(file, columns=["user", "item"])
    return table["user"].to_numpy(), table["item"].to_numpy()
