"""The vocabulary: raw ids of users and items by their dense index, and how often each occurs in training."""

import hashlib
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import storage
from components.artifacts.summary import SUMMARY, Summary

_USERS = "users.parquet"
_ITEMS = "items.parquet"

RawIds: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.object_]
"""Whole numbers, or objects that are texts."""


@dataclass(frozen=True, kw_only=True)
class VocabularySummary(Summary):
    """What is in the artifact.

    Attributes:
      users: the number of users.
      items: the number of items.
      fingerprint: a digest of ids and counts.
    """

    STEP: ClassVar[str] = "Preprocess"

    users: int
    items: int
    fingerprint: str


@dataclass(frozen=True)
class Vocabulary:
    """Raw ids and counts, by index.

    Attributes:
      user_ids: [users], ascending.
      item_ids: [items], ascending.
      user_counts: int64 [users], training interactions of each user.
      item_counts: int64 [items], training interactions of each item.
    """

    user_ids: RawIds
    item_ids: RawIds
    user_counts: npt.NDArray[np.int64]
    item_counts: npt.NDArray[np.int64]

    @classmethod
    def open(cls, uri: str) -> Self:
        """Reads the artifact at `uri`.

        Raises:
          UserError: it is not whole.
        """
        VocabularySummary.read(uri)
        users, items = (_read(posixpath.join(uri, name)) for name in (_USERS, _ITEMS))
        return cls(*(table[column].to_numpy() for column in ("id", "count") for table in (users, items)))

    def user(self, index: int) -> int | str:
        """The raw id of one user."""
        raw: int | str = self.user_ids[index : index + 1].tolist()[0]
        return raw


def write_vocabulary(
    uri: str,
    users: pa.Array,
    items: pa.Array,
    user_counts: npt.NDArray[np.integer[Any]],
    item_counts: npt.NDArray[np.integer[Any]],
) -> Sequence[bytes]:
    """Writes the artifact.

    Args:
      uri: where to.
      users: raw ids by index, int64 or string.
      items: likewise.
      user_counts: [users], training interactions of each user.
      item_counts: [items], training interactions of each item.

    Returns:
      The digests of users and items; the fingerprint of the interactions covers them.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    parts = ((_USERS, users, user_counts), (_ITEMS, items, item_counts))
    digests = [_write(posixpath.join(uri, name), ids, counts.astype(np.int64)) for name, ids, counts in parts]
    VocabularySummary(users=len(users), items=len(items), fingerprint=storage.fingerprint(digests)).write(uri)
    return digests


def remove_vocabulary(uri: str) -> None:
    """Takes away the files of an artifact that will not be whole."""
    storage.delete(posixpath.join(uri, name) for name in (_USERS, _ITEMS, SUMMARY))


def content_of(ids: pa.Array) -> bytes:
    """What a digest of raw ids, int64 or string, is to be made of."""
    content: bytes = ids.to_numpy().tobytes() if pa.types.is_integer(ids.type) else "\0".join(ids.to_pylist()).encode()
    return str(ids.type).encode() + content


def _read(path: str) -> pa.Table:
    with storage.open_file(path) as file:
        return pq.read_table(file, columns=["id", "count"])


def _write(path: str, ids: pa.Array, counts: npt.NDArray[np.int64]) -> bytes:
    index = pa.array(np.arange(len(ids), dtype=np.int32))
    with storage.write_atomically(path) as file:
        pq.write_table(pa.table({"id": ids, "index": index, "count": counts}), file, compression="zstd")
    return hashlib.sha256(content_of(ids) + counts.tobytes()).digest()
