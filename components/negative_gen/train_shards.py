"""Reads the interactions artifact, shard by shard."""

import posixpath
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from components.artifacts import storage
from components.artifacts.storage import Split

# Shards are read again for every file once they need more than this: the memory does not grow with the data.
_KEPT_BYTES = 512 << 20


@dataclass(frozen=True)
class TrainShard:
    """The training items of a range of users.

    Attributes:
      first_user: the index of the first user.
      offsets: int64 [users + 1]: where each user's items begin.
      items: int32 [interactions], user after user.
    """

    first_user: int
    offsets: np.ndarray
    items: np.ndarray


@dataclass(frozen=True)
class HeldOut:
    """The held-out items of a shard's users in one split: `users` and `items` int32 [n], ascending users."""

    users: np.ndarray
    items: np.ndarray


class Interactions:
    """An interactions artifact. What it keeps in memory stays behind when it is sent to a worker."""

    def __init__(self, uri: str, splits: Sequence[Split]):
        """Reads the summary and lists the shards.

        Raises:
          UserError: the artifact is not whole.
        """
        summary = storage.read_summary(uri)
        self.uri = uri
        self.splits = tuple(splits)
        self.users: int = summary["users"]
        self.items: int = summary["items"]
        self.rows: dict[Split, int] = {split: summary["interactions"][split] for split in splits}
        self._ranges = [(shard["first_user"], shard["users"]) for shard in summary["shards"]]
        self._paths = {split: storage.list_files(storage.split_dir(uri, split), "parquet") for split in splits}
        self.__setstate__(self.__dict__)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_kept", "_locks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._kept: dict[int, TrainShard] = {}
        self._locks: dict[int, threading.Lock] = defaultdict(threading.Lock)

    @property
    def shards(self) -> int:
        """How many shards each split has."""
        return len(self._ranges)

    def train(self, shard: int) -> TrainShard:
        """One shard of the training split; kept in memory while there is room."""
        with self._locks[shard]:
            if shard in self._kept:
                return self._kept[shard]
            read = self._read_train(shard)
            if sum(kept.items.nbytes + kept.offsets.nbytes for kept in list(self._kept.values())) < _KEPT_BYTES:
                self._kept[shard] = read
            return read

    def held_out(self, split: Split, shard: int) -> HeldOut:
        """One shard of an evaluation split."""
        return HeldOut(*_read_columns(self._paths[split][shard], ["user", "item"]))

    def given_negatives(self) -> dict[int, np.ndarray] | None:
        """The test negatives that the dataset brings, int32 [n] by user; None when it brings none."""
        path = posixpath.join(self.uri, storage.GIVEN_NEGATIVES)
        if not FileSystems.exists(path):
            return None
        with storage.open_file(path) as file:
            table = pq.read_table(file)
        negatives = table["negatives"].combine_chunks()
        values, offsets = negatives.values.to_numpy(), negatives.offsets.to_numpy()
        users = table["user"].to_numpy()
        return {int(user): values[offsets[row] : offsets[row + 1]] for row, user in enumerate(users)}

    def _read_train(self, shard: int) -> TrainShard:
        first_user, users = self._ranges[shard]
        user, items = _read_columns(self._paths["train"][shard], ["user", "item"])
        offsets = np.searchsorted(user, np.arange(first_user, first_user + users + 1))
        return TrainShard(first_user, offsets, items)


def _read_columns(path: str, names: list[str]) -> list[np.ndarray]:
    with storage.open_file(path) as file:
        table = pq.read_table(file, columns=names, use_threads=False)
    columns = [table[name].to_numpy() for name in names]
    for column in columns:
        column.setflags(write=False)  # whether Arrow had to copy or not: one type for the compiler
    return columns


def raw_user_id(vocabulary_uri: str, index: int) -> str:
    """The id by which the user of that index is known in the dataset."""
    with storage.open_file(posixpath.join(vocabulary_uri, storage.USERS_VOCABULARY)) as file:
        return repr(pq.read_table(file, columns=["id"])["id"][index].as_py())
