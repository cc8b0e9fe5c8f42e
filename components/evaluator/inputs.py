"""Reads what the evaluator needs from the artifacts of the earlier steps."""

import posixpath
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from components.artifacts import storage
from components.artifacts.interactions import Pairs, concatenate, read_by_user, read_split
from components.evaluator.ranking.ranks import Holdouts


def read_vocabulary(uri: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads one vocabulary.

    Args:
      uri: the vocabulary artifact.
      name: `storage.USERS_VOCABULARY` or `storage.ITEMS_VOCABULARY`.

    Returns:
      The raw ids (int64, or objects that are texts) and the training interactions (int64), by dense index.
    """
    ids, counts = _read_columns(posixpath.join(uri, name), "id", "count")
    return ids, counts


def read_holdouts(uri: str, most_users: int | None, random: np.random.Generator) -> Holdouts:
    """Reads users with a test item, and what they have seen (training and validation items).

    Memory is bounded by one shard and the seen items of the chosen users.

    Args:
      uri: the interactions artifact.
      most_users: draws so many of the users; None takes them all.
      random: draws them.
    """
    users, items = read_split(uri, "test")
    if most_users is not None and most_users < len(users):
        chosen = np.sort(random.choice(len(users), most_users, replace=False))
        users, items = users[chosen], items[chosen]
    seen_users, seen_items = concatenate(_seen_by(users, uri))
    return Holdouts(users, items, seen_items, np.searchsorted(seen_users, users, side="right"))


def _seen_by(users: np.ndarray, uri: str) -> Iterator[Pairs]:
    for seen_users, seen_items in read_by_user(uri, ("train", "validation")):
        wanted = np.isin(seen_users, users)
        yield seen_users[wanted], seen_items[wanted]


def _read_columns(path: str, *columns: str) -> list[np.ndarray]:
    with storage.open_file(path) as file:
        table = pq.read_table(file, columns=list(columns))
    return [table[column].to_numpy() for column in columns]
