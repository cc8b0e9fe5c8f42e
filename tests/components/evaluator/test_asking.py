"""A model that was really exported, asked by raw id and by its own indexes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.artifacts.vocabulary import RawIds, Vocabulary
from components.evaluator import asking
from components.evaluator.asking import asks_by_id, fastest_ask, find_places
from components.serving.contract import SERVE
from components.serving.exporter import ServingModel
from components.serving.loader import ServedModel
from components.serving.seen_items import SeenItems
from components.trainer.model import NeuMF

# It knows the users 3 to 12, and the items 0 to 5.
OWN_USERS, OWN_ITEMS = range(3, 13), range(6)
USERS, ITEMS = range(20), range(2, 9)  # of this run


def numbers(values: range) -> RawIds:
    return 100 - 7 * np.array(values)


def texts(values: range) -> RawIds:
    return np.array([f"é{value:03}" for value in values], object)


def pushed(folder: Path, ids: Callable[[range], RawIds]) -> ServedModel:
    users, items = len(OWN_USERS), len(OWN_ITEMS)
    model = NeuMF(users, items, 4, (8, 4), embedding_stddev=1.0)
    vocabulary = Vocabulary(ids(OWN_USERS), ids(OWN_ITEMS), np.ones(users, np.int64), np.ones(items, np.int64))
    served_users = np.random.default_rng(0).standard_normal(model.user_table.shape).astype(np.float32)
    ServingModel(model, vocabulary, SeenItems.nothing(users), served_users=served_users).save(str(folder))
    return ServedModel(str(folder), None, (SERVE,))


def everything(width: int) -> tuple[np.ndarray, np.ndarray]:
    users = np.arange(len(USERS), dtype=np.int32)
    return users, np.broadcast_to(np.arange(width, dtype=np.int32), (len(users), width))


@pytest.mark.parametrize("ids", [numbers, texts])
def test_both_ways_give_the_same_of_what_the_model_knows(tmp_path: Path, ids: Callable[[range], RawIds]) -> None:
    model, asked = pushed(tmp_path, ids), everything(len(ITEMS))
    with model.with_measured_histories():
        expected = asks_by_id(model, ids(USERS), ids(ITEMS))(*asked)
        ask = fastest_ask(model, ids(USERS), ids(ITEMS))
    found = ask(*asked)  # without the users it was measured with: so it is not asked by raw id

    assert expected.known_users.tolist() == [user in OWN_USERS for user in USERS]
    assert expected.known_items[5].tolist() == [item in OWN_ITEMS for item in ITEMS]
    for known in ("known_users", "known_items"):
        np.testing.assert_array_equal(getattr(found, known), getattr(expected, known))
    known = expected.known_users[:, None] & expected.known_items
    np.testing.assert_allclose(found.scores[known], expected.scores[known], rtol=1e-4, atol=1e-5)
    assert np.ptp(found.scores[known]) > 0.1


def test_a_model_that_gives_other_scores_by_raw_id_is_asked_by_raw_id(tmp_path: Path) -> None:
    model, asked = pushed(tmp_path, numbers), everything(len(ITEMS))
    ask = fastest_ask(model, numbers(USERS), numbers(ITEMS))  # what it serves is not what was measured
    expected = asks_by_id(model, numbers(USERS), numbers(ITEMS))(*asked)
    np.testing.assert_array_equal(ask(*asked).scores, expected.scores)


@pytest.mark.parametrize("users", [None, len(OWN_USERS) - 1])
def test_a_model_that_does_not_tell_whom_it_knows_is_asked_by_raw_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users: int | None
) -> None:
    model, asked = pushed(tmp_path, numbers), everything(len(ITEMS))
    catalog = model.catalog()
    assert catalog is not None
    told = None if users is None else replace(catalog, user_ids=catalog.user_ids[:users])
    monkeypatch.setattr(model, "catalog", lambda: told)
    monkeypatch.setattr(asking, "fastest_scorer", lambda _: pytest.fail("it has no indexes to be asked by"))
    expected = asks_by_id(model, numbers(USERS), numbers(ITEMS))(*asked)
    found = fastest_ask(model, numbers(USERS), numbers(ITEMS))(*asked)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_model_that_knows_nobody_of_this_run(tmp_path: Path) -> None:
    model = pushed(tmp_path, numbers)
    answer = fastest_ask(model, numbers(range(30, 50)), numbers(range(30, 40)))(*everything(10))
    assert not answer.known_users.any()
    assert not answer.known_items.any()
    assert answer.scores.shape == (len(USERS), 10)


def test_places_of_raw_ids() -> None:
    assert find_places(np.array([7, 5, 9]), np.array([5, 6, 7])).tolist() == [2, 0, -1]
    assert find_places(np.array(["é", "x"], object), np.array([b"y", "é".encode()], object)).tolist() == [1, -1]
