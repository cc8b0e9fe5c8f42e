"""The vocabulary artifact: what the serving model needs of it."""

import posixpath
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow.parquet

from components.artifacts.storage import ITEMS_VOCABULARY, USERS_VOCABULARY, open_file


@dataclass(frozen=True)
class Vocabulary:
    """Raw ids by index, int64 or text (object), and how often each item was met in training (int64)."""

    user_ids: np.ndarray
    item_ids: np.ndarray
    item_counts: np.ndarray

    @classmethod
    def open(cls, uri: str) -> Self:
        """Reads the artifact at `uri`."""
        users, items = (_table(uri, name) for name in (USERS_VOCABULARY, ITEMS_VOCABULARY))
        return cls(_column(users, "id"), _column(items, "id"), _column(items, "count"))


def _table(uri: str, name: str) -> pyarrow.Table:
    with open_file(posixpath.join(uri, name)) as file:
        return pyarrow.parquet.read_table(file)


def _column(table: pyarrow.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy()
