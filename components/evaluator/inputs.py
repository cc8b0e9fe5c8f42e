"""Reads what the evaluator needs from the artifacts of the earlier steps."""

import posixpath
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from components import artifacts
from components.evaluator.ranking import Holdouts


def read_vocabulary(uri: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads one vocabulary.

    Args:
      uri: the vocabulary artifact.
      name: `artifacts.USERS_VOCABULARY` or `artifacts.ITEMS_VOCABULARY`.

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
    users, items = _concatenate(_read_interactions(path) for path in _shards(uri, "test"))
    if most_users is not None and most_users < len(users):
        chosen = np.sort(random.choice(len(users), most_users, replace=False))
        users, items = users[chosen], items[chosen]
    seen_users, seen_items = _concatenate(_read_seen(uri, users))
    return Holdouts(users, items, seen_items, np.searchsorted(seen_users, users, side="right"))


def read_train(uri: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads the users and items of all training interactions, int32 [interactions] each."""
    return _concatenate(_read_interactions(path) for path in _shards(uri, "train"))


def _read_seen(uri: str, users: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    splits = [shards for split in ("train", "validation") if (shards := _shards(uri, split))]
    # Shard k of every split covers the same range of users, so shard by shard the users stay ascending.
    for paths in zip(*splits, strict=True):
        seen_users, seen_items = _concatenate(_read_interactions(path) for path in paths)
        wanted = np.isin(seen_users, users)
        seen_users, seen_items = seen_users[wanted], seen_items[wanted]
        order = np.argsort(seen_users, kind="stable")
        yield seen_users[order], seen_items[order]


def _shards(uri: str, split: artifacts.Split) -> list[str]:
    return artifacts.list_files(artifacts.split_dir(uri, split), "parquet")


def _read_interactions(path: str) -> tuple[np.ndarray, np.ndarray]:
    users, items = _read_columns(path, "user", "item")
    return users, items


def _read_columns(path: str, *columns: str) -> list[np.ndarray]:
    with artifacts.open_file(path) as file:
        table = pq.read_table(file, columns=list(columns))
    return [table[column].to_numpy() for column in columns]


def _concatenate(parts: Iterator[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.zeros(0, np.int32)
    users, items = zip((nothing, nothing), *parts, strict=True)
    return np.concatenate(users), np.concatenate(items)
