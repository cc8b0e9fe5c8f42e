"""Small pushed models."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from components.artifacts.vocabulary import Vocabulary
from components.serving.exporter import ServingModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF
from tests.components.serving.foldings import WeightedItems

USERS, ITEMS, FACTORS = 40, 30, 6
USER_IDS, ITEM_IDS = 7 * np.arange(USERS) + 11, 3 * np.arange(ITEMS) + 100
TITLES: list[str | None] = [f"Title {item}" if item % 5 else None for item in range(ITEMS)]


def seen_by(user: int) -> list[int]:
    """The indexes of the items that a user has seen, oldest first."""
    return [(user * 5 + step * 7) % ITEMS for step in range(1 + user % 9)]


def push(
    folder: Path, seed: int = 0, texts: bool = False, layers: Sequence[int] = (8, 4), folding: bool = True
) -> None:
    """Pushes a model to a folder."""
    vectors = np.random.default_rng(seed).normal(size=(ITEMS, FACTORS + (layers[0] // 2 if layers else 0)))
    users, items = (ids.astype(str).astype(object) + "/é" if texts else ids for ids in (USER_IDS, ITEM_IDS))
    histories = [seen_by(user) for user in range(USERS)]
    seen = SeenItems(np.concatenate(histories).astype(np.int32), np.cumsum([len(seen) for seen in histories]))
    vocabulary = Vocabulary(users, items, np.diff(seen.ends, prepend=0), np.arange(ITEMS)[::-1] + 1, TITLES)
    model = NeuMF(USERS, ITEMS, FACTORS, layers, embedding_stddev=1.0, seed=seed)
    by_items = WeightedItems(vectors.astype(np.float32)) if folding else None
    ServingModel(model, vocabulary, seen, by_items).save(str(folder))
