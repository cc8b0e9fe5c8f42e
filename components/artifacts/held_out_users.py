"""Users who are held out entirely: Parquet files of raw ids beside the splits of the interactions, one a shard.

They are no split: nothing that is trained, drawn, counted or chosen reads them. Their ids are raw because the
vocabulary has neither these users nor items that nobody else has.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.artifacts import storage
from components.artifacts.splits import shard_name
from components.artifacts.summary import Part
from components.artifacts.vocabulary import RawIds, content_of

_FOLDER = "held_out_users"


@dataclass(frozen=True, kw_only=True)
class HeldOutUsersSummary(Part):
    """The users who are held out entirely.

    Attributes:
      users: how many were drawn.
      judged: how many of them have a history, and an item to be judged by.
      interactions: rows of all of them that pass the filters.
    """

    users: int
    judged: int
    interactions: int


@dataclass(frozen=True)
class HeldOutUsers:
    """The users of one shard, to be written.

    Attributes:
      users: raw ids of each row, int64 or string, a user's rows one after the other, oldest first.
      items: likewise, of the items.
      judged: of each row, whether it is the one that its user is judged by; the others are the user's history.
      drawn: how many users were drawn: those of the rows, and those without both a history and a row to judge by.
      rows: how many rows they have after the filters.
    """

    users: pa.Array
    items: pa.Array
    judged: npt.NDArray[np.bool_]
    drawn: int
    rows: int

    @property
    def summary(self) -> HeldOutUsersSummary:
        """What there is to know of them."""
        return HeldOutUsersSummary(users=self.drawn, judged=int(self.judged.sum()), interactions=self.rows)


class History(NamedTuple):
    """What one user did.

    Attributes:
      user: raw id.
      items: raw ids, oldest first, at least one.
      judged: the raw id of the item that is left out of them.
    """

    user: int | str
    items: RawIds
    judged: int | str


def folder(uri: str) -> str:
    """The folder of the files in an artifact of interactions."""
    return posixpath.join(uri, _FOLDER)


def write(uri: str, shard: int, shards: int, held_out: HeldOutUsers) -> bytes:
    """Writes one of so many shards.

    Returns:
      What its digest is to be made of.

    Raises:
      UserError: the disk is full, or the folder cannot be written.
    """
    columns = {"user": held_out.users, "item": held_out.items, "judged": held_out.judged}
    with storage.write_atomically(_path(uri, shard, shards)) as file:
        pq.write_table(pa.table(columns), file, compression="zstd")
    return content_of(held_out.users) + content_of(held_out.items) + held_out.judged.tobytes()


def read(uri: str, shards: int) -> Iterator[History]:
    """Reads all users of an artifact, in the order of their ids."""
    for shard in range(shards):
        with storage.open_file(_path(uri, shard, shards)) as file:
            table = pq.read_table(file)
        users, items, judged = (table[name].to_numpy() for name in ("user", "item", "judged"))
        for rows in np.split(np.arange(len(table)), _beginnings(users)):
            if len(rows):
                of_judged = items[rows[judged[rows]]].tolist()
                yield History(users[rows[:1]].tolist()[0], items[rows[~judged[rows]]], of_judged[0])


def _path(uri: str, shard: int, shards: int) -> str:
    return posixpath.join(folder(uri), shard_name(shard, shards, "parquet"))


def _beginnings(users: RawIds) -> npt.NDArray[np.int64]:
    """The first row of each user but the first."""
    return 1 + np.flatnonzero(users[1:] != users[:-1])
