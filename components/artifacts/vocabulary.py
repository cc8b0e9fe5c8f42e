"""The vocabulary: raw ids of users and items by their dense index, and how often each occurs in training."""

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import storage
from components.artifacts.summary import SUMMARY, Part, Summary

_USERS = "users.parquet"
_ITEMS = "items.parquet"
_TITLE = "title"

RawIds: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.object_]
"""Whole numbers, or objects that are texts."""


@dataclass(frozen=True, kw_only=True)
class TitlesSummary(Part):
    """How the items came to their titles.

    Attributes:
      items: how many have one.
      several: how many had several that differ, of which the first counts.
      bad_rows: how many rows of the files could not be read.
      encoding: that the files were read in because they are not UTF-8; None where that was no guess.
    """

    items: int
    several: int = 0
    bad_rows: int = 0
    encoding: str | None = None


class ItemTitles(NamedTuple):
    """Titles by the index of the item, null where there is none, and how they were found."""

    texts: pa.Array
    summary: TitlesSummary


@dataclass(frozen=True, kw_only=True)
class VocabularySummary(Summary):
    """What is in the artifact.

    Attributes:
      users: the number of users.
      items: the number of items.
      titles: of the items; None where the data set has none.
      fingerprint: a digest of ids, counts and titles.
    """

    STEP: ClassVar[str] = "Preprocess"

    users: int
    items: int
    titles: TitlesSummary | None = None
    fingerprint: str


@dataclass(frozen=True)
class Vocabulary:
    """Raw ids and counts, by index.

    Attributes:
      user_ids: [users], ascending.
      item_ids: [items], ascending.
      user_counts: int64 [users], training interactions of each user.
      item_counts: int64 [items], training interactions of each item.
      item_titles: of each item, None for one without; None where there are no titles.
    """

    user_ids: RawIds
    item_ids: RawIds
    user_counts: npt.NDArray[np.int64]
    item_counts: npt.NDArray[np.int64]
    item_titles: Sequence[str | None] | None = None

    @classmethod
    def open(cls, uri: str) -> Self:
        """Reads the artifact at `uri`.

        Raises:
          UserError: it is not whole.
        """
        VocabularySummary.read(uri)
        users, items = (_read(posixpath.join(uri, name)) for name in (_USERS, _ITEMS))
        return cls(
            users["id"].to_numpy(),
            items["id"].to_numpy(),
            users["count"].to_numpy(),
            items["count"].to_numpy(),
            items[_TITLE].to_pylist() if _TITLE in items.column_names else None,
        )

    def title(self, item: int) -> str | None:
        """The title of one item, by its index; None where it has none."""
        return self.item_titles[item] if self.item_titles is not None else None

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
    titles: ItemTitles | None = None,
) -> Sequence[bytes]:
    """Writes the artifact.

    Args:
      uri: where to.
      users: raw ids by index, int64 or string.
      items: likewise.
      user_counts: [users], training interactions of each user.
      item_counts: [items], training interactions of each item.
      titles: of the items; None: there are none.

    Returns:
      The digests of users and items, without titles; the fingerprint of the interactions covers them.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    of_items = {} if titles is None else {_TITLE: titles.texts}
    digests = [
        _write(posixpath.join(uri, _USERS), users, user_counts.astype(np.int64), {}),
        _write(posixpath.join(uri, _ITEMS), items, item_counts.astype(np.int64), of_items),
    ]
    told = [] if titles is None else ["\0".join(text or "" for text in titles.texts.to_pylist()).encode()]
    VocabularySummary(
        users=len(users),
        items=len(items),
        titles=titles.summary if titles else None,
        fingerprint=storage.fingerprint([*digests, *told]),
    ).write(uri)
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
        names = [name for name in pq.read_schema(file).names if name != "index"]
        return pq.read_table(file, columns=names)


def _write(path: str, ids: pa.Array, counts: npt.NDArray[np.int64], more: Mapping[str, pa.Array]) -> bytes:
    index = pa.array(np.arange(len(ids), dtype=np.int32))
    with storage.write_atomically(path) as file:
        pq.write_table(pa.table({"id": ids, "index": index, "count": counts, **more}), file, compression="zstd")
    return hashlib.sha256(content_of(ids) + counts.tobytes()).digest()
