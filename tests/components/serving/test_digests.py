"""Digests of what is exported and of what is loaded."""

from pathlib import Path

import numpy as np
import pytest

from components.artifacts.vocabulary import Vocabulary
from components.serving.digests import altered, digests
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.trainer.linear.folding import Folding, Reading
from components.trainer.model import NeuMF

IDS = {
    "numbers": (np.arange(3), np.arange(2)),
    "texts": (np.array(["a", "b", "cé"], object), np.array(["", "x"], object)),
}
COUNTS = np.ones(3, np.int64), np.ones(2, np.int64)


def _export(ids: str, folder: Path, more: float = 0.0) -> dict[str, str]:
    model = NeuMF(3, 2, 2, (4, 3), embedding_stddev=1.0)
    folding = Folding([Reading(np.ones((2, 2), np.float32)), Reading(np.ones((2, 2), np.float32), number=2)])
    served = np.ones((3, 4), np.float32)
    served[1, 2] += more
    serving = ServingModel(model, Vocabulary(*IDS[ids], *COUNTS), SeenItems.nothing(3), folding, served)
    serving.save(str(folder))
    return digests(serving)


@pytest.mark.parametrize("ids", IDS)
def test_what_is_loaded_is_what_was_exported(tmp_path: Path, ids: str) -> None:
    exported = _export(ids, tmp_path / "model")
    assert {"served_users", "vectors/item_rows", "catalog/user_ids", "scoring_weights/first_kernel"} < exported.keys()
    assert altered(exported, ServedModel(str(tmp_path / "model"), 2).digests()) == ()


def test_a_value_that_is_another_one_is_found(tmp_path: Path) -> None:
    exported = _export("numbers", tmp_path / "model")
    assert altered(exported, _export("numbers", tmp_path / "other", 1e-6)) == ("served_users", "vectors/user_rows")
    assert altered(exported, {}) == tuple(sorted(exported))


def test_texts_that_are_cut_elsewhere_are_others() -> None:
    class Model:
        def __init__(self, *texts: bytes):
            self.served_users = np.array(texts, object)

    assert digests(Model(b"ab", b"c")) != digests(Model(b"a", b"bc"))
