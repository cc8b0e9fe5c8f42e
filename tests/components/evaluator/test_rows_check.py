"""Rows of users beside what these did, in a model that is exported and loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.evaluation import RowsCheck
from components.artifacts.interactions import Interactions
from components.artifacts.vocabulary import Vocabulary
from components.evaluator import rows_check
from components.evaluator.rows_check import check_rows
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.trainer.linear.folding import Folding, Reading
from components.trainer.model import NeuMF
from tests.components.artifacts.handmade import write_interactions

USERS, ITEMS, TOLERANCE = 40, 15, 1e-4
NUMBER, DECAY = 3, 0.6
ALL, LATEST, TRAINED = slice(0, 4), slice(4, 9), slice(9, 12)

Tables = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Ground:
    """Interactions on disk, and the rows that users have by them, measured and served."""

    interactions: str
    vectors: np.ndarray
    tables: Tables

    def check(self, folder: Path, tables: Tables, interactions: str | None = None) -> RowsCheck | None:
        measured, served = tables
        vectors = self.vectors
        folding = Folding(
            [
                Reading(vectors[:, ALL], others=np.full(4, 1.5, np.float32)),
                Reading(vectors[:, LATEST], number=NUMBER, decay=DECAY),
                Reading(vectors[:, TRAINED], mean=True, offset=np.ones(3, np.float32)),
            ]
        )
        model = NeuMF(USERS, ITEMS, vectors.shape[1], ())
        model.user_table.assign(measured)
        ids = np.arange(USERS), np.arange(ITEMS)
        vocabulary = Vocabulary(*ids, np.ones(USERS, np.int64), np.ones(ITEMS, np.int64))
        ServingModel(model, vocabulary, SeenItems.nothing(USERS), folding, served).save(str(folder / "model"))
        loaded = ServedModel(str(folder / "model"), ITEMS)
        return check_rows(loaded, Interactions(interactions or self.interactions), TOLERANCE)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    random = np.random.default_rng(0)
    done = [random.permutation(ITEMS)[: random.integers(0, 9)] for _ in range(USERS)]
    vectors, base = random.normal(size=(ITEMS, 12)).astype("f4"), random.normal(size=(USERS, 3)).astype("f4")
    rows: dict[str, list[tuple[int, int]]] = {"train": [], "validation": [], "test": [], "aside": []}
    before = []
    for user, items in enumerate(done):
        splits = {5: ["validation"], 6: ["validation", "test"], 7: ["validation", "test", "aside"]}.get(len(items), [])
        before.append(len(items) - len({*splits} & {"test", "aside"}))
        names = ["train"] * (len(items) - len(splits)) + splits
        for name, item in zip(names, items.tolist(), strict=True):
            rows[name].append((user, item))
    uri = str(tmp_path_factory.mktemp("data"))
    write_interactions(uri, rows, USERS, ITEMS, shards=3)
    measured = [_row(vectors, done[user][: before[user]], base[user]) for user in range(USERS)]
    served = [_row(vectors, items, base[user]) for user, items in enumerate(done)]
    return Ground(uri, vectors, (np.stack(measured), np.stack(served)))


def _row(vectors: np.ndarray, items: np.ndarray, base: np.ndarray) -> np.ndarray:
    latest = sum((DECAY**age * vectors[item, LATEST] for age, item in enumerate(items[::-1][:NUMBER])), np.zeros(5))
    trained = base + vectors[items][:, TRAINED].sum(axis=0) / max(len(items), 1) ** 0.5
    return np.concatenate([vectors[items][:, ALL].sum(axis=0), latest, trained]).astype("f4")


@pytest.mark.parametrize("at_once", [7, 1000])
def test_rows_of_what_users_did_are_in_order(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(rows_check, "_USERS_AT_ONCE", at_once)
    found = ground.check(tmp_path, ground.tables)
    assert found is not None
    assert (found.users, found.others) == (USERS, 0)
    assert found.largest_difference < TOLERANCE / 10


def _changed(table: np.ndarray, columns: slice, rows: list[int], others: list[int]) -> np.ndarray:
    changed = table.copy()
    changed[rows, columns] = table[others, columns]
    return changed


SPOILT: dict[str, Callable[[np.ndarray, np.ndarray, list[int]], Tables]] = {
    "served rows that changed places": lambda one, other, two: (one, _changed(other, slice(None), two, two[::-1])),
    "both rows that changed places": lambda one, other, two: (
        _changed(one, ALL, two, two[::-1]),
        _changed(other, ALL, two, two[::-1]),
    ),
    "trained columns of served rows alone": lambda one, other, two: (one, _changed(other, TRAINED, two, two[::-1])),
    "no number": lambda one, other, two: (one, np.where(np.isin(np.arange(USERS), two)[:, None], np.nan, other)),
}


@pytest.mark.parametrize("how", SPOILT)
def test_rows_of_others_are_counted(ground: Ground, tmp_path: Path, how: str) -> None:
    measured, served = ground.tables
    two = np.flatnonzero(np.abs(served[:, ALL]).sum(axis=1))[:2].tolist()
    found = ground.check(tmp_path, SPOILT[how](measured, served.astype("f4"), two))
    assert found is not None
    assert found.others == 2
    assert not found.largest_difference <= TOLERANCE


def test_measured_rows_that_know_the_test_are_counted(ground: Ground, tmp_path: Path) -> None:
    _, served = ground.tables
    found = ground.check(tmp_path, (served, served))
    tested = {*Interactions(ground.interactions).split("test").users.tolist()}
    assert found is not None
    assert found.others == len(tested) > 0


def test_rows_of_another_state_of_the_data_are_counted(ground: Ground, tmp_path: Path) -> None:
    later = {"train": [(user, user % ITEMS) for user in range(USERS)]}
    write_interactions(str(tmp_path / "later"), later, USERS, ITEMS)
    found = ground.check(tmp_path, ground.tables, str(tmp_path / "later"))
    assert found is not None
    assert found.others > USERS / 2


@pytest.mark.parametrize(("users", "items"), [(USERS + 1, ITEMS), (USERS, ITEMS + 1)])
def test_no_row_counts_of_a_model_that_has_too_few_users_or_items(
    ground: Ground, tmp_path: Path, users: int, items: int
) -> None:
    write_interactions(str(tmp_path / "other"), {"train": [(0, 0)]}, users, items)
    found = ground.check(tmp_path, ground.tables, str(tmp_path / "other"))
    assert found is not None
    assert found.others == users


def test_a_model_that_does_not_say_what_its_rows_are_is_not_looked_at(tmp_path: Path, ground: Ground) -> None:
    ids = np.arange(USERS), np.arange(ITEMS)
    vocabulary = Vocabulary(*ids, np.ones(USERS, np.int64), np.ones(ITEMS, np.int64))
    ServingModel(NeuMF(USERS, ITEMS, 4, ()), vocabulary, SeenItems.nothing(USERS)).save(str(tmp_path / "model"))
    assert check_rows(ServedModel(str(tmp_path / "model"), ITEMS), Interactions(ground.interactions), 1e-4) is None
