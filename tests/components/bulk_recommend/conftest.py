"""Pushed models, with and without an MLP tower, of numbers and of texts."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.vocabulary import Vocabulary
from components.serving.exporter import ServingModel
from components.serving.saved.probabilities import Probabilities
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF
from tests.components.trainer.conftest import ITEMS, USERS, inputs

__all__ = ["inputs"]

CASES = {
    "mlp": ("vocabulary", 4, (8, 6, 4)),
    "gmf": ("vocabulary_of_text", 4, ()),
    "mlp alone": ("vocabulary", 0, (8, 4)),
}


@pytest.fixture(scope="session")
def push(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Pushes one of `CASES`, once; the destination."""

    def save(case: str) -> Path:
        if (root / case).exists():
            return root / case
        ids, factors, layers = CASES[case]
        model = NeuMF(USERS, ITEMS, factors, layers, embedding_stddev=0.5, seed=1)
        titles = [f"Title {item}, the {item}th" if item % 2 else None for item in range(ITEMS)]
        vocabulary = dataclasses.replace(Vocabulary.open(str(inputs / ids)), item_titles=titles)
        # What is served has rows of its own, as where held-out items are read too.
        served = np.random.default_rng(3).normal(size=model.user_table.shape).astype(np.float32)
        seen, told = SeenItems.open(str(inputs / "interactions"), USERS), Probabilities(0.5, -1.0)
        ServingModel(model, vocabulary, seen, None, served, told).save(str(root / case / "1"))
        return root / case

    root = tmp_path_factory.mktemp("pushed")
    return save
